"""What is wrong with a pipeline, before SageMaker sees it: unknown members, dangling references, steps that cannot be.

SageMaker checks a definition's outline when the pipeline is made, and a step's arguments only when a run gets there:
after an hour of training, say. Here each step's arguments are compared with the request that they come to, in the
shapes of botocore's service model (``request_shapes``), and every reference is followed.
"""

from __future__ import annotations

import graphlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sandcastle.pipeline.expressions import VARIABLES, references
from sandcastle.pipeline.flow import all_steps
from sandcastle.pipeline.request_shapes import bundled
from sandcastle.pipeline.steps import Step

LONGEST = 100_000
"""Most characters of a definition that is not kept in S3 (SDK, ``Pipeline.create``)."""

_REQUESTS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName", 38),
    "QualityCheck": ("CreateProcessingJob", "ProcessingJobName", 38),
    "Training": ("CreateTrainingJob", "TrainingJobName", 38),
    "Transform": ("CreateTransformJob", "TransformJobName", 38),
    "Model": ("CreateModel", "ModelName", 38),
    "RegisterModel": ("CreateModelPackage", "ModelPackageName", 38),
    "Tuning": ("CreateHyperParameterTuningJob", "HyperParameterTuningJobName", 6),
}
"""By type of step: the operation it comes to, the member that names what is made, and how long a prefix that may be
(SageMaker developer guide, "IAM access management", prefix length restrictions)."""

_REPLIES = {
    "Processing": "DescribeProcessingJob",
    "Training": "DescribeTrainingJob",
    "Transform": "DescribeTransformJob",
    "Model": "DescribeModel",
    "RegisterModel": "DescribeModelPackage",
    "Tuning": "DescribeHyperParameterTuningJob",
}
"""By type of step: the operation whose reply is its properties."""

_BASELINES = frozenset(
    f"{which}{what}"
    for which in ("CalculatedBaseline", "BaselineUsedForDriftCheck")
    for what in ("Statistics", "Constraints")
)
"""The properties of a QualityCheck step."""

_OWN = {
    "Processing": {"PropertyFiles", "CacheConfig", "RetryPolicies"},
    "Training": {"CacheConfig", "RetryPolicies"},
    "Tuning": {"CacheConfig", "RetryPolicies"},
    "Transform": {"CacheConfig", "RetryPolicies"},
    "Model": {"RetryPolicies"},
    "RegisterModel": {"RetryPolicies"},
    "QualityCheck": {
        "CacheConfig",
        "CheckType",
        "ModelPackageGroupName",
        "SkipCheck",
        "FailOnViolation",
        "RegisterNewBaseline",
        "SuppliedBaselineStatistics",
        "SuppliedBaselineConstraints",
    },
    "Lambda": {"FunctionArn", "OutputParameters", "CacheConfig"},
    "Condition": set[str](),
    "Fail": set[str](),
}
"""By type of step: its members beside those that every step has."""

_COMPARISONS = {"Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}
"""Conditions of two values; there are others (In, Not, Or), which our pipelines do not have."""

_COMMON = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}
_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.(.+)", re.DOTALL)
_OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']*)'\]")
_STEP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class InvalidPipeline(ValueError):
    """A pipeline that SageMaker would refuse, or that would fail in the middle of a run. The text has every reason."""


def check(document: Mapping[str, Any]) -> None:
    """Check a definition. Raises InvalidPipeline with one line for each thing that is wrong: step, member, reason."""
    found = list(problems(document))
    if found:
        raise InvalidPipeline("the pipeline is not valid:\n" + "\n".join(f"  {line}" for line in found))


def problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a definition."""
    steps = list(all_steps(document["Steps"]))
    names = Counter(str(step.get("Name")) for step in steps)
    yield from (f"{name}: {count} steps have this name" for name, count in names.items() if count > 1)
    sound = True
    for step in steps:
        for line in _own_problems(step):
            sound = False
            yield line
    if sound:  # else references lead to something whose outline is not known
        yield from _reference_problems(document, steps)
        yield from _nested(document["Steps"])
        yield from _cycles(document["Steps"])
    size = len(json.dumps(document, separators=(",", ":")))
    if size > LONGEST:
        yield f"the definition has {size} characters; it may have {LONGEST}"


def _own_problems(step: Step) -> Iterator[str]:
    """Yield what is wrong with a step by itself."""
    name, kind, arguments = step.get("Name"), step.get("Type"), step.get("Arguments")
    if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
        yield f"{name}: a step's name has 1 to 64 letters, digits, '-' and '_', a letter or digit first"
    if kind not in _OWN:
        yield f"{name}: unknown type of step {kind!r}"
        return
    yield from (f"{name}.{member}: no {kind} step has it" for member in step if member not in _COMMON | _OWN[kind])
    if not isinstance(arguments, Mapping):
        yield f"{name}.Arguments: {kind} steps must have them"
        return
    if kind in _REQUESTS:
        operation, member, longest = _REQUESTS[kind]
        yield from bundled().problems(operation, arguments, str(name), optional={member})
        prefix = arguments.get(member)
        if isinstance(prefix, str) and len(prefix) > longest:
            yield f"{name}.{member}: {prefix!r} has {len(prefix)} characters; such a prefix may have {longest}"
    if kind == "Condition":
        yield from _condition_problems(str(name), arguments)
    if kind == "Fail" and set(arguments) != {"ErrorMessage"}:
        yield f"{name}.Arguments: a Fail step has an ErrorMessage and nothing else"
    if kind == "Lambda":
        yield from (
            f"{name}.{member}: Lambda steps must have it" for member in ("FunctionArn",) if not step.get(member)
        )


def _condition_problems(name: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    for member in set(arguments) - {"Conditions", "IfSteps", "ElseSteps"}:
        yield f"{name}.{member}: no Condition step has it"
    if not arguments.get("Conditions"):
        yield f"{name}.Conditions: at least one is needed"
    for one in arguments.get("Conditions", ()):
        if one.get("Type") not in _COMPARISONS:
            yield f"{name}.Conditions: {one.get('Type')!r} is not one of {', '.join(sorted(_COMPARISONS))}"
        elif set(one) != {"Type", "LeftValue", "RightValue"}:
            yield f"{name}.Conditions: {one['Type']} has a LeftValue and a RightValue and nothing else"


def _reference_problems(document: Mapping[str, Any], steps: list[Step]) -> Iterator[str]:
    """Yield references that lead nowhere, and parameters that nothing refers to."""
    parameters = [one["Name"] for one in document.get("Parameters", ())]
    yield from (f"{name}: {n} parameters have this name" for name, n in Counter(parameters).items() if n > 1)
    by_name = {step["Name"]: step for step in steps}
    used = set[str]()
    for step in steps:
        for other in step.get("DependsOn", ()):
            if other not in by_name:
                yield f"{step['Name']}.DependsOn: there is no step {other}"
        for reference in references(_own_values(step)):
            kind, _, name = reference.partition(".")
            used.add(name)
            if kind == "Steps":
                why = _why_dangling(reference, by_name)
            else:
                there: Collection[str] = {"Parameters": parameters, "Execution": VARIABLES}.get(kind, ())
                why = "" if name in there else "there is nothing of this name"
            if why:
                yield f"{step['Name']}: {reference}: {why}"
    yield from (f"{name}: nothing refers to this parameter" for name in parameters if name not in used)


def _why_dangling(reference: str, steps: Mapping[str, Step]) -> str:
    """Return why a reference to a step leads nowhere; nothing if it leads somewhere."""
    match = _STEP.fullmatch(reference)
    if match is None:
        return "it names no member of a step"
    name, path = match.groups()
    step = steps.get(name)
    if step is None:
        return f"there is no step {name}"
    file = path.removeprefix("PropertyFiles.")
    if file != path:
        files = {one["PropertyFileName"] for one in step.get("PropertyFiles", ())}
        return "" if file in files else f"step {name} has no property file {file}"
    return "" if _has(step, path) else f"a {step['Type']} step has no such property, or not this one"


def _has(step: Step, path: str) -> bool:
    """Whether a step has the property."""
    kind = step["Type"]
    if kind == "Lambda":
        return path in {f"OutputParameters['{one['OutputName']}']" for one in step.get("OutputParameters", ())}
    if kind == "QualityCheck":
        return path in _BASELINES
    if kind == "Condition":
        return path == "Outcome"
    if kind == "Tuning" and path.startswith("TrainingJobSummaries"):
        return bundled().has("ListTrainingJobsForHyperParameterTuningJob", path)
    output = _OUTPUT.match(path)
    if output and kind == "Processing":
        outputs = step["Arguments"].get("ProcessingOutputConfig", {}).get("Outputs", ())
        if output[1] not in {one.get("OutputName") for one in outputs}:
            return False
    return kind in _REPLIES and bundled().has(_REPLIES[kind], path)


def _own_values(step: Step) -> Any:
    """Return what of a step refers to others: of a condition not what its branches hold."""
    if step["Type"] == "Condition":
        return step["Arguments"].get("Conditions")
    return step


def _cycles(steps: Sequence[Step]) -> Iterator[str]:
    """Yield steps that wait for each other: through references, order, and the conditions that they stand under."""
    after: dict[str, set[str]] = {}
    for step, condition in _with_conditions(steps, None):
        found = {match[1] for one in references(_own_values(step)) if (match := _STEP.fullmatch(one))}
        after[step["Name"]] = found | set(step.get("DependsOn", ())) | ({condition} if condition else set())
    try:
        graphlib.TopologicalSorter(after).prepare()
    except graphlib.CycleError as error:
        yield f"steps wait for each other: {' -> '.join(reversed(error.args[1]))}"


def _nested(steps: Sequence[Step]) -> Iterator[str]:
    """Yield conditions in branches of others (SageMaker developer guide, "Condition step": not supported)."""
    for step, condition in _with_conditions(steps, None):
        if condition and step["Type"] == "Condition":
            yield f"{step['Name']}: a condition in a branch of {condition}; SageMaker supports none inside another"


def _with_conditions(steps: Sequence[Step], condition: str | None) -> Iterator[tuple[Step, str | None]]:
    """Yield every step with the condition in whose branch it is."""
    for step in steps:
        yield step, condition
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from _with_conditions(step["Arguments"].get(branch) or (), step["Name"])
