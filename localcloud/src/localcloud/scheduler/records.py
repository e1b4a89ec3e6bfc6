"""What the scheduler keeps: groups, schedules, and the errors it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localcloud.scheduler.expressions import Expression


class SchedulerError(Exception):
    """An error reply: code, text, HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> SchedulerError:
    """ValidationException."""
    return SchedulerError("ValidationException", message, 400)


def missing(message: str) -> SchedulerError:
    """ResourceNotFoundException."""
    return SchedulerError("ResourceNotFoundException", message, 404)


def conflict(message: str) -> SchedulerError:
    """ConflictException."""
    return SchedulerError("ConflictException", message, 409)


@dataclass(frozen=True)
class Scope:
    """The account and region of a schedule."""

    account: str
    region: str

    def arn(self, kind: str, name: str) -> str:
        """``kind`` is ``schedule`` (name ``group/name``) or ``schedule-group``."""
        return f"arn:aws:scheduler:{self.region}:{self.account}:{kind}/{name}"


@dataclass
class Group:
    """A schedule group; times are virtual epoch seconds."""

    name: str
    arn: str
    created: float
    modified: float
    state: str = "ACTIVE"
    tags: dict[str, str] = field(default_factory=dict)

    def reply(self) -> dict[str, Any]:
        """GetScheduleGroup."""
        return {
            "Arn": self.arn,
            "Name": self.name,
            "State": self.state,
            "CreationDate": self.created,
            "LastModificationDate": self.modified,
        }


@dataclass(frozen=True)
class Schedule:
    """One version of a schedule: an update replaces the record, so that a timer knows whether it is still meant."""

    scope: Scope
    group: str
    name: str
    created: float
    modified: float
    #: the request's members as they came: ScheduleExpression, Target, State...
    settings: dict[str, Any]
    expression: Expression

    @property
    def arn(self) -> str:
        """The schedule's ARN."""
        return self.scope.arn("schedule", f"{self.group}/{self.name}")

    @property
    def group_arn(self) -> str:
        """What a trust policy's aws:SourceArn is compared with."""
        return self.scope.arn("schedule-group", self.group)

    @property
    def deletes_itself(self) -> bool:
        """Whether it goes after its last run."""
        return bool(self.settings.get("ActionAfterCompletion") == "DELETE")

    def reply(self) -> dict[str, Any]:
        """GetSchedule."""
        return {
            "Arn": self.arn,
            "GroupName": self.group,
            "Name": self.name,
            "ScheduleExpressionTimezone": "UTC",
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            **self.settings,
            "CreationDate": self.created,
            "LastModificationDate": self.modified,
        }

    def due(self, after: float) -> float | None:
        """The first run later than ``after`` between StartDate and EndDate; None when there is none."""
        start = self.settings.get("StartDate")
        anchor = self.created if start is None else float(start)
        if start is not None:
            after = max(after, float(start) - 0.001)
        moment = self.expression.next(after, anchor)
        end = self.settings.get("EndDate")
        return None if moment is None or (end is not None and moment > float(end)) else moment
