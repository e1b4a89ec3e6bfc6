"""Target of a rule of EventBridge: a monitor's job has ended and found something, so people are told what.

The event is ``SageMaker Processing Job State Change``, whose detail is the job (SageMaker developer guide, "Events that
SageMaker AI sends to EventBridge"). Both engines end a run that found violations with the same exit message, and leave
them in ``constraint_violations.json``. The topic hears each: the feature or metric, and the distance or value.

Variables of the function: ``ENVIRONMENT``, ``WORKLOAD``, and ``TOPIC_ARN``, which is told.
"""

from __future__ import annotations

import json
import os
from typing import Any

from aws import client
from messages import tell

_FOUND = "CompletedWithViolations"
_MOST = 50
"""Violations in one message."""


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return what the topic was told, nothing where nothing was found. Raises ClientError."""
    del context
    job = event["detail"]
    if not job.get("ExitMessage", "").startswith(_FOUND):
        return ""
    folder = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
    bucket, _, key = folder.removeprefix("s3://").partition("/")
    body = client("s3").get_object(Bucket=bucket, Key=f"{key}/constraint_violations.json")["Body"].read()
    schedule = job["Environment"]["sagemaker_monitoring_schedule_name"]
    said = text(os.environ["WORKLOAD"], schedule, folder, json.loads(body)["violations"])
    subject = f"a monitor of {os.environ['WORKLOAD']} found something"
    tell(client("sns"), os.environ["TOPIC_ARN"], os.environ["ENVIRONMENT"], subject, said)
    return said


def text(workload: str, schedule: str, folder: str, violations: list[dict[str, Any]]) -> str:
    """Return what people are told: a line for each violation."""
    lines = [f"{_what(one)}: {one['constraint_check_type']}: {one['description']}" for one in violations]
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join([f"Workload {workload}: {schedule} found", *lines[:_MOST], *more, "", f"Report: {folder}/"])


def _what(violation: dict[str, Any]) -> str:
    return str(violation.get("feature_name") or violation.get("metric_name") or "the data")
