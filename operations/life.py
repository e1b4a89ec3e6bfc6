"""``sandcastle extend``: moves the end of an environment's life, which is a schedule, and the warnings before it.

The schedules are made by ``assets/functions/expiry_schedule.py`` when the environment is deployed: ``expire``, whose
StartDate is the end, and ``warn-24h`` and ``warn-1h``, of which each deletes itself when it has warned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from operations.console import Console
from operations.destroy.quiesce import SCHEDULE_KEYS
from operations.errors import OperationError, UsageError
from operations.stacks import Stack, environment_stacks
from operations.target import Target
from operations.words import duration
from sandcastle.config.durations import LONGEST, minutes_of

EXPIRE = "expire"
WARNINGS = {"warn-24h": timedelta(hours=24), "warn-1h": timedelta(hours=1)}
"""Names of the warnings, and how long before the end each comes."""


@dataclass(frozen=True)
class Life:
    """The end of an environment's life: when, and the schedules' group. ``over`` when its time has come."""

    group: str
    expiry: datetime
    now: datetime

    @property
    def over(self) -> bool:
        """Whether the environment is being destroyed."""
        return self.expiry <= self.now

    def words(self) -> str:
        """Return when it ends, in words."""
        when = f"{self.expiry:%Y-%m-%d %H:%M} UTC"
        if self.over:
            return f"has expired at {when} and is being destroyed"
        return f"destroys itself at {when}, in {duration((self.expiry - self.now).total_seconds())}"

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {"expires": self.expiry.isoformat(), "over": self.over}


def life_of(target: Target, stacks: list[Stack]) -> Life | None:
    """Return the end of the life of an environment with these stacks, None when it never expires."""
    group = next((stack.outputs["ExpiryGroup"] for stack in stacks if "ExpiryGroup" in stack.outputs), None)
    if group is None:
        return None
    expiry = _schedule(target, group, EXPIRE).get("StartDate")
    return Life(group, expiry.astimezone(UTC), target.now()) if expiry else None


def extend(target: Target, environment: str, by: str, console: Console) -> dict[str, Any]:
    """Move the end by a length of time such as ``2d``; warnings that are ahead again are sent again.

    Raises UsageError when there is nothing to move: the environment never expires, or is being destroyed.
    """
    minutes = minutes_of(by)
    if minutes is None or minutes > LONGEST:
        raise UsageError(f"extend {by}: say how much longer, like 90m, 12h or 2d, at most 365d.")
    stacks = environment_stacks(target, environment)
    if not stacks:
        raise OperationError(f"Environment {environment} is not deployed in {target.region}.")
    going = [stack.name for stack in stacks if stack.status.startswith("DELETE_")]
    life = life_of(target, stacks)
    if life is None:
        raise UsageError(f"Environment {environment} never expires (expires_after: never); nothing was changed.")
    if life.over or going:
        raise UsageError(
            f"Environment {environment} is being destroyed already ({', '.join(going) or life.words()}); "
            "nothing was changed. Deploy it again when it is gone."
        )
    later = Life(life.group, life.expiry + timedelta(minutes=minutes), life.now)
    _move(target, later)
    console.say(f"Environment {environment} was to be destroyed at {life.expiry:%Y-%m-%d %H:%M} UTC.")
    console.say(f"It now {later.words()}.")
    return {"environment": environment, "before": life.expiry.isoformat(), **later.document()}


def _move(target: Target, life: Life) -> None:
    client = target.client("scheduler")
    last = _schedule(target, life.group, EXPIRE)
    for name, before in WARNINGS.items():
        if life.expiry - before > life.now:
            _warn(client, life, name, last["Target"], life.expiry - before)
    # the end last: if anything fails on the way, the environment lives as long as was said before
    same = {key: last[key] for key in SCHEDULE_KEYS if last.get(key)}
    client.update_schedule(GroupName=life.group, Name=EXPIRE, State="ENABLED", **{**same, "StartDate": life.expiry})


def _warn(client: Any, life: Life, name: str, target: Mapping[str, Any], moment: datetime) -> None:
    """Have a warning sent at a moment: like the schedule that is there, or a new one that calls the same function."""
    what = json.loads(target["Input"]) | {"do": "warn"}
    request = {
        "GroupName": life.group,
        "Name": name,
        "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
        "ActionAfterCompletion": "DELETE",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {**target, "Input": json.dumps(what)},
    }
    try:
        client.create_schedule(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConflictException":
            raise
        client.update_schedule(**request)


def _schedule(target: Target, group: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = target.client("scheduler").get_schedule(GroupName=group, Name=name)
    return found
