"""Monitoring schedules as state machines, on a clock that moves only when told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from tests.localcloud.sagemaker import monitored
from tests.localcloud.sagemaker.scripted_backend import IMAGE, START, World

_HOUR = 3600.0
#: 2027-01-15 08:00 UTC, as a folder of captured data
_FIRST_HOUR = "watched/all/2027/01/15/08"


@pytest.fixture
def watched(world: World) -> World:
    """An hourly schedule, Scheduled, over an endpoint that captures."""
    monitored.endpoint(world)
    world.call("CreateDataQualityJobDefinition", **monitored.definition())
    world.call("CreateMonitoringSchedule", **monitored.schedule())
    world.clock.advance(durations.SCHEDULE_CHANGE)
    return world


def status(world: World) -> str:
    return str(world.call("DescribeMonitoringSchedule", MonitoringScheduleName="schedule")["MonitoringScheduleStatus"])


def executions(world: World, **members: Any) -> list[dict[str, Any]]:
    reply = world.call("ListMonitoringExecutions", **members)
    found: list[dict[str, Any]] = reply["MonitoringExecutionSummaries"]
    return found


def fire(world: World) -> Any:
    """Let the next hour come and the execution's process start."""
    before = len(world.backend.jobs)
    world.clock.advance(_HOUR - world.clock.now() % _HOUR)
    world.clock.advance(durations.MONITORING_DELAY)
    world.wait_until(lambda: executions(world)[0]["MonitoringExecutionStatus"] != "Pending")
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == before + 1
    return world.backend.jobs[-1]


def delete(world: World) -> None:
    world.call("DeleteMonitoringSchedule", MonitoringScheduleName="schedule")


def refusal(world: World, operation: str) -> tuple[str, str]:
    parameters = monitored.schedule() if operation == "UpdateMonitoringSchedule" else {}
    error = world.refusal(operation, **{"MonitoringScheduleName": "schedule", **parameters})
    return error.code, error.message


def test_every_change_passes_through_pending(watched: World) -> None:
    assert status(watched) == "Scheduled"
    changes = [
        ("StopMonitoringSchedule", {}, "Stopped"),
        ("UpdateMonitoringSchedule", monitored.schedule(), "Stopped"),
        ("StartMonitoringSchedule", {}, "Scheduled"),
        ("UpdateMonitoringSchedule", monitored.schedule(), "Scheduled"),
    ]
    for operation, parameters, after in changes:
        watched.call(operation, **{"MonitoringScheduleName": "schedule", **parameters})
        assert status(watched) == "Pending"
        for again in ("StopMonitoringSchedule", "UpdateMonitoringSchedule", "DeleteMonitoringSchedule"):
            code, message = refusal(watched, again)
            assert code == "ValidationException"
            assert message.startswith("Monitoring schedule in status Pending")
        watched.clock.advance(durations.SCHEDULE_CHANGE)
        assert status(watched) == after
    delete(watched)
    assert status(watched) == "Pending"
    watched.clock.advance(durations.SCHEDULE_CHANGE)
    assert refusal(watched, "DescribeMonitoringSchedule") == (
        "ResourceNotFound",
        "Could not find monitoring schedule arn:aws:sagemaker:eu-west-1:123456789012:monitoring-schedule/schedule.",
    )


