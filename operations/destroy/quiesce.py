"""Before anything is deleted: no trigger fires any more, what runs is told to stop, what a budget denied is given back.

Nothing here is waited for longer than it takes, and nothing that refuses stops the destroy: janitors, audit and sweep
see to the same things again.
"""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from operations.audit import Inventory
from operations.audit.finding import Finding
from operations.console import Console
from operations.errors import OperationError
from operations.sweep.identity import undo_action
from operations.target import Target

STOPPED = ("pipeline execution", "tuning job", "training job", "processing job", "transform job")
"""Kinds that run, are billed, and are removed by a stop."""


SCHEDULE_KEYS = (
    "Description", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression", "ScheduleExpressionTimezone",
    "StartDate", "Target",
)  # fmt: skip
"""What an update of a schedule must repeat to leave as it is."""


def quiesce(target: Target, inventory: Inventory, console: Console, *, keep_group: str) -> list[str]:
    """Bring the environment to rest and return what was done, in words.

    ``keep_group`` is the group of the schedules that destroy the environment at the end of its life: they stay as they
    are, in case this destroy does not come to its end.
    """
    done: list[str] = []
    steps: dict[str, Callable[[Target, Finding], str]] = {
        "schedule": lambda where, one: _disable_schedule(where, one, keep_group),
        "event rule": _disable_rule,
        **dict.fromkeys(STOPPED, _stop),
        "budget action": _undo,
    }
    for kind, step in steps.items():
        for finding in inventory.of(kind):
            try:
                said = step(target, finding)
            except (ClientError, BotoCoreError, OperationError) as error:
                console.warn(f"{kind} {finding.name}: {error}")
                continue
            if said:
                console.step(said)
                done.append(said)
    return done


def _disable_schedule(target: Target, finding: Finding, keep_group: str) -> str:
    client = target.client("scheduler")
    which = finding.removal.parameters
    if which["GroupName"] == keep_group or finding.state == "DISABLED":
        return ""
    now = client.get_schedule(**which)
    client.update_schedule(**which, State="DISABLED", **{key: now[key] for key in SCHEDULE_KEYS if now.get(key)})
    return f"schedule {finding.name} fires no more"


def _disable_rule(target: Target, finding: Finding) -> str:
    if finding.state == "DISABLED":
        return ""
    target.client("events").disable_rule(Name=finding.name)
    return f"event rule {finding.name} fires no more"


def _stop(target: Target, finding: Finding) -> str:
    if finding.state == "Stopping":
        return ""
    finding.removal.make(target)
    return f"{finding.kind} {finding.name} is told to stop"


def _undo(target: Target, finding: Finding) -> str:
    if finding.state not in ("EXECUTION_SUCCESS", "EXECUTION_IN_PROGRESS"):
        return ""
    undo_action(target, finding)
    return f"budget action {finding.name}, which had been executed, is undone"
