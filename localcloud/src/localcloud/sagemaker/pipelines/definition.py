"""A pipeline definition, read and checked: parameters, steps in branches, and what each step waits for.

AWS refuses a bad definition with ``Unable to parse pipeline definition. ...`` ([R], the details are ours).
"""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.pipelines import expressions, outputs, policies
from localcloud.sagemaker.pipelines.policies import RetryPolicy
from localcloud.sagemaker.pipelines.steps import API_STEPS, PrefixTooLong

VERSION = "2020-12-01"
#: what a step of each type may have beside Name, Type, Arguments, DependsOn, DisplayName and Description
_TYPES: Mapping[str, frozenset[str]] = {
    "Training": frozenset(),
    "Processing": frozenset({"PropertyFiles"}),
    "Transform": frozenset(),
    "Tuning": frozenset(),
    "Model": frozenset(),
    "RegisterModel": frozenset(),
    "Condition": frozenset(),
    "Fail": frozenset(),
    "Lambda": frozenset({"FunctionArn", "OutputParameters"}),
    "Callback": frozenset({"SqsQueueUrl", "OutputParameters"}),
    "QualityCheck": frozenset(
        {
            "CheckType",
            "ModelPackageGroupName",
            "SkipCheck",
            "FailOnViolation",
            "RegisterNewBaseline",
            "SuppliedBaselineStatistics",
            "SuppliedBaselineConstraints",
        }
    ),
}
#: what a step of a type must have of them
_NEEDED: Mapping[str, str] = {"Lambda": "FunctionArn", "Callback": "SqsQueueUrl", "QualityCheck": "CheckType"}
_CHECK_TYPES = ("DATA_QUALITY", "MODEL_QUALITY")
_COMMON = frozenset({"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"})
#: members of some types only, which change nothing anywhere with these values
_HARMLESS: Mapping[str, tuple[Any, ...]] = {"CacheConfig": ({"Enabled": False},), "RetryPolicies": ([],)}
_FUNCTIONS = frozenset({expressions.JOIN, expressions.JSON_GET})
_CONVERT = {"String": str, "Integer": int, "Float": float}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Parameter:
    """One entry of Parameters; ``default`` None: a value must be given."""

    name: str
    type: str
    default: Any
    allowed: tuple[Any, ...]

    def value(self, given: str | None) -> Any:
        """The value in an execution. Raises ValidationException."""
        if given is None:
            if self.default is None:
                raise errors.validation(f"Parameter [{self.name}] value is undefined")
            return self.default
        try:
            value = _boolean(given) if self.type == "Boolean" else _CONVERT[self.type](given)
        except ValueError:
            raise errors.validation(f"Parameter [{self.name}]: {given!r} is not of type {self.type}") from None
        if self.allowed and value not in self.allowed:
            raise errors.validation(f"Parameter [{self.name}]: {given!r} is not one of {list(self.allowed)}")
        return value


