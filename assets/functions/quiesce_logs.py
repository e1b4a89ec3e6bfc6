"""What endpoints and jobs of run time logged: SageMaker keeps it for ever, and no stack knows of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

from aws import code_of
from botocore.exceptions import ClientError

ENDPOINTS = "/aws/sagemaker/Endpoints/"
JOBS = {
    "training-job": "/aws/sagemaker/TrainingJobs",
    "processing-job": "/aws/sagemaker/ProcessingJobs",
    "transform-job": "/aws/sagemaker/TransformJobs",
}
"""By kind as in an ARN, the group in which all jobs of an account have their streams."""

MONITORS = ("groundtruth-merge-", "model-monitoring-", "model-quality-monitoring-")
"""What the names of monitoring schedules' jobs begin with: a time and a hash follow, the same for the two jobs of one
execution (facts on containers, 5.1). Nothing in such a name is ours, and the jobs have no tags."""


class EndpointLogs:
    """The groups of endpoints that one invocation saw go. Another one, after a hand-over, has their names no more:
    those that begin with the environment's prefix it finds all the same."""

    def __init__(self, logs: Any, prefix: str, late_seconds: float) -> None:
        """``prefix`` is what the environment's names begin with.

        ``late_seconds`` is how long after its end an endpoint may still send lines, which would bring a deleted group
        back.
        """
        self._logs = logs
        self._prefix = prefix
        self._late_seconds = late_seconds
        self._seen: dict[str, float] = {}

    def saw(self, endpoints: Collection[str]) -> None:
        """Remember endpoints that are still there."""
        self._seen |= dict.fromkeys(endpoints, time.monotonic())

    def delete(self, kept: Collection[str]) -> list[str]:
        """Delete the groups of endpoints that are gone; return which may come back. Raises ClientError.

        ``kept`` are endpoints that are another's business.
        """
        pages = self._logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"{ENDPOINTS}{self._prefix}"
        )
        found = {group["logGroupName"].removeprefix(ENDPOINTS) for page in pages for group in page["logGroups"]}
        for endpoint in sorted((found | set(self._seen)) - set(kept)):
            _unless_gone(self._logs.delete_log_group, logGroupName=f"{ENDPOINTS}{endpoint}")
        late = [name for name, moment in self._seen.items() if time.monotonic() - moment < self._late_seconds]
        return [f"last lines of {', '.join(sorted(late))}"] if late else []


def delete_job_logs(logs: Any, tagging: Any, prefixes: tuple[str, ...], environment: str) -> None:
    """Delete the streams of the environment's jobs, by name or by the tag that jobs keep. Raises ClientError."""
    names: dict[str, set[str]] = {kind: set(prefixes) for kind in JOBS}
    pages = tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "sandcastle:environment", "Values": [environment]}],
        ResourceTypeFilters=[f"sagemaker:{kind}" for kind in JOBS],
    )
    for arn in (item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]):
        kind, _, name = arn.rsplit(":", 1)[-1].partition("/")
        if not name.startswith(prefixes):
            names[kind].add(f"{name}/")
    for kind, group in JOBS.items():
        for beginning in sorted(names[kind]):
            for stream in _streams(logs, group, beginning):
                _unless_gone(logs.delete_log_stream, logGroupName=group, logStreamName=stream)


def delete_monitor_logs(logs: Any, jobs: Collection[str]) -> None:
    """Delete the streams of these jobs of monitoring schedules, and of what merged data for them. Raises ClientError.

    A schedule starts hundreds in a month: the streams are listed once, not asked for one by one.
    """
    ours = {job.removeprefix(kind) for job in jobs for kind in MONITORS if job.startswith(kind)}
    group = JOBS["processing-job"]
    for kind in MONITORS if ours else ():
        for stream in _streams(logs, group, kind):
            if stream.split("/", 1)[0].removeprefix(kind) in ours:
                _unless_gone(logs.delete_log_stream, logGroupName=group, logStreamName=stream)


def _streams(logs: Any, group: str, beginning: str) -> Iterator[str]:
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=beginning)
    try:
        yield from [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":  # no job of the account has ever logged
            raise


def _unless_gone(delete: Any, **names: str) -> None:
    try:
        delete(**names)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
