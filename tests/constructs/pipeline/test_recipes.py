"""The two recipes: which steps there are for which workload, and what each asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandcastle.pipeline import deployment_pipeline, training_pipeline
from sandcastle.pipeline.definition import all_steps
from tests.constructs.pipeline.recipes import FINGERPRINT, parts, without_tuning, workload


def training(name: str, one: Any = None) -> dict[str, Any]:
    definition = training_pipeline(one or workload(name), parts(name), fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    return definition.to_json()


def steps_of(document: dict[str, Any]) -> dict[str, Any]:
    return {step["Name"]: step for step in all_steps(document["Steps"])}


DEPLOYMENT = ["CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules"]


def test_a_workload_that_tunes_has_its_best_two_and_the_plain_model_judged() -> None:
    assert list(steps_of(training("digits"))) == [
        *("Prepare", "DataQualityBaseline", "Train", "Tune", "EvaluateTop1", "EvaluateTop2", "EvaluatePlain"),
        *("ChooseBest", "GoodEnough", "ModelQualityBaseline", "GoodEnoughToDeploy", "RegisterApproved"),
        *DEPLOYMENT,
        *("RegisterPending", "TooWeak"),
    ]


def test_a_workload_that_does_not_tune_has_one_model() -> None:
    names = list(steps_of(training("penguins")))
    assert [name for name in names if name.startswith(("Evaluate", "T"))] == ["Train", "EvaluatePlain", "TooWeak"]
    assert names == list(steps_of(training("digits", without_tuning(workload("digits")))))


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
