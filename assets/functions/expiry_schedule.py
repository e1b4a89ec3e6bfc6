"""Custom::SandcastleExpiry: when an environment destroys itself, as schedules that are made when it is deployed.

A template cannot hold the date: the same environment file would give another template every second. So the date is
worked out when the resource is created. Deploying again leaves it where it is, or where a person has moved it to;
another ``expires_after`` counts from the moment of the change. Deleting does nothing: the group that the schedules are
in takes them with it.

What time it is, Scheduler says, whose clock decides: every schedule knows when it was last written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from cfn import answer

EXPIRE, WARN = "expire", "warn"
"""What a schedule has the function do; the first is also the one schedule's name."""

WARNINGS = {"warn-24h": timedelta(hours=24), "warn-1h": timedelta(hours=1)}
"""Names of the warnings, and how long before the end each comes."""

TICK = "rate(5 minutes)"

ROLE_SECONDS, PAUSE_SECONDS = 90.0, 3.0
"""How long IAM may take to let Scheduler use a role that was made a moment ago; seconds between two tries."""


@dataclass(frozen=True)
class Schedules:
    """The schedules of one environment: where they are and what they call. Everything raises ClientError."""

    scheduler: Any
    group: str
    function_arn: str
    role_arn: str

    def get(self, name: str) -> dict[str, Any] | None:
        """Return a schedule as Scheduler describes it; None when there is none."""
        try:
            found: dict[str, Any] = self.scheduler.get_schedule(GroupName=self.group, Name=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return None
        return found

    def expire(self, **settings: Any) -> None:
        """Have a step of the destruction taken every five minutes; ``StartDate`` says from when on."""
        self._write(EXPIRE, EXPIRE, {"ScheduleExpression": TICK, **settings})

    def warn(self, name: str, moment: str) -> None:
        """Have a warning sent once, at an expression such as ``at(2026-11-26T20:00:00)``, which is in UTC."""
        self._write(name, WARN, {"ScheduleExpression": moment, "ActionAfterCompletion": "DELETE"})

    def forget(self, name: str) -> None:
        """Delete a schedule, which may be gone already."""
        try:
            self.scheduler.delete_schedule(GroupName=self.group, Name=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def _write(self, name: str, what: str, settings: Mapping[str, Any]) -> None:
        request = {
            "GroupName": self.group,
            "Name": name,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": self.function_arn,
                "RoleArn": self.role_arn,
                "Input": json.dumps({"do": what, "at": "<aws.scheduler.scheduled-time>"}),
                "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 300},
            },
            **settings,
        }
        deadline = time.monotonic() + ROLE_SECONDS
        while True:
            try:
                self._create_or_update(request)
            except ClientError as error:
                passes = code_of(error) == "AccessDeniedException" or "execution role" in text_of(error)
                if not passes or time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _create_or_update(self, request: Mapping[str, Any]) -> None:
        try:
            self.scheduler.create_schedule(**request)
        except ClientError as error:
            if code_of(error) != "ConflictException":
                raise
            self.scheduler.update_schedule(**request)


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point."""
    properties = event["ResourceProperties"]
    minutes = properties["ExpiresAfterMinutes"]

    def work() -> None:
        schedules = Schedules(
            client("scheduler"), properties["Group"], properties["FunctionArn"], properties["RoleArn"]
        )
        if event["RequestType"] == "Delete":
            return
        same = minutes == event.get("OldResourceProperties", {}).get("ExpiresAfterMinutes")
        if not (same and keep(schedules)):
            count_from_now(schedules, timedelta(minutes=int(minutes)))

    answer(event, context, event.get("PhysicalResourceId") or event["LogicalResourceId"], work)


def count_from_now(schedules: Schedules, life: timedelta) -> None:
    """Write all schedules anew. Raises ClientError."""
    schedules.expire(State="DISABLED")
    written = schedules.get(EXPIRE)
    if written is None:
        raise RuntimeError(f"schedule {EXPIRE} of group {schedules.group} was deleted at this very moment")
    now: datetime = written["LastModificationDate"]
    expiry = (now + life + timedelta(minutes=1)).replace(second=0, microsecond=0)  # Scheduler counts in minutes
    for name, before in WARNINGS.items():
        if expiry - before > now:
            schedules.warn(name, f"at({(expiry - before).astimezone(UTC):%Y-%m-%dT%H:%M:%S})")
        else:
            schedules.forget(name)
    schedules.expire(StartDate=expiry)


def keep(schedules: Schedules) -> bool:
    """Write the schedules again with the dates that they have: what they call may be another function by now.

    Returns False when there is no date to keep. Raises ClientError.
    """
    expiry = schedules.get(EXPIRE)
    if expiry is None or "StartDate" not in expiry:
        return False
    if expiry["StartDate"] < datetime.now(UTC):  # being destroyed; and Scheduler takes no StartDate that is past
        return True
    for name in WARNINGS:
        warning = schedules.get(name)
        if warning is not None:  # else it has been sent, or its time was past from the beginning
            schedules.warn(name, warning["ScheduleExpression"])
    schedules.expire(StartDate=expiry["StartDate"])
    return True
