"""Custom::SandcastleJobLogs: what jobs and an endpoint logged, which CloudFormation does not know.

Creating and updating do nothing. Deleting removes the endpoint's log group, and from the groups that all of an
account's jobs share only the streams of this stack's jobs. It runs when endpoint and jobs are gone, because they
depend on it. Safe to repeat at any point.
"""

from __future__ import annotations

from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from cfn import answer

SHARED_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. The physical id is the endpoint's log group."""
    properties = event["ResourceProperties"]
    endpoint_group = properties["EndpointLogGroup"]

    def work() -> None:
        if event["RequestType"] == "Delete":
            delete_logs(client("logs"), properties["JobPrefix"], properties["StackPart"], endpoint_group)

    answer(event, context, endpoint_group, work)


def delete_logs(logs: Any, job_prefix: str, stack_part: str, endpoint_group: str) -> None:
    """Delete the endpoint's group and the jobs' streams."""
    try:
        logs.delete_log_group(logGroupName=endpoint_group)
    except ClientError as error:
        _unless_gone(error)
    for group in SHARED_GROUPS:
        for stream in streams(logs, group, job_prefix, stack_part):
            try:
                logs.delete_log_stream(logGroupName=group, logStreamName=stream)
            except ClientError as error:
                _unless_gone(error)


def streams(logs: Any, group: str, job_prefix: str, stack_part: str) -> list[str]:
    """Return the streams of the stack's jobs: ``<prefix>-<fingerprint>-<stack part>[-<attempt>]/...``.

    The stack part tells them from those of a workload or stack whose name merely begins alike.
    """
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=f"{job_prefix}-"
    )
    try:
        names = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except ClientError as error:
        _unless_gone(error)
        return []
    return [name for name in names if f"-{stack_part}" in name.partition("/")[0]]


def _unless_gone(error: ClientError) -> None:
    if code_of(error) != "ResourceNotFoundException":
        raise error
