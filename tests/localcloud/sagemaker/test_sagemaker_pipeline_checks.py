"""QualityCheck steps: which baseline is compared with, which one the properties lead to, and violations."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get
from tests.localcloud.sagemaker.pipeline_runs import launch, start, step, stop, wait_for, wait_for_end
from tests.localcloud.sagemaker.scripted_backend import World

_PROPERTIES = (
    "CalculatedBaselineStatistics",
    "CalculatedBaselineConstraints",
    "BaselineUsedForDriftCheckStatistics",
    "BaselineUsedForDriftCheckConstraints",
)
_TOLD = parts.fail("told", {"Std:Join": {"On": " ", "Values": [get(f"Steps.q.{name}") for name in _PROPERTIES]}})
_NEW = "s3://bucket/found/statistics.json s3://bucket/found/constraints.json"
_OLD = "s3://bucket/old/statistics.json s3://bucket/old/constraints.json"
_SUPPLIED = {
    "SuppliedBaselineStatistics": "s3://bucket/old/statistics.json",
    "SuppliedBaselineConstraints": "s3://bucket/old/constraints.json",
}


def registered(world: World, member: str, folder: str, approval: str = "Approved") -> None:
    """A package of group ``group`` with the baselines of a folder."""
    if not world.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"]:
        world.call("CreateModelPackageGroup", ModelPackageGroupName="group")
    files = {
        kind.title(): {"ContentType": "application/json", "S3Uri": f"s3://bucket/{folder}/{kind}.json"}
        for kind in ("statistics", "constraints")
    }
    arguments = parts.register("r", "s3://bucket/m.tar.gz")["Arguments"]
    world.call(
        "CreateModelPackage", **{**arguments, "ModelApprovalStatus": approval}, DriftCheckBaselines={member: files}
    )
    world.clock.advance(1)


def run(world: World, outcome: JobOutcome | None = None, **members: Any) -> tuple[str, Any]:
    """An execution of one check and its job's specification, to the end."""
    parts.create(world, parts.quality_check("q", **members), _TOLD)
    arn = start(world)
    wait_for(world, arn, q="Executing")
    job = launch(world)
    job.on_done(outcome or JobOutcome("Completed", exit_message="Completed: no violations"))
    wait_for_end(world, arn)
    return arn, job.spec


def test_a_first_baseline(world: World) -> None:
    arn, spec = run(world, SkipCheck=True, RegisterNewBaseline=True)
    assert step(world, arn, "told")["FailureReason"] == f"{_NEW} {_NEW}"
    assert [source.name for source in spec.inputs] == ["baseline_dataset_input"]
    metadata = step(world, arn, "q")["Metadata"]["QualityCheck"]
    assert metadata.pop("CheckJobArn").endswith(f":processing-job/{spec.name}")
    statistics, constraints = _NEW.split()
    assert metadata == {
        "CheckType": "DATA_QUALITY",
        "CalculatedBaselineStatistics": statistics,
        "CalculatedBaselineConstraints": constraints,
        "BaselineUsedForDriftCheckStatistics": statistics,
        "BaselineUsedForDriftCheckConstraints": constraints,
        "ModelPackageGroupName": "group",
        "SkipCheck": True,
        "RegisterNewBaseline": True,
    }


@pytest.mark.parametrize(("register", "used"), [(False, _OLD), (True, _NEW)])
def test_a_baseline_that_the_step_supplies(world: World, register: bool, used: str) -> None:
    registered(world, "ModelDataQuality", "older")
    arn, spec = run(world, RegisterNewBaseline=register, **_SUPPLIED)
    assert step(world, arn, "told")["FailureReason"] == f"{_NEW} {used}"
    # as a monitoring execution gets it
    assert {source.s3_uri: source.local_path for source in spec.inputs[1:]} == {
        "s3://bucket/old/statistics.json": "/opt/ml/processing/baseline/stats",
        "s3://bucket/old/constraints.json": "/opt/ml/processing/baseline/constraints",
    }
    assert spec.environment == {
        "output_path": "/opt/ml/processing/output",
        "baseline_statistics": "/opt/ml/processing/baseline/stats/statistics.json",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
    }


def test_the_baseline_of_the_latest_approved_package(world: World) -> None:
    registered(world, "ModelQuality", "older")
    registered(world, "ModelQuality", "old")
    registered(world, "ModelQuality", "newer", "PendingManualApproval")
    arn, spec = run(world, CheckType="MODEL_QUALITY")
    assert step(world, arn, "told")["FailureReason"] == f"{_NEW} {_OLD}"
    # model quality has no statistics to compare
    assert "baseline_statistics" not in spec.environment
    assert spec.environment["baseline_constraints"].endswith("/constraints.json")


def test_a_check_that_is_skipped_carries_the_old_baseline_over(world: World) -> None:
    registered(world, "ModelDataQuality", "old")
    violated = JobOutcome("Completed", exit_message="CompletedWithViolations: 2")
    arn, spec = run(world, violated, SkipCheck=True)
    assert step(world, arn, "told")["FailureReason"] == f"{_NEW} {_OLD}"
    assert "baseline_constraints" not in spec.environment


@pytest.mark.parametrize("group", [None, "unknown", "group"])
def test_no_baseline_to_compare_with(world: World, group: str | None) -> None:
    registered(world, "ModelQuality", "old")
    parts.create(world, parts.quality_check("q", ModelPackageGroupName=group))
    arn = start(world)
    wait_for_end(world, arn)
    assert step(world, arn, "q")["FailureReason"].startswith("ClientError: no previous baseline: step q supplies none")


@pytest.mark.parametrize("fail", [True, False])
def test_violations(world: World, fail: bool) -> None:
    violated = JobOutcome("Completed", exit_message="CompletedWithViolations: Job completed with 2 violations.")
    arn, _ = run(world, violated, FailOnViolation=fail, **_SUPPLIED)
    found = step(world, arn, "q")
    report = "s3://bucket/found/constraint_violations.json"
    assert found["Metadata"]["QualityCheck"]["ViolationReport"] == report
    if fail:
        assert found["StepStatus"] == "Failed"
        assert found["FailureReason"] == (
            "ClientError: The quality check found violations. CompletedWithViolations: Job completed with 2 "
            f"violations. See {report}"
        )
    else:
        assert found["StepStatus"] == "Succeeded"


def test_a_check_is_stopped_as_a_processing_job(world: World) -> None:
    parts.create(world, parts.quality_check("q", SkipCheck=True, RegisterNewBaseline=True))
    arn = start(world)
    wait_for(world, arn, q="Executing")
    job = launch(world)
    stop(world, arn)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert job.stopped
