"""Custom::SandcastleJobLogs: what jobs and an endpoint logged, which CloudFormation does not know.

Creating and updating do nothing. Deleting removes the endpoint's log group, and from the groups that all of an
account's jobs share only the streams of this stack's jobs. It runs when endpoint and jobs are gone, because they
depend on it. Safe to repeat at any point.

A pipeline names its jobs itself, without the stack's part: ``StackPart`` is empty then, and all streams count that
begin as the workload's. ``Groups`` are the shared groups, if they are others than SHARED_GROUPS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from cfn import answer
from tuning_jobs import STACK_DIGITS as TUNING_DIGITS

SHARED_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. The physical id is the endpoint's log group."""
    properties = event["ResourceProperties"]
    endpoint_group = properties["EndpointLogGroup"]

    def work() -> None:
        if event["RequestType"] == "Delete":
            logs = client("logs")
            delete_group(logs, endpoint_group)
            part, groups = properties["StackPart"], properties.get("Groups", SHARED_GROUPS)
            delete_streams(logs, groups, f"{properties['JobPrefix']}-", f"-{part}" if part else "")
            # the training jobs of tuning jobs, in whose names there is room for less of the stack's text
            tuned = f"-{part[:TUNING_DIGITS]}-" if part else ""
            delete_streams(logs, groups, f"{properties['TuningPrefix']}-", tuned)

    answer(event, context, endpoint_group, work)


def delete_group(logs: Any, group: str) -> None:
    """Delete the endpoint's group."""
    try:
        logs.delete_log_group(logGroupName=group)
    except ClientError as error:
        _unless_gone(error)


def delete_streams(logs: Any, groups: Iterable[str], prefix: str, part: str) -> None:
    """Delete the streams of the stack's jobs, which begin with the prefix and have the stack's part in the job's name.

    A stream is named ``<job>/...``. The part tells the jobs from those of a workload or stack whose name merely begins
    alike.
    """
    for group in groups:
        for stream in _streams(logs, group, prefix):
            if part in stream.partition("/")[0]:
                try:
                    logs.delete_log_stream(logGroupName=group, logStreamName=stream)
                except ClientError as error:
                    _unless_gone(error)


def _streams(logs: Any, group: str, prefix: str) -> list[str]:
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=prefix)
    try:
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except ClientError as error:
        _unless_gone(error)
        return []


def _unless_gone(error: ClientError) -> None:
    if code_of(error) != "ResourceNotFoundException":
        raise error
