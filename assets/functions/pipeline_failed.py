"""Target of a rule of EventBridge: a run of a pipeline failed, so people are told which one, and why.

The event is ``SageMaker Model Building Pipeline Execution Status Change`` (SageMaker developer guide, "Events that
SageMaker AI sends to EventBridge"). It does not say why: the run's record does, and the steps' that failed.

Variables of the function: ``ENVIRONMENT``, ``WORKLOAD``, and ``TOPIC_ARN``, which is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from aws import client
from messages import tell


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Raises ClientError, whereupon EventBridge tries again."""
    del context
    arn = event["detail"]["pipelineExecutionArn"]
    environment, workload = os.environ["ENVIRONMENT"], os.environ["WORKLOAD"]
    subject = f"a run of {_pipeline(arn)} failed"
    tell(client("sns"), os.environ["TOPIC_ARN"], environment, subject, text(client("sagemaker"), arn, workload))


def text(sagemaker: Any, arn: str, workload: str) -> str:
    """Return what people are told of the run with this ARN. Raises ClientError."""
    run = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    reason = run.get("FailureReason")
    lines = [
        f"Workload {workload}: pipeline {_pipeline(arn)}, run {arn.rsplit('/', 1)[-1]}",
        *([f"Reason: {reason}"] if reason else []),
        *_failed_steps(sagemaker, arn),
        "",
        f"See it: sandcastle pipeline watch {workload}",
        f"Go on where it stopped: sandcastle pipeline run {workload} --retry",
    ]
    return "\n".join(lines)


def _failed_steps(sagemaker: Any, arn: str) -> Iterator[str]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
        if step["StepStatus"] == "Failed":
            yield f"Step {step['StepName']}: {step.get('FailureReason') or 'no reason given'}"


def _pipeline(arn: str) -> str:
    """Return the name in ``arn:...:pipeline/<name>/execution/<id>``."""
    return arn.split(":pipeline/", 1)[-1].split("/", 1)[0]
