"""Log streams in groups that the whole account shares."""

from __future__ import annotations

from typing import Any

from aws import code_of
from botocore.exceptions import ClientError


def delete_streams(logs: Any, group: str, prefix: str) -> None:
    """Delete the streams whose names begin with the prefix; the group stays. Raises ClientError."""
    try:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=prefix)
        for stream in [stream["logStreamName"] for page in pages for stream in page["logStreams"]]:
            logs.delete_log_stream(logGroupName=group, logStreamName=stream)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":  # nothing was ever logged, or somebody else was quicker
            raise
