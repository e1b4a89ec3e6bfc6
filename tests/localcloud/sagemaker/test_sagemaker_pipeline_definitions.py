"""Pipeline definitions: what is refused when a pipeline is created, and what expressions come to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.pipelines import conditions
from localcloud.sagemaker.pipelines.definition import parse
from localcloud.sagemaker.pipelines.expressions import Unresolvable, follow, resolve
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get

_BAD = "Unable to parse pipeline definition. "


def refused(text: str) -> str:
    with pytest.raises(ServiceError) as caught:
        parse(text, "CreatePipeline")
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "it is not JSON"),
        ("[]", "Version must be 2020-12-01"),
        (json.dumps({"Version": "2020-12-01"}), "Steps must be a list"),
        (parts.document({"Type": "Fail"}), "every step needs a Name"),
        (parts.document({"Name": "a", "Type": "Training"}), "step 'a' needs Arguments"),
        (parts.document(parts.fail("a", "x"), parts.fail("a", "x")), "step name 'a' is used twice"),
        (parts.document(parts.training("a", DependsOn=["b"])), "step 'a' depends on step 'b', which does not exist"),
        (parts.document(parts.fail("a", get("Steps.b.X"))), "step 'a' depends on step 'b', which does not exist"),
        (parts.document(parts.fail("a", get("Parameters.p"))), "step 'a': Parameters.p does not exist"),
        (parts.document(parts.fail("a", get("Execution.Mood"))), "step 'a': Execution.Mood does not exist"),
        (parts.document(parts.fail("a", get("Weather.Today"))), "step 'a': 'Weather.Today' is not a reference"),
        (
            parts.document(parts.processing("p"), parts.fail("a", get("Steps.p.PropertyFiles.f"))),
            "step 'a': step 'p' has no property file 'f'",
        ),
        (
            parts.document(parts.training("a", DependsOn=["b"]), parts.training("b", DependsOn=["a"])),
            "steps wait for each other: ",
        ),
        (parts.document({"Name": "a", "Type": "Lambda", "Arguments": {}}), "step 'a' needs FunctionArn"),
        (parts.document(parts.function("a", {"x": [1]})), "step 'a': argument 'x' is nested"),
        (parts.document(parts.function("a", {"x": {"y": 1}})), "step 'a': argument 'x' is nested"),
        (parts.document(parts.function("a", {"x": get("Steps.b.Y")})), "step 'a' depends on step 'b'"),
        (parts.document(parts.function("a", {}, x="Date")), "step 'a': every output parameter needs"),
        (
            parts.document(parts.function("f", {}, x="String"), parts.fail("a", get("Steps.f.OutputParameters['y']"))),
            "step 'a': step 'f' has no output parameter 'y'",
        ),
        (
            parts.document(parts.quality_check("a", CheckType="DATA_BIAS")),
            "step 'a': CheckType 'DATA_BIAS' is not one of DATA_QUALITY, MODEL_QUALITY",
        ),
        (
            parts.document(parts.quality_check("a", SuppliedBaselineConstraints=get("Steps.b.X"))),
            "step 'a' depends on step 'b'",
        ),
        (
            parts.document(parts.training("a", Arguments={"TrainingJobName": "p" * 39})),
            "step 'a': TrainingJobName is a custom prefix of the job's name: " + repr("p" * 39) + " has 39 characters",
        ),
        (
            parts.document(parts.fail("f", ""), parts.training("a", DependsOn=["f"])),
            "step 'a' depends on step 'f', which is a Fail step",
        ),
        (parts.document(parts.fail("a", {"Std:Join": {"Values": []}})), "step 'a': Std:Join needs On and Values"),
        (parts.document(parts.fail("a", [{"Std:JsonGet": {"Path": "x"}}])), "step 'a': Std:JsonGet needs Path, and"),
        (
            parts.document(parts.fail("a", {"Std:JsonGet": {"PropertyFile": "Report", "Path": "x"}})),
            "step 'a': PropertyFile of Std:JsonGet needs Get",
        ),
        (parts.document(parameters=[{"Name": "p"}]), "every entry of Parameters needs Name and Type"),
        (parts.document(parameters=[{"Name": "p", "Type": "Date"}]), "parameter 'p': Type 'Date' is not one of"),
    ],
)
def test_bad_definitions(text: str, expected: str) -> None:
    assert refused(text).startswith(_BAD + expected)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"Name": "a", "Type": "ClarifyCheck", "Arguments": {}}, "step a: type ClarifyCheck"),
        ({"Name": "a", "Type": "EMR", "Arguments": {}}, "step a: type EMR"),
        (parts.fail("a", "no") | {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}, "step a: CacheConfig"),
        (parts.fail("a", "no") | {"RetryPolicies": [{"MaxAttempts": 1}]}, "step a: RetryPolicies"),
        (parts.fail("a", {"Std:Random": {}}), "step a: Std:Random"),
        (parts.training("a", DependsOn=[{"Step": "b"}]), "step a: DependsOn with run conditions"),
    ],
)
def test_what_is_not_here_is_refused_by_name(step: dict[str, Any], expected: str) -> None:
    nested = parts.condition("c", [], [step], [])
    for text in (parts.document(step), parts.document(nested)):
        assert refused(text) == f"[localcloud] CreatePipeline: {expected} is not supported yet"


def test_members_that_change_nothing_are_taken() -> None:
    step = parts.training("a", CacheConfig={"Enabled": False}, RetryPolicies=[], DisplayName="A")
    assert parse(parts.document(step), "CreatePipeline").steps["a"].display_name == "A"


def test_a_step_waits_for_what_it_names_wherever_that_stands() -> None:
    inner = parts.training("inner", Arguments={"HyperParameters": {"x": get("Steps.first.TrainingJobName")}})
    text = parts.document(
        parts.training("first"),
        parts.condition("c", [{"Type": "Equals", "LeftValue": get("Steps.first.X"), "RightValue": 1}], [inner], []),
        parts.fail("last", {"Std:Join": {"On": "", "Values": ["a", get("Steps.inner.TrainingJobName")]}}),
        parts.training("plain", DependsOn=["c"]),
    )
    steps = parse(text, "CreatePipeline").steps
    assert list(steps) == ["first", "c", "inner", "last", "plain"]
    assert {name: set(step.after) for name, step in steps.items()} == {
        "first": set(),
        "c": {"first"},
        "inner": {"first", "c"},
        "last": {"inner"},
        "plain": {"c"},
    }
    assert steps["inner"].branch == ("c", True)


class Known:
    """Values for the tests of expressions."""

    def parameter(self, name: str) -> Any:
        return {"count": 2, "flag": True, "name": "n"}[name]

    def execution(self, name: str) -> Any:
        return f"the {name}"

    def properties(self, step: str) -> Any:
        assert step == "pre-1"
        outputs = [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}]
        return {"ProcessingOutputConfig": {"Outputs": outputs}, "Metrics": [{"MetricName": "v:auc", "Value": 0.5}]}

    def property_file(self, step: str, name: str) -> Any:
        assert step == "pre-1" and name.startswith("R")
        return {"metrics": {"auc": {"value": 0.9}}, "classes": [{"f1": 0.1}, {"f1": 0.2}]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (get("Parameters.count"), 2),
        (get("Execution.PipelineName"), "the PipelineName"),
        (get("Steps.pre-1.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "s3://b/train"),
        (get('Steps.pre-1.ProcessingOutputConfig.Outputs["train"].OutputName'), "train"),
        (get("Steps.pre-1.Metrics['v:auc'].Value"), 0.5),
        (get("Steps.pre-1.ProcessingOutputConfig.Outputs[0].OutputName"), "train"),
        (
            {"Std:Join": {"On": "/", "Values": ["s3:/", get("Parameters.name"), get("Parameters.flag"), 3]}},
            "s3://n/true/3",
        ),
        (
            {"Std:JsonGet": {"PropertyFile": get("Steps.pre-1.PropertyFiles.Report"), "Path": "metrics.auc.value"}},
            0.9,
        ),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.pre-1.PropertyFiles.R"), "Path": "classes[1].f1"}}, 0.2),
        ({"a": [get("Parameters.count"), {"b": "c"}]}, {"a": [2, {"b": "c"}]}),
    ],
)
def test_expressions(expression: Any, expected: Any) -> None:
    assert resolve(expression, Known()) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Missing", "r: there is no Missing"),
        ("List[5]", "r: there is no [5]"),
        ("List['x']", "r: there is no ['x']"),
        ("List[*]", "r: '[*]' is not a path"),
    ],
)
def test_what_an_expression_does_not_find(path: str, text: str) -> None:
    with pytest.raises(Unresolvable) as caught:
        follow({"List": [1]}, path, "r")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("kind", "left", "right", "expected"),
    [
        ("Equals", "a", "a", True),
        ("Equals", "1.0", 1, True),
        ("GreaterThan", 0.71, 0.7, True),
        ("GreaterThanOrEqualTo", 0.7, "0.7", True),
        ("LessThan", 2, 1, False),
        ("LessThanOrEqualTo", 1, 1, True),
    ],
)
def test_comparisons(kind: str, left: Any, right: Any, expected: bool) -> None:
    condition = {"Type": kind, "LeftValue": left, "RightValue": right}
    assert conditions.holds(condition, Known()) is expected
    assert conditions.holds({"Type": "Not", "Expression": condition}, Known()) is not expected
    assert conditions.holds({"Type": "Or", "Conditions": [condition]}, Known()) is expected


def test_membership_and_what_cannot_be_compared() -> None:
    within = {"Type": "In", "QueryValue": get("Parameters.name"), "Values": ["m", get("Parameters.name")]}
    assert conditions.holds(within, Known())
    with pytest.raises(Unresolvable, match="cannot be compared"):
        conditions.holds({"Type": "LessThan", "LeftValue": "a", "RightValue": 1}, Known())
    with pytest.raises(Unresolvable, match="no condition of type 'Maybe'"):
        conditions.holds({"Type": "Maybe"}, Known())
