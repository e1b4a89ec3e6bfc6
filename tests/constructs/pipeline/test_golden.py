"""Our training pipeline is the one that the genuine SDK writes: the same steps, and each with the same request.

What differs is listed here, with its reason, and nothing else may: a difference that is gone must leave the list, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandcastle.pipeline import training_pipeline
from sandcastle.pipeline.flow import all_steps
from tests.constructs.pipeline import sdk_pipeline
from tests.constructs.pipeline.recipes import FINGERPRINT, parts, workload
from tests.constructs.pipeline.sdk_hands import offline

pytestmark = pytest.mark.filterwarnings(  # the SDK's own
    "ignore:Running within a PipelineSession", "ignore:Lambda function won't be", "ignore::DeprecationWarning"
)

DEFAULTS = [
    ("EnableManagedSpotTraining", False),
    ("EnableNetworkIsolation", False),
    ("S3CompressionType", "None"),
    ("S3DataDistributionType", "FullyReplicated"),
    ("TrainingJobEarlyStoppingType", "Off"),
    ("CompressionType", "GZIP"),
]
"""What SageMaker takes when nothing is said (API reference); one of the two says it, the other does not."""

NAMED = ("OutputName", "InputName", "ChannelName", "Name")
"""Members by which entries of a list are told apart where their order means nothing."""

PREFIXES = {
    "ProcessingJobName",
    "TrainingJobName",
    "TransformJobName",
    "HyperParameterTuningJobName",
    "ModelName",
}
"""Only ours: SDK 3.27 drops the names of jobs (aws/sagemaker-python-sdk issues 5776 and 6299)."""

ISOLATION = "Tune.Arguments.TrainingJobDefinition.EnableNetworkIsolation"
"""Only ours: the SDK's tuner reads of ModelTrainer's ``networking`` the VPC and forgets the isolation."""


@pytest.fixture(scope="module")
def no_network() -> Iterator[None]:
    with offline():
        yield


@pytest.mark.parametrize(
    "name",
    [
        "digits",  # a script, several classes, tuning
        "bank",  # a built-in algorithm, two classes, spot capacity
        pytest.param("fraud", marks=pytest.mark.exhaustive),
        pytest.param("penguins", marks=pytest.mark.exhaustive),
    ],
)
def test_the_sdk_writes_the_same_pipeline(name: str, no_network: None) -> None:
    made = training_pipeline(workload(name), parts(name), fingerprint=FINGERPRINT, approve=0.7, review=0.5).to_json()
    theirs = sdk_pipeline.definition(workload(name), parts(name), FINGERPRINT, 0.7, 0.5)
    assert made["Parameters"] == theirs["Parameters"]
    steps = {one["Name"]: one for one in all_steps(made["Steps"])}
    found = set(differences(normal(made), normal(theirs)))
    expected = {
        f"{step}.Arguments.{member}: only ours"
        for step, one in steps.items()
        for member in PREFIXES & set(one["Arguments"])
        if (step, member) != ("SmokeTest", "ModelName")  # not a name but whose model it is
    }
    if "Tune" in steps:
        expected.add(f"{ISOLATION}: only ours")
    assert found == expected


def normal(document: dict[str, Any]) -> dict[str, Any]:
    """Return the steps by name, without what means nothing: nulls, empty maps, defaults, order, how a text is cut."""
    return {step["Name"]: _plain(step) for step in all_steps(document["Steps"])}


def _plain(value: Any, inside: str = "") -> Any:
    if isinstance(value, dict):
        if set(value) == {"Std:Join"}:
            return {"Std:Join": _joined(value["Std:Join"])}
        kept = {key: _plain(inner, key) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, {}) and (key, inner) not in DEFAULTS}
    if isinstance(value, list):
        if inside in ("IfSteps", "ElseSteps"):
            return [step["Name"] for step in value]
        items = [_plain(item) for item in value]
        for key in NAMED:
            if items and all(isinstance(item, dict) and key in item for item in items):
                return {item[key]: item for item in items}
        return items
    return value


def _joined(join: dict[str, Any]) -> list[Any]:
    """Return the parts of a text, neighbours that are known put together: ``s3:/`` and ``bucket`` as ``s3://bucket``."""
    found: list[Any] = []
    for place, part in enumerate(join["Values"]):
        for piece in [join["On"], part] if place else [part]:
            if found and isinstance(piece, str) and isinstance(found[-1], str):
                found[-1] += piece
            elif piece != "":
                found.append(piece)
    return found


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Yield each place where the two are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            here = f"{where}.{key}" if where else key
            if key not in theirs or key not in ours:
                yield f"{here}: only {'ours' if key in ours else 'theirs'}"
            else:
                yield from differences(ours[key], theirs[key], here)
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{where}: {ours!r}, not {theirs!r}"


def test_the_comparison_sees_what_differs() -> None:
    ours = {"a": {"b": 1, "c": [1, 2], "d": 1.0}}
    assert set(differences(ours, {"a": {"b": 2, "c": [1], "d": 1, "e": 0}})) == {
        "a.b: 1, not 2",
        "a.c: [1, 2], not [1]",
        "a.d: 1.0, not 1",
        "a.e: only theirs",
    }
    join = {"Std:Join": {"On": "/", "Values": ["s3:/", "bucket", {"Get": "x"}, "end"]}}
    assert _plain(join) == {"Std:Join": ["s3://bucket/", {"Get": "x"}, "/end"]}
