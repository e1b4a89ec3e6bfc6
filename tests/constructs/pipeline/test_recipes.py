"""The two recipes: which steps there are for which workload, and what each asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandcastle.pipeline import deployment_pipeline, training_pipeline
from sandcastle.pipeline.expressions import references
from sandcastle.pipeline.flow import all_steps
from tests.constructs.pipeline.recipes import FINGERPRINT, TAGS, parts, without_tuning, workload


def training(name: str, one: Any = None) -> dict[str, Any]:
    definition = training_pipeline(one or workload(name), parts(name), fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    return definition.to_json()


def steps_of(document: dict[str, Any]) -> dict[str, Any]:
    return {step["Name"]: step for step in all_steps(document["Steps"])}


DEPLOYMENT = ["CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules"]


def test_a_workload_that_tunes_has_its_best_two_and_the_plain_model_judged() -> None:
    assert list(steps_of(training("digits"))) == [
        *("Prepare", "DataQualityBaseline", "Train", "Tune", "EvaluateTop1", "EvaluateTop2", "EvaluatePlain"),
        *("ChooseBest", "ModelQualityBaseline", "GoodEnough", "TooWeak", "GoodEnoughToDeploy", "RegisterApproved"),
        *DEPLOYMENT,
        *("GoodEnoughToReview", "RegisterPending"),
    ]


def test_a_workload_that_does_not_tune_has_one_model() -> None:
    names = list(steps_of(training("digits", without_tuning(workload("digits")))))
    assert [name for name in names if name.startswith(("Evaluate", "T"))] == ["Train", "EvaluatePlain", "TooWeak"]


def test_a_search_of_one_job_has_no_second_best() -> None:
    one = workload("digits")
    assert one.train.tuning is not None
    alone = replace(one, train=replace(one.train, tuning=replace(one.train.tuning, max_jobs=1, parallel_jobs=1)))
    names = steps_of(training("digits", alone))
    assert "EvaluateTop1" in names
    assert "EvaluateTop2" not in names


@pytest.mark.parametrize("name", ["bank", "digits", "fraud", "penguins"])
def test_the_deployment_is_the_end_of_training(name: str) -> None:
    inside = steps_of(training(name))
    alone = steps_of(deployment_pipeline(workload(name).serve, parts(name)).to_json())
    assert list(alone) == DEPLOYMENT
    for step in DEPLOYMENT:
        assert inside[step]["Type"] == alone[step]["Type"]
    assert alone["Deploy"]["Arguments"]["package"] == {"Get": "Parameters.ModelPackageArn"}
    assert inside["Deploy"]["Arguments"]["package"] == {"Get": "Steps.RegisterApproved.ModelPackageArn"}


JOBS = {"Processing", "QualityCheck", "Training", "Transform", "Tuning"}
NAMES = {
    "Processing": "ProcessingJobName",
    "QualityCheck": "ProcessingJobName",
    "Training": "TrainingJobName",
    "Transform": "TransformJobName",
    "Model": "ModelName",
    "Tuning": "HyperParameterTuningJobName",
}


@pytest.mark.parametrize("name", ["bank", "digits", "fraud", "penguins"])
def test_all_that_a_run_makes_has_our_name_and_tags(name: str) -> None:
    """A version of the registry alone has neither: its group has both."""
    names = parts(name).names
    for step in steps_of(training(name)).values():
        if step["Type"] in NAMES:
            prefix = step["Arguments"][NAMES[step["Type"]]]
            assert prefix == (names.tuning if step["Type"] == "Tuning" else names.jobs)
            assert {tag["Key"]: tag["Value"] for tag in step["Arguments"]["Tags"]} == TAGS
        else:
            assert "Tags" not in step["Arguments"]


def test_what_costs_is_cached_and_tried_again() -> None:
    steps = steps_of(training("digits")).values()
    cached = {step["Name"] for step in steps if "CacheConfig" in step}
    assert cached == {step["Name"] for step in steps if step["Type"] in JOBS} - {"SmokeTest"}
    assert all(
        step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"} for step in steps if step["Name"] in cached
    )
    policies = {step["Name"]: len(step["RetryPolicies"]) for step in steps if "RetryPolicies" in step}
    assert {name for name, count in policies.items() if count == 1} == {
        "CreateModel",
        "RegisterApproved",
        "RegisterPending",
    }
    assert {name for name, count in policies.items() if count == 2} == cached - {
        "DataQualityBaseline",
        "ModelQualityBaseline",
    } | {"SmokeTest"}


def test_another_version_of_the_data_is_prepared_again_in_another_folder() -> None:
    """Both what decides whether an earlier run's result counts, and where the new one lies, have the version."""
    prepare = steps_of(training("digits"))["Prepare"]["Arguments"]
    version = {"Get": "Parameters.DataVersion"}
    assert prepare["Environment"]["SANDCASTLE_DATA_VERSION"] == version
    outputs = prepare["ProcessingOutputConfig"]["Outputs"]
    assert [one["OutputName"] for one in outputs] == ["train", "validation", "test", "about", "baseline"]
    for one in outputs:
        values = ["s3://data/digits/pipeline", version, one["OutputName"]]
        assert one["S3Output"]["S3Uri"] == {"Std:Join": {"On": "/", "Values": values}}
    assert training("digits")["Parameters"][0] == {
        "Name": "DataVersion",
        "Type": "String",
        "DefaultValue": FINGERPRINT[:12],
    }