def test_an_hour_makes_a_processing_job_of_the_hour_before(watched: World) -> None:
    watched.backend.objects[f"s3://bucket/capture/{_FIRST_HOUR}/00-00-000-x.jsonl"] = b"{}"
    job = fire(watched)
    assert job.spec.kind == "processing"
    assert job.spec.entrypoint == ["python3", "-c", "pass"]
    [data] = job.spec.inputs
    assert data.s3_uri == f"s3://bucket/capture/{_FIRST_HOUR}"
    assert data.local_path == f"/opt/ml/processing/input/endpoint/{_FIRST_HOUR}"
    assert job.spec.outputs[0].s3_uri == "s3://bucket/reports/watched/schedule/2027/01/15/09"
    assert job.spec.environment["start_time"] == "2027-01-15T08:00:00Z"
    assert job.spec.environment["end_time"] == "2027-01-15T09:00:00Z"
    assert job.spec.max_runtime_seconds == 3600
    assert job.spec.name.startswith("model-monitoring-202701150900-")
    described = watched.call("DescribeProcessingJob", ProcessingJobName=job.spec.name)
    assert described["MonitoringScheduleArn"].endswith(":monitoring-schedule/schedule")
    [execution] = executions(watched, MonitoringScheduleName="schedule")
    assert execution["ScheduledTime"] == START - START % _HOUR + _HOUR
    assert execution["ProcessingJobArn"] == described["ProcessingJobArn"]
    assert execution["MonitoringExecutionStatus"] == "InProgress"
    assert watched.call("ListTags", ResourceArn=described["ProcessingJobArn"]) == {"Tags": []}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (JobOutcome("Completed", exit_message="Completed: no violations."), "Completed"),
        (JobOutcome("Completed", exit_message="CompletedWithViolations: 3 violations."), "CompletedWithViolations"),
        (JobOutcome("Failed", failure_reason="AlgorithmError: x"), "Failed"),
    ],
)
def test_what_becomes_of_an_execution(watched: World, outcome: JobOutcome, expected: str) -> None:
    fire(watched).on_done(outcome)
    last = watched.call("DescribeMonitoringSchedule", MonitoringScheduleName="schedule")[
        "LastMonitoringExecutionSummary"
    ]
    assert last["MonitoringExecutionStatus"] == expected
    assert last.get("FailureReason") == outcome.failure_reason


def test_a_running_execution_holds_its_schedule(watched: World) -> None:
    job = fire(watched)
    for operation in ("DeleteMonitoringSchedule", "UpdateMonitoringSchedule"):
        code, message = refusal(watched, operation)
        assert code == "ValidationException"
        assert message.startswith("Monitoring Job in InProgress state")
        assert "running executions" in message
    watched.call("StopMonitoringSchedule", MonitoringScheduleName="schedule")
    watched.clock.advance(durations.SCHEDULE_CHANGE)
    assert not job.stopped  # stopping the schedule does not stop what runs
    watched.call("StopProcessingJob", ProcessingJobName=job.spec.name)
    assert executions(watched)[0]["MonitoringExecutionStatus"] == "Stopped"
    delete(watched)
    watched.clock.advance(durations.SCHEDULE_CHANGE)
    # history outlives the schedule
    assert [e["MonitoringExecutionStatus"] for e in executions(watched)] == ["Stopped"]


def test_an_execution_that_waits_for_its_start_holds_it_too(watched: World) -> None:
    watched.clock.advance(_HOUR - watched.clock.now() % _HOUR)
    assert executions(watched)[0]["MonitoringExecutionStatus"] == "Pending"
    assert "Monitoring Job in Pending state" in refusal(watched, "DeleteMonitoringSchedule")[1]


def test_a_stopped_schedule_does_not_fire_and_a_leaked_one_does(watched: World) -> None:
    watched.call("DeleteEndpoint", EndpointName="watched")
    watched.wait_until(watched.backend.servers[0].stopped.is_set)
    watched.clock.advance(durations.ENDPOINT_DELETE)
    assert "Could not find endpoint" in watched.refusal("DescribeEndpoint", EndpointName="watched").message
    before = len(watched.meter.snapshot())
    for _ in range(3):
        fire(watched).on_done(JobOutcome("Failed", failure_reason="ClientError: no data", seconds_running=1))
    lines = watched.meter.snapshot()[before:]
    assert [line["kind"] for line in lines] == ["processing-instance"] * 3
    watched.call("StopMonitoringSchedule", MonitoringScheduleName="schedule")
    watched.clock.advance(24 * _HOUR)
    assert len(executions(watched)) == 3


