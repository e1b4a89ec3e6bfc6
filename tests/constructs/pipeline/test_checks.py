"""The check at synth: our pipelines pass it, and each mistake is named with its step and member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandcastle.pipeline import deployment_pipeline, training_pipeline
from sandcastle.pipeline.checks import InvalidPipeline, check, problems
from sandcastle.pipeline.definition import Definition
from sandcastle.pipeline.expressions import join, json_get
from sandcastle.pipeline.flow import all_steps, fail
from tests.constructs.pipeline.recipes import FINGERPRINT, parts, without_tuning, workload

WORKLOADS = ["bank", "digits", "fraud", "penguins"]


def training(name: str = "digits") -> dict[str, Any]:
    made = training_pipeline(workload(name), parts(name), fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    return made.to_json()


def found_in(document: dict[str, Any]) -> list[str]:
    return list(problems(document))


def step(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in all_steps(document["Steps"]) if one["Name"] == name)


@pytest.mark.parametrize("name", WORKLOADS)
def test_our_pipelines_are_valid(name: str) -> None:
    assert found_in(training(name)) == []
    assert found_in(deployment_pipeline(workload(name).serve, parts(name)).to_json()) == []


def test_they_are_valid_however_a_workload_is_trained() -> None:
    one = workload("digits")
    for changed in (
        without_tuning(one),
        replace(one, train=replace(one.train, spot=True, max_wait_minutes=40, internet=True, instances=2)),
        replace(one, serve=replace(one.serve, internet=False)),
    ):
        made = training_pipeline(changed, parts("digits"), fingerprint=FINGERPRINT, approve=1.0, review=0.0)
        assert found_in(made.to_json()) == []


def test_tokens_of_cdk_are_values_that_nobody_knows_yet() -> None:
    made = replace(
        parts("digits"),
        training_role="${Token[TOKEN.1]}",
        training_image="${Token[TOKEN.2]}",
        data="s3://${Token[TOKEN.3]}/digits/pipeline",
    )
    definition = training_pipeline(workload("digits"), made, fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    assert found_in(definition.to_json()) == []
    assert "s3://${Token[TOKEN.3]}/digits/pipeline" in definition.body()


def test_all_that_is_wrong_is_said_at_once() -> None:
    document = training()
    step(document, "Train")["Arguments"].pop("RoleArn")
    step(document, "Prepare")["Arguments"]["AppSpecification"]["ImageUrl"] = "x"
    with pytest.raises(InvalidPipeline) as refused:
        check(document)
    assert str(refused.value).splitlines() == [
        "the pipeline is not valid:",
        "  Prepare.AppSpecification.ImageUrl: AppSpecification has no such member",
        "  Train.RoleArn: CreateTrainingJobRequest must have it",
    ]


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        ("Train", ("ResourceConfig", "InstanceType"), "ml.big", "Train.ResourceConfig.InstanceType: 'ml.big' is not"),
        ("Train", ("ResourceConfig", "InstanceCount"), -1, "Train.ResourceConfig.InstanceCount: -1 is not at least 0"),
        ("Train", ("ResourceConfig", "InstanceCount"), True, "InstanceCount: True is not of type integer"),
        ("Train", ("InputDataConfig",), {}, "Train.InputDataConfig: {} is not a list"),
        ("Train", ("HyperParameters",), [], "Train.HyperParameters: [] is not a map"),
        ("Train", ("HyperParameters", "epochs"), 3, "Train.HyperParameters.epochs: 3 is not of type string"),
        ("Train", ("RoleArn",), "me", "Train.RoleArn: 2 characters, allowed are 20 to 2048"),
        ("Train", ("RoleArn",), "r" * 20, "Train.RoleArn: 'rrrrrrrrrrrrrrrrrrrr' does not match"),
        ("Train", ("TrainingJobName",), "a-", "Train.TrainingJobName: 'a-' does not match"),
        ("Train", ("TrainingJobName",), "a" * 39, "39 characters; such a prefix may have 38"),
        ("Tune", ("HyperParameterTuningJobName",), "sc-25bf", "'sc-25bf' has 7 characters; such a prefix may have 6"),
        ("SmokeTest", ("BatchStrategy",), "Many", "'Many' is not one of 2 allowed values (MultiRecord, SingleRecord)"),
        ("TooWeak", ("Message",), "x", "TooWeak.Arguments: a Fail step has an ErrorMessage and nothing else"),
        ("GoodEnough", ("Then",), [], "GoodEnough.Then: no Condition step has it"),
        ("GoodEnough", ("Conditions",), [], "GoodEnough.Conditions: at least one is needed"),
        ("GoodEnough", ("Conditions", 0, "Type"), "Better", "GoodEnough.Conditions: 'Better' is not one of Equals, "),
        ("GoodEnough", ("Conditions", 0, "Else"), 1, "has a LeftValue and a RightValue and nothing else"),
    ],
)
def test_a_wrong_argument_is_named(name: str, path: tuple[Any, ...], value: Any, said: str) -> None:
    document = training()
    inside = step(document, name)["Arguments"]
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = value
    assert any(said in line for line in found_in(document)), found_in(document)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("Train", {"Type": "Trainig"}, "Train: unknown type of step 'Trainig'"),
        ("Train", {"PropertyFiles": []}, "Train.PropertyFiles: no Training step has it"),
        (
            "DataQualityBaseline",
            {"RetryPolicies": []},
            "DataQualityBaseline.RetryPolicies: no QualityCheck step has it",
        ),
        ("Train", {"Arguments": None}, "Train.Arguments: Training steps must have them"),
        ("Train", {"Name": "Train it"}, "Train it: a step's name has 1 to 64 letters"),
        ("Deploy", {"FunctionArn": ""}, "Deploy.FunctionArn: Lambda steps must have it"),
        ("Confirm", {"DependsOn": ["Deplyo"]}, "Confirm.DependsOn: there is no step Deplyo"),
        ("EvaluateTop1", {"PropertyFiles": []}, "ChooseBest: Steps.EvaluateTop1.PropertyFiles.Evaluation: step Evalua"),
        ("Prepare", {"DependsOn": ["Schedules"]}, "steps wait for each other: "),
        ("TooWeak", {"DependsOn": ["TooWeak"]}, "steps wait for each other: TooWeak -> TooWeak"),
    ],
)
def test_a_wrong_step_is_named(name: str, change: dict[str, Any], said: str) -> None:
    document = training()
    step(document, name).update(change)
    assert any(said in line for line in found_in(document)), found_in(document)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"Get": "Steps.Train"}, "Steps.Train: it names no member of a step"),
        ({"Get": "Parameters.Nothing"}, "Parameters.Nothing: there is nothing of this name"),
        ({"Get": "Execution.Id"}, "Execution.Id: there is nothing of this name"),
        ({"Get": "Pipeline.Name"}, "Pipeline.Name: there is nothing of this name"),
        (json_get("Prepare", "Report", "a"), "step Prepare has no property file Report"),
        (join("", {"Get": "Steps.Train.ModelArtifacts.S3"}), "a Training step has no such property"),
        ({"Get": "Steps.Tune.TrainingJobSummaries[0].JobName"}, "a Tuning step has no such property"),
        ({"Get": "Steps.ChooseBest.OutputParameters['best']"}, "a Lambda step has no such property"),
        ({"Get": "Steps.DataQualityBaseline.Statistics"}, "a QualityCheck step has no such property"),
        ({"Get": "Steps.GoodEnough.Result"}, "a Condition step has no such property"),
        ({"Get": "Steps.TooWeak.ErrorMessage"}, "a Fail step has no such property"),
        (
            {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['all'].S3Output.S3Uri"},
            "a Processing step has no such property",
        ),
    ],
)
def test_a_wrong_reference_is_named(reference: dict[str, Any], said: str) -> None:
    document = training()
    document["Steps"].append(fail("Extra", reference))
    lines = found_in(document)
    assert len(lines) == 1
    assert lines[0].startswith("Extra: ")
    assert said in lines[0]


@pytest.mark.parametrize(
    "reference",
    [
        "Execution.StartDateTime",
        "Steps.Train.TrainingJobName",
        "Steps.Tune.BestTrainingJob.TrainingJobName",
        "Steps.Train.FinalMetricDataList['validation:accuracy'].Value",
        "Steps.Train.HyperParameters['epochs']",
        "Steps.GoodEnough.Outcome",
        "Steps.CreateModel.Containers[0].ModelPackageName",
    ],
)
def test_a_reference_that_leads_somewhere_is_let_through(reference: str) -> None:
    document = training()
    document["Steps"].append(fail("Extra", {"Get": reference}))
    assert found_in(document) == []


def test_a_condition_in_another_ones_branch_is_refused() -> None:
    document = training()
    inner = document["Steps"].pop()
    step(document, "GoodEnough")["Arguments"]["IfSteps"].append(inner)
    assert found_in(document) == [
        f"{inner['Name']}: a condition in a branch of GoodEnough; SageMaker supports none inside another"
    ]


def test_names_are_there_once_and_parameters_for_something() -> None:
    document = training()
    document["Steps"].append(fail("TooWeak", "again"))
    document["Parameters"] += [document["Parameters"][0], {"Name": "Unused", "Type": "String"}]
    assert found_in(document) == [
        "TooWeak: 2 steps have this name",
        "DataVersion: 2 parameters have this name",
        "Unused: nothing refers to this parameter",
    ]


def test_a_definition_is_not_too_long_to_be_in_the_template() -> None:
    long = Definition((), (fail("Long", "x" * 100_000),))
    with pytest.raises(InvalidPipeline, match="it may have 100000"):
        long.body()
