"""Janitor of a workload's monitoring schedules: custom resources that bring them to rest where CloudFormation does not.

SageMaker changes and deletes no schedule while one of its jobs runs, and CloudFormation waits for none (facts on
teardown, 1.18). Two resources have this function, told apart by ``When``:

    Delete   before CloudFormation deletes the schedules: they are stopped, their jobs end, and they are deleted here
    Update   before CloudFormation updates them: their jobs end, the schedules stay

``Schedules`` are their names. On Update the property ``Definitions`` has changed: whatever the schedules refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from janitor import run
from ours import Ours, counted
from quiesce_schedules import end_runs, step

_GONE = {"ResourceNotFound", "ResourceNotFoundException"}


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point."""
    properties = event["ResourceProperties"]
    when, schedules = properties["When"], properties["Schedules"]
    former = event.get("OldResourceProperties", {}).get("Schedules", [])
    turn = _deletion if when == "Delete" else _pause
    run(event, context, turn(Ours(client("sagemaker"), ""), {*schedules, *former}), when=when)


def _deletion(ours: Ours, schedules: Collection[str]) -> Callable[[], str]:
    """Return a turn that brings the schedules nearer to their end and says what is left."""

    def turn() -> str:
        ours.refused, left, why = None, [], ""
        for name in sorted(schedules):
            if status := _status(ours, name):
                left.append(name)
                why = step(ours, name, status) or why
        if ours.refused:
            raise ours.refused
        return counted("monitoring schedule", left, why)

    return turn


def _pause(ours: Ours, schedules: Collection[str]) -> Callable[[], str]:
    """Return a turn that has the jobs of the schedules end, and says whether some still run."""

    def turn() -> str:
        ours.refused = None
        running = [name for name in sorted(schedules) if _status(ours, name) and end_runs(ours, name)]
        if ours.refused:
            raise ours.refused
        return counted("monitoring schedule", running, "a job runs")

    return turn


def _status(ours: Ours, name: str) -> str:
    """Return the schedule's status, nothing when there is none. Raises ClientError."""
    try:
        found = ours.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    except ClientError as error:
        if code_of(error) in _GONE:
            return ""
        raise
    return str(found["MonitoringScheduleStatus"])
