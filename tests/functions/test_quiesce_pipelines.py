"""Pipelines and monitoring at rest: executions and schedules end before what they belong to goes."""

from __future__ import annotations

from typing import Any

from quiesce_pipelines import stop_pipelines
from quiesce_rules import disable_rules
from quiesce_schedules import delete_definitions, jobs_of, stop_schedules

from tests.functions.conftest import Scripted
from tests.functions.quiescing import WHEN, P, arn, ours


def pipelines(sagemaker: Scripted, *names: str) -> None:
    listed = [{"PipelineName": f"{P}{name}", "PipelineArn": arn("pipeline", f"{P}{name}")} for name in names]
    sagemaker.reply("list_pipelines", {}, {"PipelineSummaries": listed})


def executions(sagemaker: Scripted, name: str, *statuses: str) -> None:
    summaries = [
        {"PipelineExecutionArn": arn("pipeline", f"{P}{name}/execution/{index:012}"), "PipelineExecutionStatus": status}
        for index, status in enumerate(statuses)
    ]
    request = {"PipelineName": f"{P}{name}"}
    sagemaker.reply("list_pipeline_executions", request, {"PipelineExecutionSummaries": summaries})


def test_executions_are_stopped_before_a_pipeline_is_deleted_and_stacks_keep_theirs(sagemaker: Scripted) -> None:
    pipelines(sagemaker, "busy", "idle", "stack")
    executions(sagemaker, "busy", "Executing", "Stopping", "Succeeded")
    sagemaker.stub.add_response("stop_pipeline_execution", {})
    waiting = {"Callback": {"CallbackToken": "0123456789", "SqsQueueUrl": "queue"}}
    over = {"Callback": {"CallbackToken": "9876543210", "SqsQueueUrl": "queue"}}
    steps = [
        {"StepName": "Job", "StepStatus": "Stopping", "Metadata": {"TrainingJob": {"Arn": arn("training-job", "x")}}},
        {"StepName": "Asked", "StepStatus": "Executing", "Metadata": waiting},
        {"StepName": "Answered", "StepStatus": "Succeeded", "Metadata": over},
    ]
    stopping = {"PipelineExecutionArn": arn("pipeline", f"{P}busy/execution/000000000001")}
    sagemaker.reply("list_pipeline_execution_steps", stopping, {"PipelineExecutionSteps": steps})
    sagemaker.reply(
        "send_pipeline_execution_step_failure",
        {"CallbackToken": "0123456789", "FailureReason": "The environment is being destroyed."},
        {"PipelineExecutionArn": stopping["PipelineExecutionArn"]},
    )
    executions(sagemaker, "idle", "Failed")
    sagemaker.stub.add_response("delete_pipeline", {"PipelineArn": arn("pipeline", "x")})
    executions(sagemaker, "stack")
    left = stop_pipelines(ours(sagemaker, f"{P}stack"))
    assert left == [
        f"2 pipeline executions ({P}busy/000000000000, {P}busy/000000000001)",
        f"1 pipeline ({P}idle)",
    ]


def schedules(sagemaker: Scripted, **statuses: str) -> None:
    listed = [
        {
            "MonitoringScheduleName": f"{P}{name}",
            "MonitoringScheduleArn": arn("monitoring-schedule", name),
            "MonitoringScheduleStatus": status,
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "EndpointName": f"{P}{name}-e",
        }
        for name, status in statuses.items()
    ]
    sagemaker.reply("list_monitoring_schedules", {}, {"MonitoringScheduleSummaries": listed})


def runs(sagemaker: Scripted, name: str, *statuses: str) -> None:
    summaries = [
        {
            "MonitoringScheduleName": f"{P}{name}",
            "ScheduledTime": WHEN,
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "MonitoringExecutionStatus": status,
            "ProcessingJobArn": arn("processing-job", f"model-monitoring-{index}"),
        }
        for index, status in enumerate(statuses)
    ]
    request = {"MonitoringScheduleName": f"{P}{name}"}
    sagemaker.reply("list_monitoring_executions", request, {"MonitoringExecutionSummaries": summaries})