def test_a_result_of_an_earlier_run_is_where_that_run_left_it() -> None:
    """The folder comes from the step, whose job may be an earlier run's, and not from this run's id."""
    chosen = steps_of(training("digits"))["ChooseBest"]["Arguments"]
    for name in ("Top1", "Top2", "Plain"):
        uri = f"Steps.Evaluate{name}.ProcessingOutputConfig.Outputs['results'].S3Output.S3Uri"
        assert chosen[f"{name}_folder"] == {"Get": uri}


def test_no_run_that_may_be_an_earlier_one_has_its_id_in_what_decides_about_that() -> None:
    """Of a check, everything counts: also where it writes (SageMaker developer guide, pipelines-default-keys)."""
    steps = steps_of(training("digits"))
    for name in ("DataQualityBaseline", "ModelQualityBaseline"):
        assert "Execution.PipelineExecutionId" not in set(references(steps[name]))
    for step in steps.values():
        if "CacheConfig" in step:
            counted = {key: value for key, value in step["Arguments"].items() if key != "ProcessingOutputConfig"}
            assert "Execution.PipelineExecutionId" not in set(references(counted)), step["Name"]


def test_tuning_searches_what_the_plain_training_is_told() -> None:
    steps = steps_of(training("digits"))
    plain = steps["Train"]["Arguments"]["HyperParameters"]
    fixed = steps["Tune"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]
    assert set(plain) - set(fixed) == {"learning_rate"}
    assert steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]["RandomSeed"] == int(FINGERPRINT[:7], 16)


def test_on_spot_capacity_a_run_does_not_go_on_from_another_ones_model() -> None:
    arguments = steps_of(training("bank"))["Train"]["Arguments"]
    assert arguments["EnableManagedSpotTraining"] is True
    assert "CheckpointConfig" not in arguments


def test_two_classes_have_a_probability() -> None:
    steps = steps_of(training("bank"))
    environment = steps["ModelQualityBaseline"]["Arguments"]["Environment"]
    assert environment["problem_type"] == "BinaryClassification"
    assert environment["probability_attribute"] == "probability"
    path = steps["ChooseBest"]["Arguments"]["Plain_accuracy"]["Std:JsonGet"]["Path"]
    assert path == "binary_classification_metrics.accuracy.value"


def test_who_gives_up_says_what_is_missing() -> None:
    message = steps_of(training("digits"))["TooWeak"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    given = {
        "Steps.ChooseBest.OutputParameters['name']": "Top2",
        "Steps.ChooseBest.OutputParameters['accuracy_text']": "0.4312",
        "Parameters.ReviewAccuracy": "0.5",
    }
    assert "".join(part if isinstance(part, str) else given[part["Get"]] for part in message) == (
        "The best model is Top2 with an accuracy of 0.4312, below the least that a person may approve, 0.5 "
        "(parameter ReviewAccuracy)"
    )
