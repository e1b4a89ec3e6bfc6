"""Stops what runs: jobs, executions, schedules, endpoints, notebooks. Until it has ended it writes and is billed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.sweep.turns import gone, insist, is_gone
from operations.target import Target

JOB_MINUTES = 20
"""A job that is told to stop has two minutes to write what it has, and its instances minutes to go."""

ENDPOINT_MINUTES = 90
"""An endpoint whose container crashes is in Creating for half an hour, reported up to more than one (facts, 1.10)."""


def job(words: str, stem: str) -> Callable[[Target, Finding], None]:
    """Return what stops a job (``training``, ``TrainingJob``) and waits until it has ended."""

    def remove(target: Target, finding: Finding) -> None:
        client = target.client("sagemaker")
        which = {f"{stem}Name": finding.name}

        def turn() -> str:
            status: str = getattr(client, f"describe_{words}_job")(**which)[f"{stem}Status"]
            if status == "InProgress":
                _unless_it_ended(lambda: getattr(client, f"stop_{words}_job")(**which))
            return status if status in ("InProgress", "Stopping") else ""

        insist(target, turn, JOB_MINUTES)

    return remove


def training(target: Target, finding: Finding) -> None:
    """Stop a training job; one that is stopped may keep its instances, too (facts on teardown, 1.11)."""
    job("training", "TrainingJob")(target, finding)
    warm_pool(target, finding)


def warm_pool(target: Target, finding: Finding) -> None:
    """Give back the instances that a finished training job keeps."""
    client = target.client("sagemaker")

    def turn() -> str:
        pool = client.describe_training_job(TrainingJobName=finding.name).get("WarmPoolStatus", {})
        if pool.get("Status") == "Available":
            client.update_training_job(TrainingJobName=finding.name, ResourceConfig={"KeepAlivePeriodInSeconds": 0})
        return f"its warm pool is {pool['Status']}" if pool.get("Status") in ("Available", "InUse") else ""

    insist(target, turn, JOB_MINUTES)


def execution(target: Target, finding: Finding) -> None:
    """Stop a pipeline's execution; it waits for its own Lambda and callback steps (facts, 1.15).

    Callback steps are answered: whoever was to do that may be gone.
    """
    client = target.client("sagemaker")
    arn = finding.removal.parameters["PipelineExecutionArn"]

    def turn() -> str:
        status: str = client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status == "Executing":
            _unless_it_ended(lambda: client.stop_pipeline_execution(PipelineExecutionArn=arn))
        elif status == "Stopping":
            _answer_callbacks(client, arn)
        return status if status in ("Executing", "Stopping") else ""

    insist(target, turn, JOB_MINUTES)


def _answer_callbacks(client: Any, execution: str) -> None:
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
    for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
        token = step.get("Metadata", {}).get("Callback", {}).get("CallbackToken")
        if token and step["StepStatus"] in ("Executing", "Stopping"):
            answer = {"CallbackToken": token, "FailureReason": "The environment is being destroyed."}
            _unless_it_ended(partial(client.send_pipeline_execution_step_failure, **answer))


def schedule(target: Target, finding: Finding) -> None:
    """Delete a monitoring schedule: not while it is Pending, and not while one of its jobs runs (facts, 1.18)."""
    client = target.client("sagemaker")
    which = {"MonitoringScheduleName": finding.name}

    def turn() -> str:
        status: str = client.describe_monitoring_schedule(**which)["MonitoringScheduleStatus"]
        if status == "Pending":
            return "it is Pending"
        if status == "Scheduled":
            client.stop_monitoring_schedule(**which)
            return "it is being stopped"
        pages = client.get_paginator("list_monitoring_executions").paginate(**which)
        runs = [run for page in pages for run in page["MonitoringExecutionSummaries"]]
        running = [run for run in runs if run["MonitoringExecutionStatus"] in ("Pending", "InProgress", "Stopping")]
        for run in running:
            name = run.get("ProcessingJobArn", "").rsplit("/", 1)[-1]
            if name and run["MonitoringExecutionStatus"] == "InProgress":
                _unless_it_ended(partial(client.stop_processing_job, ProcessingJobName=name))
        if running:
            return f"{len(running)} of its jobs run"
        client.delete_monitoring_schedule(**which)
        return "it is being deleted"

    insist(target, turn, JOB_MINUTES)


def until_gone(describe: str, status: str, minutes: float) -> Callable[[Target, Finding], None]:
    """Return what deletes a thing of SageMaker and waits until it is not found any more.

    ``describe`` takes the same parameters as the removal; refusals because something is in progress are waited out.
    """

    def remove(target: Target, finding: Finding) -> None:
        client, which = target.client("sagemaker"), dict(finding.removal.parameters)
        which.pop("RetentionPolicy", None)

        def turn() -> str:
            now: str = getattr(client, describe)(**which)[status]
            if now == "Deleting":
                return now
            finding.removal.make(target)
            return f"{now}, then deleted"

        insist(target, turn, minutes)

    return remove


def notebook(target: Target, finding: Finding) -> None:
    """Stop a notebook instance and delete it; in any other state than InService, Stopped or Failed one can but wait."""
    client = target.client("sagemaker")
    which = {"NotebookInstanceName": finding.name}

    def turn() -> str:
        status: str = client.describe_notebook_instance(**which)["NotebookInstanceStatus"]
        if status == "InService":
            client.stop_notebook_instance(**which)
        elif status in ("Stopped", "Failed"):
            client.delete_notebook_instance(**which)
        return f"it is {status}"

    insist(target, turn, 60)


def package_group(target: Target, finding: Finding) -> None:
    """Delete a model package group, after its policy; its packages have gone before."""
    client = target.client("sagemaker")
    which = {"ModelPackageGroupName": finding.name}
    gone(lambda: str(client.delete_model_package_group_policy(**which) and ""))
    until_gone("describe_model_package_group", "ModelPackageGroupStatus", 10)(target, finding)


def _unless_it_ended(stop: Callable[[], Any]) -> None:
    """Stop something; that it has ended, or is stopping, in the meantime is no failure."""
    try:
        stop()
    except ClientError as error:
        if not is_gone(error) and "status" not in str(error).lower():
            raise