def test_schedules_are_stopped_then_their_jobs_then_they_are_deleted(sagemaker: Scripted) -> None:
    schedules(sagemaker, pending="Pending", on="Scheduled", running="Stopped", done="Stopped", broken="Failed")
    sagemaker.reply("stop_monitoring_schedule", {"MonitoringScheduleName": f"{P}on"})
    runs(sagemaker, "running", "Completed", "InProgress", "Stopping")
    sagemaker.reply("stop_processing_job", {"ProcessingJobName": "model-monitoring-1"})
    runs(sagemaker, "done", "CompletedWithViolations")
    sagemaker.reply("delete_monitoring_schedule", {"MonitoringScheduleName": f"{P}done"})
    runs(sagemaker, "broken")
    sagemaker.reply("delete_monitoring_schedule", {"MonitoringScheduleName": f"{P}broken"})
    (left,), watched = stop_schedules(ours(sagemaker))
    assert watched == {f"{P}{name}": f"{P}{name}-e" for name in ("pending", "on", "running", "done", "broken")}
    assert left == f"5 monitoring schedules ({P}broken, {P}done, {P}on, ...): 2 of its jobs run"


def test_jobs_of_schedules_are_found_when_the_schedules_are_gone(sagemaker: Scripted) -> None:
    def run(schedule: str, job: str = "") -> dict[str, Any]:
        times = dict.fromkeys(("ScheduledTime", "CreationTime", "LastModifiedTime"), WHEN)
        made = {"ProcessingJobArn": arn("processing-job", job)} if job else {}
        return {"MonitoringScheduleName": schedule, "MonitoringExecutionStatus": "Completed", **times, **made}

    found = [run(f"{P}x", "of-the-name"), run("any", "of-one-seen"), run("sandcastle-ab--x", "another's"), run(f"{P}x")]
    sagemaker.reply("list_monitoring_executions", {"MaxResults": 100}, {"MonitoringExecutionSummaries": found})
    assert jobs_of(ours(sagemaker), {"any"}) == {"of-the-name", "of-one-seen"}


def test_definitions_of_run_time_are_deleted_and_those_of_stacks_are_kept(sagemaker: Scripted) -> None:
    for kind in ("data_quality", "model_quality", "model_bias", "model_explainability"):
        names = [f"{P}made", f"{P}stack"] if kind == "data_quality" else []
        listed = [
            {
                "MonitoringJobDefinitionName": name,
                "MonitoringJobDefinitionArn": arn("data-quality-job-definition", name),
                "CreationTime": WHEN,
                "EndpointName": "e",
            }
            for name in names
        ]
        sagemaker.reply(f"list_{kind}_job_definitions", {}, {"JobDefinitionSummaries": listed})
        if names:
            sagemaker.reply("delete_data_quality_job_definition", {"JobDefinitionName": f"{P}made"})
    held = arn("data-quality-job-definition", f"{P}stack")
    assert delete_definitions(ours(sagemaker, held)) == [f"1 job definition ({P}made)"]


def test_rules_of_the_stacks_start_nothing_any_more(sagemaker: Scripted, events: Scripted) -> None:
    mine = ours(sagemaker)
    held = {"rule-b": "AWS::Events::Rule", "function": "AWS::Lambda::Function", "rule-a": "AWS::Events::Rule"}
    events.refuse("disable_rule", "ResourceNotFoundException", request={"Name": "rule-a"})
    events.reply("disable_rule", {"Name": "rule-b"})
    disable_rules(mine, events.client, held)
    assert mine.refused is None
    events.refuse("disable_rule", "AccessDeniedException", request={"Name": "rule-a"})
    disable_rules(mine, events.client, {"rule-a": "AWS::Events::Rule"})
    assert mine.refused is not None
