"""Stacks of workloads with a pipeline whose monitors are portable: baselines, schedules, who may what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import monitor_run
import pytest

from sandcastle.naming import PipelineNames
from sandcastle.pipeline.flow import all_steps
from sandcastle.template import resolve, symbols
from tests.stacks import monitored, test_promises
from tests.stacks.graph import dependencies, ids
from tests.stacks.test_pipelines import PART, definition
from tests.stacks.test_workloads import validate
from tests.synthesis import Synthesis, exported, resources


@pytest.fixture
def piped() -> Synthesis:
    """One pipeline, of a workload whose monitors need nothing of AWS's."""
    return monitored.piped()


def calls(synthesis: Synthesis) -> list[dict[str, Any]]:
    """Return the inputs of the schedules, that of the data first."""
    template = synthesis.template("pipeline-penguins")
    lookup = symbols(template, exported(synthesis))
    found = [resolve(one["Properties"], lookup) for one in resources(template, "AWS::Scheduler::Schedule").values()]
    assert {one["ScheduleExpression"] for one in found} == {"cron(10 * ? * * *)"}
    return sorted((json.loads(one["Target"]["Input"]) for one in found), key=lambda one: str(one["schedule"]))


def test_baselines_are_made_by_the_analyzer_and_registered_where_it_writes(piped: Synthesis) -> None:
    steps = {one["Name"]: one for one in all_steps(definition(piped, "penguins", "training")["Steps"])}
    assert "QualityCheck" not in {one["Type"] for one in steps.values()}
    for name in ("DataQualityBaseline", "ModelQualityBaseline"):
        step = steps[name]
        assert step["Type"] == "Processing"
        assert step["CacheConfig"]["Enabled"] is True
        assert "sagemaker-scikit-learn" in step["Arguments"]["AppSpecification"]["ImageUri"]
        assert "analyze" in step["Arguments"]["AppSpecification"]["ContainerEntrypoint"][-1]
    for register in ("RegisterApproved", "RegisterPending"):
        found = steps[register]["Arguments"]["DriftCheckBaselines"]
        for part, step in (("ModelDataQuality", "DataQualityBaseline"), ("ModelQuality", "ModelQualityBaseline")):
            folder, file = found[part]["Constraints"]["S3Uri"]["Std:Join"]["Values"]
            assert file == "constraints.json"
            assert folder["Get"].startswith(f"Steps.{step}.ProcessingOutputConfig")


def test_a_run_is_a_job_that_sagemaker_takes(piped: Synthesis) -> None:
    names = PipelineNames("portable-pipe", "penguins", part=PART)
    data, model = calls(piped)
    assert (data["schedule"], model["schedule"]) == names.schedules
    for call, kind, late in ((data, "data-quality", 0), (model, "model-quality", 1)):
        request = monitor_run.request_of(call, datetime(2026, 3, 1, 15, tzinfo=UTC), [("s3://a/b", "/c")], [])
        validate("CreateProcessingJob", request)
        assert (call["hours"], call["late"], call["endpoint"]) == (1, late, names.endpoint)
        assert call["packages"].endswith(f":model-package/{names.group}")
        assert call["reports"].endswith(f"/monitoring/penguins/{kind}")
        assert "/baseline/" in request["Environment"]["baseline_constraints"]
    assert data["request"]["Environment"]["SANDCASTLE_ANSWER"] == "json:prediction"
    assert model["request"]["Environment"]["problem_type"] == "MulticlassClassification"
    assert model["truth"].endswith("/monitoring/penguins/ground-truth")


def test_what_starts_runs_is_bounded_by_the_budget_and_there_before_the_schedules(piped: Synthesis) -> None:
    template = piped.template("pipeline-penguins")
    (role,) = ids(template, "AWS::IAM::Role", "SchedulesFunctionRole")
    assert role in json.dumps(resources(template, "AWS::Budgets::BudgetsAction"))
    for schedule in resources(template, "AWS::Scheduler::Schedule"):
        assert role in dependencies(template, schedule)


def test_every_promise_holds(piped: Synthesis) -> None:
    test_promises.test_every_promise_holds(piped)