@dataclass(frozen=True)
class Step:
    """One step, wherever it stands."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    display_name: str | None
    description: str | None
    #: the steps that it waits for: DependsOn and references
    after: frozenset[str]
    #: the condition that it stands under, and the outcome that lets it run
    branch: tuple[str, bool] | None
    #: property file -> (output, path in it)
    property_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: what a step of its type has beside Arguments and property files
    members: Mapping[str, Any] = field(default_factory=dict)
    #: how old, in seconds, a result may be that is used again; None: none is
    cache: float | None = None
    retries: tuple[RetryPolicy, ...] = ()

    @property
    def outputs(self) -> frozenset[str]:
        """Names of its output parameters."""
        return frozenset(output["OutputName"] for output in self.members.get("OutputParameters", []))

    @property
    def asked(self) -> dict[str, Any]:
        """Everything in which there may be expressions: Arguments and the members of its type."""
        return {"Arguments": dict(self.arguments), **self.members}


@dataclass(frozen=True)
class Definition:
    """Everything that an execution needs; steps in the order in which they are written, branches included."""

    text: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Any = None


def parse(text: str, operation: str) -> Definition:
    """Read a definition. Raises ValidationException, with localcloud's own text for what it does not do."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _bad(f"it is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("Version") != VERSION:
        raise _bad(f"Version must be {VERSION}")
    if not isinstance(document.get("Steps"), list):
        raise _bad("Steps must be a list")
    unknown = sorted(
        name
        for name in set(document) - {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
        if document[name] is not None
    )
    if unknown:
        raise errors.not_supported(operation, f"{unknown[0]} in a pipeline definition")
    parameters = {p.name: p for p in map(_parameter, document.get("Parameters") or [])}
    steps: dict[str, Step] = {}
    for step in _steps(document["Steps"], None, operation):
        if step.name in steps:
            raise _bad(f"step name {step.name!r} is used twice")
        steps[step.name] = step
    definition = Definition(text, parameters, steps, document.get("PipelineExperimentConfig"))
    _check_references(definition)
    return definition


def _parameter(entry: Any) -> Parameter:
    if not isinstance(entry, dict) or not {"Name", "Type"} <= set(entry):
        raise _bad("every entry of Parameters needs Name and Type")
    if entry["Type"] not in (*_CONVERT, "Boolean"):
        raise _bad(f"parameter {entry['Name']!r}: Type {entry['Type']!r} is not one of String, Integer, Float, Boolean")
    return Parameter(entry["Name"], entry["Type"], entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ()))


def _steps(entries: list[Any], branch: tuple[str, bool] | None, operation: str) -> Iterator[Step]:
    """Every step of a list and of the branches below it."""
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str) or not _NAME.fullmatch(entry["Name"]):
            raise _bad("every step needs a Name of letters, digits, '-' and '_', at most 64 characters")
        step = _step(entry, branch, operation)
        yield step
        if step.type == "Condition":
            for member, outcome in (("IfSteps", True), ("ElseSteps", False)):
                yield from _steps(entry["Arguments"].get(member) or [], (step.name, outcome), operation)


def _step(entry: dict[str, Any], branch: tuple[str, bool] | None, operation: str) -> Step:
    name, kind = entry["Name"], str(entry.get("Type"))
    if kind not in _TYPES:
        raise errors.not_supported(operation, f"step {name}: type {kind}")
    honoured = {
        *(["CacheConfig"] if kind in policies.CACHED else []),
        *(["RetryPolicies"] if kind in policies.RETRIED else []),
    }
    for member in sorted(set(entry) - _COMMON - _TYPES[kind] - honoured):
        if entry[member] is not None and entry[member] not in _HARMLESS.get(member, ()):
            raise errors.not_supported(operation, f"step {name}: {member}")
    arguments = entry.get("Arguments")
    if not isinstance(arguments, dict):
        raise _bad(f"step {name!r} needs Arguments")
    own = {k: v for k, v in arguments.items() if kind != "Condition" or k == "Conditions"}
    members = {k: v for k, v in entry.items() if k in _TYPES[kind] - {"PropertyFiles"} and v is not None}
    _check_members(name, kind, own, members)
    asked = {"Arguments": own, **members}
    unknown = next((f for f in expressions.functions(asked) if f not in _FUNCTIONS), None)
    if unknown:
        raise errors.not_supported(operation, f"step {name}: {unknown}")
    for wrong in expressions.malformed(asked):
        raise _bad(f"step {name!r}: {wrong}")
    depends = entry.get("DependsOn") or []
    if not all(isinstance(other, str) for other in depends):
        raise errors.not_supported(operation, f"step {name}: DependsOn with run conditions")
    try:
        cache, retries = policies.cache_of(entry), policies.retries_of(entry)
    except ValueError as reason:
        raise _bad(f"step {name!r}: {reason}") from None
    referred = {other for ref in expressions.references(asked) if (other := expressions.step_of(ref))}
    return Step(
        name=name,
        type=kind,
        arguments=own,
        display_name=entry.get("DisplayName"),
        description=entry.get("Description"),
        after=frozenset({*depends, *referred, *([branch[0]] if branch else [])}),
        branch=branch,
        property_files={
            file["PropertyFileName"]: (file["OutputName"], file["FilePath"])
            for file in entry.get("PropertyFiles") or []
        },
        members=members,
        cache=cache,
        retries=retries,
    )


