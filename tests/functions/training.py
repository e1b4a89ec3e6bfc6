"""A training job as a resource: the event's properties, and what AWS answers about the job and its stack."""

from __future__ import annotations

import json
import time
from typing import Any

import jobs
from deployment import Deployment

from tests.functions.conftest import Scripted

FINGERPRINT = "0123456789abcdef"
NAME = "sandcastle-local--bank--01234567-5f0c2a10"
REQUEST = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://models/bank"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
    "RoleArn": "arn:aws:iam::000000000000:role/training-role",
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROPERTIES = {
    "Kind": "training",
    "JobPrefix": "sandcastle-local--bank-",
    "StackPart": "5f0c2a10",
    "Fingerprint": FINGERPRINT,
    "Result": "s3://models/bank/0123456789abcdef",
    "Request": json.dumps(REQUEST),
}
ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/x"
ARTIFACT = f"s3://models/bank/{FINGERPRINT}/{NAME}/output/model.tar.gz"
CREATED = {"TrainingJobArn": ARN}
STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1"
NOT_FOUND = ("ValidationException", "Requested resource not found.")


def expect_stack(stacks: Scripted, *statuses: str) -> None:
    for status in statuses:
        stack = {"StackName": "s", "CreationTime": 0, "StackStatus": status}
        stacks.reply("describe_stacks", {"StackName": STACK}, {"Stacks": [stack]})


def deployment(stacks: Scripted, first: str, then: str | None = None, request: str = "Create") -> Deployment:
    """A deployment whose stack was in the first state, and is in the other when it is looked at again."""
    expect_stack(stacks, *(status for status in (first, then) if status))
    return Deployment(stacks.client, STACK, request)


def described(status: str, name: str = NAME, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": ARN,
        "ModelArtifacts": {"S3ModelArtifacts": ARTIFACT},
        "TrainingJobStatus": status,
        "SecondaryStatus": more.pop("SecondaryStatus", status if status != "InProgress" else "Training"),
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": REQUEST["ResourceConfig"],
        "StoppingCondition": {},
        "CreationTime": 0,
        **more,
    }


def event(request: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": request,
        "StackId": STACK,
        "ResourceProperties": PROPERTIES,
        "Data": {"JobName": NAME, "Since": int(time.time())},
        **more,
    }


def started(event: dict[str, Any]) -> str:
    """What on_event says to the event: the job's name."""
    return str(jobs.on_event(event, None)["Data"]["JobName"])


def listed(*names: str) -> dict[str, Any]:
    summary = {"TrainingJobArn": ARN, "CreationTime": 0, "TrainingJobStatus": "InProgress"}
    return {"TrainingJobSummaries": [{"TrainingJobName": name, **summary} for name in names]}


def expect_busy(sagemaker: Scripted, in_progress: list[str], stopping: list[str] | None = None) -> None:
    for status, names in (("InProgress", in_progress), ("Stopping", stopping or [])):
        request = {"NameContains": "sandcastle-local--bank-", "StatusEquals": status}
        sagemaker.reply("list_training_jobs", request, listed(*names))
