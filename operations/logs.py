"""``sandcastle logs JOB``: what a training, processing or transform job, or an endpoint, wrote."""

from __future__ import annotations

from typing import Any

from operations.console import Console
from operations.errors import OperationError
from operations.target import Target

_JOB_GROUPS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing", "Transform"))
_ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"


def logs(target: Target, name: str, console: Console) -> dict[str, Any]:
    """Print all log lines of the job or endpoint, oldest first, each stream under its name.

    Raises OperationError when nothing of that name ever wrote a log.
    """
    client = target.client("logs")
    sources = [(group, f"{name}/") for group in _JOB_GROUPS] + [(_ENDPOINT_GROUP + name, None)]
    found = []
    for group, prefix in sources:
        for stream in _streams(client, group, prefix):
            lines = [event["message"] for event in _events(client, group, stream)]
            found.append({"group": group, "stream": stream, "lines": lines})
            console.say(f"== {group} {stream}")
            for line in lines:
                console.say(line.rstrip("\n"))
    if not found:
        raise OperationError(
            f"No log of {name} in {', '.join(_JOB_GROUPS)} or {_ENDPOINT_GROUP}{name}. "
            "`sandcastle status` lists jobs and endpoints."
        )
    return {"name": name, "streams": found}


def _streams(client: Any, group: str, prefix: str | None) -> list[str]:
    from botocore.exceptions import ClientError

    arguments = {"logGroupName": group} | ({"logStreamNamePrefix": prefix} if prefix else {})
    try:
        pages = client.get_paginator("describe_log_streams").paginate(**arguments)
        return sorted(stream["logStreamName"] for page in pages for stream in page["logStreams"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise


def _events(client: Any, group: str, stream: str) -> list[Any]:
    """Read a stream from its head; GetLogEvents repeats its token when there is no more."""
    events: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        events += page["events"]
        if token.get("nextToken") == page["nextForwardToken"]:
            return events
        token = {"nextToken": page["nextForwardToken"]}