def test_a_day_fires_an_hourly_schedule_24_times(watched: World) -> None:
    watched.clock.advance(24 * _HOUR)
    watched.wait_until(lambda: len(executions(watched, MaxResults=100)) == 24)
    hours = sorted(datetime.fromtimestamp(e["ScheduledTime"], UTC).hour for e in executions(watched, MaxResults=100))
    assert hours == list(range(24))


def test_now_runs_once(world: World) -> None:
    monitored.endpoint(world)
    world.call("CreateDataQualityJobDefinition", **monitored.definition())
    bare = world.refusal("CreateMonitoringSchedule", **monitored.schedule("NOW"))
    assert "required" in bare.message
    window = {"DataAnalysisStartTime": "-PT2H", "DataAnalysisEndTime": "-PT1H"}
    world.call("CreateMonitoringSchedule", **monitored.schedule("NOW", **window))
    world.clock.advance(durations.SCHEDULE_CHANGE)
    world.wait_until(lambda: executions(world)[0]["MonitoringExecutionStatus"] == "InProgress")
    world.clock.advance(48 * _HOUR)
    assert len(executions(world)) == 1


def test_a_schedule_locks_its_definition(watched: World) -> None:
    locked = watched.refusal("DeleteDataQualityJobDefinition", JobDefinitionName="definition")
    assert locked.code == "ValidationException"
    assert "is locked by monitoring schedule schedule" in locked.message
    watched.switches.set({"job-definition-lock": "in-use"})
    assert watched.refusal("DeleteDataQualityJobDefinition", JobDefinitionName="definition").code == "ResourceInUse"
    delete(watched)
    # also while the schedule is on its way out
    assert watched.refusal("DeleteDataQualityJobDefinition", JobDefinitionName="definition").code == "ResourceInUse"
    watched.clock.advance(durations.SCHEDULE_CHANGE)
    watched.call("DeleteDataQualityJobDefinition", JobDefinitionName="definition")
    gone = watched.refusal("DescribeDataQualityJobDefinition", JobDefinitionName="definition")
    assert gone.code == "ResourceNotFound"


def test_reads_may_lag_behind_a_delete(watched: World) -> None:
    watched.switches.set({"schedule-delete-read": "stale"})
    delete(watched)
    assert status(watched) == "Scheduled"
    watched.clock.advance(durations.SCHEDULE_STALE_READ)
    assert status(watched) == "Pending"
    watched.clock.advance(durations.SCHEDULE_CHANGE)
    assert refusal(watched, "DescribeMonitoringSchedule")[0] == "ResourceNotFound"


def test_jobs_may_carry_the_tags_of_their_schedule(world: World) -> None:
    monitored.endpoint(world)
    world.switches.set({"monitoring-job-tags": "schedule"})
    world.call("CreateDataQualityJobDefinition", **monitored.definition())
    world.call("CreateMonitoringSchedule", **monitored.schedule(), Tags=[{"Key": "team", "Value": "a"}])
    job = fire(world)
    assert world.call("ListTags", ResourceArn=job.spec.arn)["Tags"] == [{"Key": "team", "Value": "a"}]