def _check_members(name: str, kind: str, arguments: dict[str, Any], members: dict[str, Any]) -> None:
    """What the types of steps ask of their own members and arguments. Raises ValidationException ([DG], texts ours)."""
    if kind in _NEEDED and _NEEDED[kind] not in members:
        raise _bad(f"step {name!r} needs {_NEEDED[kind]}")
    if kind == "QualityCheck" and members["CheckType"] not in _CHECK_TYPES:
        raise _bad(f"step {name!r}: CheckType {members['CheckType']!r} is not one of {', '.join(_CHECK_TYPES)}")
    for output in members.get("OutputParameters", []):
        if not {"OutputName"} <= set(output) or output.get("OutputType", "String") not in outputs.TYPES:
            raise _bad(f"step {name!r}: every output parameter needs OutputName, and an OutputType that there is")
    if kind in ("Lambda", "Callback"):
        for argument, value in arguments.items():
            if isinstance(value, list) or (isinstance(value, dict) and not expressions.is_expression(value)):
                raise _bad(f"step {name!r}: argument {argument!r} is nested; a {kind} step takes texts and numbers")
    api = API_STEPS.get(kind)
    prefix = arguments.get(api.name) if api else None
    if api and isinstance(prefix, str):
        try:
            api.check_prefix(prefix)
        except PrefixTooLong as error:
            raise _bad(f"step {name!r}: {error}") from None


def _check_references(definition: Definition) -> None:
    """Nothing may dangle, and nothing may wait for itself. Raises ValidationException."""
    for step in definition.steps.values():
        for other in sorted(step.after):
            if other not in definition.steps:
                raise _bad(f"step {step.name!r} depends on step {other!r}, which does not exist")
            if definition.steps[other].type == "Fail":  # [DG]: it is always the last
                raise _bad(f"step {step.name!r} depends on step {other!r}, which is a Fail step")
        for reference in expressions.references(step.asked):
            kind, _, name = reference.partition(".")
            known: Any = {"Parameters": definition.parameters, "Execution": expressions.EXECUTION_VALUES}.get(kind)
            if known is None and expressions.step_of(reference) is None:
                raise _bad(f"step {step.name!r}: {reference!r} is not a reference")
            if known is not None and name not in known:
                raise _bad(f"step {step.name!r}: {reference} does not exist")
            file = re.fullmatch(r"Steps\.([A-Za-z0-9_-]+)\.PropertyFiles\.(.+)", reference)
            if file and file[2] not in definition.steps[file[1]].property_files:
                raise _bad(f"step {step.name!r}: step {file[1]!r} has no property file {file[2]!r}")
            output = re.fullmatch(r"Steps\.([A-Za-z0-9_-]+)\.OutputParameters\['([^']*)'\]", reference)
            if output and output[2] not in definition.steps[output[1]].outputs:
                raise _bad(f"step {step.name!r}: step {output[1]!r} has no output parameter {output[2]!r}")
    try:
        graphlib.TopologicalSorter({name: step.after for name, step in definition.steps.items()}).prepare()
    except graphlib.CycleError as error:
        raise _bad(f"steps wait for each other: {' -> '.join(error.args[1])}") from None


def _boolean(given: str) -> bool:
    if given.lower() not in ("true", "false"):
        raise ValueError(given)
    return given.lower() == "true"


def _bad(detail: str) -> ServiceError:
    return errors.validation(f"Unable to parse pipeline definition. {detail}")
