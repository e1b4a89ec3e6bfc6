"""What a night must remember of an endpoint that no stack knows: its configuration, and what watched it.

A pipeline deploys at run time: no template says which configuration its endpoint had. So the configuration is marked
by a tag, and so is each monitoring schedule that the night stops: one that a person stopped stays stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MARK = "sandcastle:asleep"
"""The tag; its value is since when, in ISO 8601 and UTC."""


@dataclass(frozen=True)
class Schedule:
    """A monitoring schedule."""

    name: str
    arn: str


def stop_deployed(sagemaker: Any, endpoint: str) -> None:
    """Mark the configuration that a pipeline's endpoint has, and delete the endpoint. Raises ClientError."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    account = found["EndpointArn"].partition(":endpoint/")[0]
    _mark(sagemaker, f"{account}:endpoint-config/{found['EndpointConfigName']}")
    sagemaker.delete_endpoint(EndpointName=endpoint)


def remembered(sagemaker: Any, endpoint: str) -> str:
    """Return the configuration that the endpoint had when it was last stopped, nothing if it never was.

    Raises ClientError.
    """
    marked = []
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=endpoint)
    for config in (config for page in pages for config in page["EndpointConfigs"]):
        if since := _marked(sagemaker, config["EndpointConfigArn"]):
            marked.append((since, config["EndpointConfigName"]))
    return max(marked)[1] if marked else ""


def watching(sagemaker: Any, endpoint: str) -> list[Schedule]:
    """Return the monitoring schedules that watch the endpoint. Raises ClientError."""
    return list(_schedules(sagemaker, endpoint, "Scheduled"))


def stop_schedule(sagemaker: Any, schedule: Schedule) -> None:
    """Stop it, marked. Raises ClientError."""
    _mark(sagemaker, schedule.arn)
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName=schedule.name)


def stopped_by_us(sagemaker: Any, endpoint: str) -> list[Schedule]:
    """Return those that watched the endpoint and that a night stopped. Raises ClientError."""
    return [one for one in _schedules(sagemaker, endpoint, "Stopped") if _marked(sagemaker, one.arn)]


def start_schedule(sagemaker: Any, schedule: Schedule) -> None:
    """Start it again, and forget that it was stopped. Raises ClientError."""
    sagemaker.start_monitoring_schedule(MonitoringScheduleName=schedule.name)
    sagemaker.delete_tags(ResourceArn=schedule.arn, TagKeys=[MARK])


def _schedules(sagemaker: Any, endpoint: str, status: str) -> Iterator[Schedule]:
    pages = sagemaker.get_paginator("list_monitoring_schedules").paginate(EndpointName=endpoint, StatusEquals=status)
    for one in (one for page in pages for one in page["MonitoringScheduleSummaries"]):
        yield Schedule(one["MonitoringScheduleName"], one["MonitoringScheduleArn"])


def _mark(sagemaker: Any, arn: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": MARK, "Value": now}])


def _marked(sagemaker: Any, arn: str) -> str:
    """Return since when it is marked, nothing if it is not."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return next((tag["Value"] for page in pages for tag in page["Tags"] if tag["Key"] == MARK), "")
