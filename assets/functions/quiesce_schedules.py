"""Monitoring schedules and what they run: each firing is a billed job, with or without the endpoint that it watches.

A schedule is deleted only when it is not Pending and none of its jobs runs, and CloudFormation waits for neither
(facts on teardown, 1.18). So the schedules of stacks are deleted here too: CloudFormation then finds them gone.
Definitions are locked while a schedule refers to them.
"""

from __future__ import annotations

from collections.abc import Collection

from ours import Ours, counted

_RUNNING = {"Pending", "InProgress", "Stopping"}
_PAGE = 100
"""Executions of a page: SageMaker gives ten unless it is asked for more."""


def stop_schedules(ours: Ours) -> tuple[list[str], dict[str, str]]:
    """Take one step; return what is left in words, and which endpoint each schedule that is left watches.

    Raises ClientError.
    """
    watches, refusal = {}, ""
    for schedule in ours.listed(
        "list_monitoring_schedules",
        "MonitoringScheduleSummaries",
        "MonitoringScheduleName",
        "MonitoringScheduleArn",
    ):
        name = schedule["MonitoringScheduleName"]
        watches[name] = schedule.get("EndpointName", "")
        refusal = step(ours, name, schedule["MonitoringScheduleStatus"]) or refusal
    return [text for text in [counted("monitoring schedule", list(watches), refusal)] if text], watches


def jobs_of(ours: Ours, schedules: Collection[str]) -> set[str]:
    """Return the names of the jobs that schedules started, ended ones too. Raises ClientError.

    Of the schedules of these names, and of all whose name is the environment's: what they executed stays listed when
    they are deleted (API reference, DeleteMonitoringSchedule), and leads back to them by nothing but their name.
    """
    pages = ours.sagemaker.get_paginator("list_monitoring_executions").paginate(MaxResults=_PAGE)
    return {
        run["ProcessingJobArn"].rsplit("/", 1)[-1]
        for page in pages
        for run in page["MonitoringExecutionSummaries"]
        if "ProcessingJobArn" in run
        and (run["MonitoringScheduleName"] in schedules or run["MonitoringScheduleName"].startswith(ours.prefix))
    }


def step(ours: Ours, name: str, status: str) -> str:
    """Bring one schedule nearer to its end; return why that was refused, if it was. Raises ClientError."""
    sagemaker = ours.sagemaker
    if status == "Pending":
        return "is Pending"
    if status == "Scheduled":
        return ours.ask(sagemaker.stop_monitoring_schedule, MonitoringScheduleName=name)
    running = end_runs(ours, name)
    if not running:
        return ours.ask(sagemaker.delete_monitoring_schedule, MonitoringScheduleName=name)
    return f"{running} of its jobs run"


def end_runs(ours: Ours, schedule: str) -> int:
    """Ask the schedule's jobs to stop; return how many of them still run. Raises ClientError."""
    sagemaker = ours.sagemaker
    pages = sagemaker.get_paginator("list_monitoring_executions").paginate(MonitoringScheduleName=schedule)
    runs = [run for page in pages for run in page["MonitoringExecutionSummaries"]]
    running = [run for run in runs if run["MonitoringExecutionStatus"] in _RUNNING]
    for run in running:
        job = run.get("ProcessingJobArn", "").rsplit("/", 1)[-1]
        if job and run["MonitoringExecutionStatus"] != "Stopping":
            ours.ask(sagemaker.stop_processing_job, ProcessingJobName=job)
    return len(running)


def delete_definitions(ours: Ours) -> list[str]:
    """Delete what schedules referred to, made at run time; return what is left in words. Raises ClientError."""
    sagemaker = ours.sagemaker
    kinds = (
        ("list_data_quality_job_definitions", sagemaker.delete_data_quality_job_definition),
        ("list_model_quality_job_definitions", sagemaker.delete_model_quality_job_definition),
        ("list_model_bias_job_definitions", sagemaker.delete_model_bias_job_definition),
        ("list_model_explainability_job_definitions", sagemaker.delete_model_explainability_job_definition),
    )
    names, refusal = [], ""
    for listing, delete in kinds:
        name, arn = "MonitoringJobDefinitionName", "MonitoringJobDefinitionArn"
        for definition in ours.listed(listing, "JobDefinitionSummaries", name, arn):
            if not ours.from_a_stack(definition[arn]):
                refusal = ours.ask(delete, JobDefinitionName=definition[name]) or refusal
                names.append(definition[name])
    return [text for text in [counted("job definition", names, refusal)] if text]
