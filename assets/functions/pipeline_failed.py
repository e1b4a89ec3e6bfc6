"""Target of a rule of EventBridge: a run of a pipeline failed, so people are told which one, and why.

The event is ``SageMaker Model Building Pipeline Execution Status Change`` (SageMaker developer guide, "Events that
SageMaker AI sends to EventBridge"). It does not say why: the run's record does, and the steps' that failed.

Variables of the function: ``ENVIRONMENT``, ``WORKLOAD``, and ``TOPIC_ARN``, which is told.
"""

from __future__ import annotations

import os
from typing import Any

from aws import client
from messages import tell


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Raises ClientError, whereupon EventBridge tries again."""
    del context
    arn = event["detail"]["pipelineExecutionArn"]
    environment, workload = os.environ["ENVIRONMENT"], os.environ["WORKLOAD"]
    subject = f"a run of {_pipeline(arn)} failed"
    said = text(client("sagemaker"), arn, workload, environment)
    tell(client("sns"), os.environ["TOPIC_ARN"], environment, subject, said)


def text(sagemaker: Any, arn: str, workload: str, environment: str) -> str:
    """Return what people are told of the run with this ARN. Raises ClientError.

    A run that decided to fail (a step of type Fail) did what it was made for: nothing can go on from there.
    """
    run = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    steps, reason, number = _failed_steps(sagemaker, arn), run.get("FailureReason"), arn.rsplit("/", 1)[-1]
    retry = f"Go on where it stopped: sandcastle pipeline run {workload} --retry --execution {number}"
    decided = any("Fail" in step.get("Metadata", {}) for step in steps)
    lines = [
        f"Workload {workload}: pipeline {_pipeline(arn)}, run {number}",
        *([f"Reason: {reason}"] if reason else []),
        *(f"Step {step['StepName']}: {step.get('FailureReason') or 'no reason given'}" for step in steps),
        "",
        f"See it: sandcastle pipeline watch {workload} --environment {environment}",
        *([] if decided else [f"{retry} --environment {environment}"]),
    ]
    return "\n".join(lines)


def _failed_steps(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    return [step for page in pages for step in page["PipelineExecutionSteps"] if step["StepStatus"] == "Failed"]


def _pipeline(arn: str) -> str:
    """Return the name in ``arn:...:pipeline/<name>/execution/<id>``."""
    return arn.split(":pipeline/", 1)[-1].split("/", 1)[0]