def test_an_image_without_a_runner_fails_the_execution_with_the_reason(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(image: str) -> None:
        raise ServiceError("ValidationException", f"[localcloud] no runner for {image}")

    monkeypatch.setattr(watched.backend, "check_image", unknown)
    watched.clock.advance(_HOUR + durations.MONITORING_DELAY)
    watched.wait_until(lambda: executions(watched)[0]["MonitoringExecutionStatus"] == "Failed")
    assert executions(watched)[0]["FailureReason"].startswith("[localcloud] no runner for")
    assert "ProcessingJobArn" not in executions(watched)[0]


@pytest.fixture
def judged(world: World) -> World:
    """An hourly schedule of model quality, Scheduled, and something captured in the first hour."""
    monitored.endpoint(world)
    definition = monitored.definition("ModelQuality")
    definition["ModelQualityAppSpecification"] = {"ImageUri": IMAGE, "ProblemType": "Regression"}
    definition["ModelQualityJobInput"]["EndpointInput"]["InferenceAttribute"] = "0"
    definition["ModelQualityBaselineConfig"] = {"ConstraintsResource": {"S3Uri": "s3://bucket/base/constraints.json"}}
    world.call("CreateModelQualityJobDefinition", **definition)
    world.call("CreateMonitoringSchedule", **monitored.schedule(kind="ModelQuality"))
    world.clock.advance(durations.SCHEDULE_CHANGE)
    world.backend.objects[f"s3://bucket/capture/{_FIRST_HOUR}/00-00-000-x.jsonl"] = b"{}"
    return world


def next_job(world: World, before: int) -> Any:
    """The job that an execution starts when another is over."""
    world.wait_until(lambda: len(world.call("ListProcessingJobs")["ProcessingJobSummaries"]) == before + 1)
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == before + 1
    return world.backend.jobs[-1]


def test_model_quality_merges_and_then_judges(judged: World) -> None:
    judged.backend.objects["s3://bucket/truth/2027/01/15/08/labels.jsonl"] = b"{}"
    merge = fire(judged)
    assert merge.spec.image.endswith("/sagemaker-model-monitor-groundtruth-merger")
    assert merge.spec.entrypoint is None
    assert merge.spec.environment == {
        "dataset_source": "/opt/ml/processing/input/endpoint",
        "ground_truth_source": "/opt/ml/processing/groundtruth",
        "output_path": "/opt/ml/processing/output",
    }
    assert [(each.s3_uri, each.local_path) for each in merge.spec.inputs] == [
        ("s3://bucket/truth/2027/01/15/08", "/opt/ml/processing/groundtruth/2027/01/15/08"),
        (f"s3://bucket/capture/{_FIRST_HOUR}", f"/opt/ml/processing/input/endpoint/{_FIRST_HOUR}"),
    ]
    assert merge.spec.outputs[0].s3_uri == "s3://bucket/reports/merge"
    judged.backend.objects[f"s3://bucket/reports/merge/{_FIRST_HOUR}/part-00000-x.c000.jsonl"] = b"{}"
    merge.on_done(JobOutcome("Completed"))
    [execution] = executions(judged, MonitoringTypeEquals="ModelQuality")
    assert execution["MonitoringExecutionStatus"] == "InProgress"  # although its first job is over
    job = next_job(judged, 1)
    assert job.spec.name == merge.spec.name.replace("groundtruth-merge-", "model-quality-monitoring-")
    assert [(each.s3_uri, each.local_path) for each in job.spec.inputs] == [
        (f"s3://bucket/reports/merge/{_FIRST_HOUR}", f"/opt/ml/processing/input/endpoint/{_FIRST_HOUR}"),
        ("s3://bucket/base/constraints.json", "/opt/ml/processing/baseline/constraints"),
    ]
    # word for word that of a real job, whose request its owner published (facts containers 5.1)
    assert job.spec.environment == {
        "analysis_type": "MODEL_QUALITY",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
        "dataset_format": '{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}',
        "dataset_source": "/opt/ml/processing/input/endpoint",
        "end_time": "2027-01-15T09:00:00Z",
        "inference_attribute": "0",
        "metric_time": "2027-01-15T08:00:00Z",
        "output_path": "/opt/ml/processing/output",
        "problem_type": "Regression",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "watched",
        "sagemaker_monitoring_schedule_name": "schedule",
        "start_time": "2027-01-15T08:00:00Z",
    }
    assert job.spec.outputs[0].s3_uri == "s3://bucket/reports/watched/schedule/2027/01/15/09"
    job.on_done(JobOutcome("Completed", exit_message="CompletedWithViolations: 1"))
    [execution] = executions(judged)
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert execution["ProcessingJobArn"] == job.spec.arn
    assert executions(judged, MonitoringTypeEquals="DataQuality") == []


def test_labels_that_came_later_count(world: World) -> None:
    """A window that begins six hours before the run takes labels of all six hours."""
    monitored.endpoint(world)
    definition = monitored.definition("ModelQuality")
    definition["ModelQualityJobInput"]["EndpointInput"] |= {"StartTimeOffset": "-PT6H", "EndTimeOffset": "-PT5H"}
    world.call("CreateModelQualityJobDefinition", **definition)
    world.call("CreateMonitoringSchedule", **monitored.schedule(kind="ModelQuality"))
    world.clock.advance(durations.SCHEDULE_CHANGE)
    for hour in ("02", "03", "05", "08", "09"):
        world.backend.objects[f"s3://bucket/truth/2027/01/15/{hour}/labels.jsonl"] = b"{}"
    merge = fire(world)
    truths = [each.s3_uri for each in merge.spec.inputs if "/truth/" in each.s3_uri]
    assert truths == [f"s3://bucket/truth/2027/01/15/{hour}" for hour in ("03", "05", "08")]


def test_a_merge_that_does_not_complete_ends_the_execution(judged: World) -> None:
    fire(judged).on_done(JobOutcome("Failed", failure_reason="ClientError: No S3 objects found"))
    [execution] = executions(judged)
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "ClientError: No S3 objects found"
    second = fire(judged)
    judged.call("StopProcessingJob", ProcessingJobName=second.spec.name)
    assert executions(judged)[0]["MonitoringExecutionStatus"] == "Stopped"
    assert len(judged.backend.jobs) == 2  # nothing was analysed


def test_a_definition_needs_an_endpoint_that_captures(world: World) -> None:
    monitored.endpoint(world, capture=False)
    for name in ("watched", "nobody"):
        refused = world.refusal("CreateDataQualityJobDefinition", **monitored.definition(endpoint_name=name))
        assert (refused.code, refused.message) == (
            "ValidationException",
            f"Endpoint '{name}' does not exist or is not valid",
        )


def test_names_are_taken_once(watched: World) -> None:
    assert watched.refusal("CreateDataQualityJobDefinition", **monitored.definition()).code == "ResourceInUse"
    assert watched.refusal("CreateMonitoringSchedule", **monitored.schedule()).code == "ResourceInUse"


def test_lists_filter_by_endpoint_and_definition(watched: World) -> None:
    for members, count in (
        ({}, 1),
        ({"EndpointName": "watched"}, 1),
        ({"EndpointName": "other"}, 0),
        ({"MonitoringJobDefinitionName": "definition", "MonitoringTypeEquals": "DataQuality"}, 1),
        ({"MonitoringTypeEquals": "ModelQuality"}, 0),
        ({"StatusEquals": "Pending"}, 0),
    ):
        listed = watched.call("ListMonitoringSchedules", **members)["MonitoringScheduleSummaries"]
        assert len(listed) == count, members
    listed = watched.call("ListDataQualityJobDefinitions", EndpointName="watched")["JobDefinitionSummaries"]
    assert [definition["MonitoringJobDefinitionName"] for definition in listed] == ["definition"]


def test_what_is_wrong_with_a_schedule(world: World) -> None:
    monitored.endpoint(world)
    world.call(
        "CreateDataQualityJobDefinition", **monitored.definition(StoppingCondition={"MaxRuntimeInSeconds": 7200})
    )
    assert "at most 3600" in world.refusal("CreateMonitoringSchedule", **monitored.schedule()).message
    world.call("CreateMonitoringSchedule", **monitored.schedule("cron(0 0/2 ? * * *)"))
    missing = monitored.schedule()
    missing["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] = "other"
    assert "Could not find job definition" in world.refusal("CreateMonitoringSchedule", **missing).message
    bias = monitored.schedule(kind="ModelBias")
    assert world.refusal("CreateMonitoringSchedule", **bias).message == (
        "[localcloud] CreateMonitoringSchedule: MonitoringScheduleConfig.MonitoringType = 'ModelBias' is not "
        "supported yet"
    )
