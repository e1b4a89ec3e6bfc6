"""What watches an endpoint, as the stacks see it: its monitors, when each looks, and which engine looks.

AWS closed SageMaker Model Monitor to new customers on 2026-07-30. Engine ``model-monitor`` is that service;
``portable`` runs an analyzer of this project as a processing job, on the same data and with the same results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandcastle.config import catalogue

MonitorKind = Literal["data-quality", "model-quality", "batch-data-quality"]
"""Are requests still like the training rows; are answers still right; are the rows of transform jobs like them."""

BATCH: MonitorKind = "batch-data-quality"
"""The one that watches transform jobs and no endpoint."""

Engine = Literal["model-monitor", "portable"]
EngineChoice = Literal["auto", "model-monitor", "portable"]

MONITOR_IMAGE = "model-monitor"
"""Key of the image that looks for drift: Model Monitor's analyzer."""

PORTABLE_IMAGE = "sklearn"
"""Key of the image that the portable analyzer runs on."""

LOCAL_ACCOUNT = "000000000000"
"""The account of localcloud, which has Model Monitor."""

ALARMS_OF_A_MONITOR = 2
"""One for what it finds, one for runs that fail."""

EVERY = {"hourly": "cron(0 * ? * * *)", "daily": "cron(0 0 ? * * *)"}
"""Words for the most usual rhythms."""

CRON = r"cron\(0 (?:\*|(?:[01]?[0-9]|2[0-3])(?:/(?:[1-9]|1[0-9]|2[0-4]))?) \? \* \* \*\)"
"""What Model Monitor takes (API reference, ScheduleConfig): each hour, one hour a day, or every so many hours."""

ROWS = 1000
"""The smallest window that chance alone does not violate, unless an environment says another one."""

FEWEST_ROWS, MOST_ROWS = 50, 100_000
"""What may be said instead: of fewer rows chance explains nearly everything."""

_HOURS = re.compile(r"cron\(0 (\*|\d+)(?:/(\d+))? \? \* \* \*\)")


@dataclass(frozen=True)
class Monitor:
    """One monitor of an endpoint, or of transform jobs, and the cron expression by which it looks.

    ``rows`` is the smallest window that chance alone does not violate.
    """

    kind: MonitorKind
    expression: str
    rows: int = ROWS

    @property
    def hours(self) -> int:
        """Hours between two looks."""
        return hours_of(self.expression)


def hours_of(expression: str) -> int:
    """Return the hours between two looks. Raises ValueError for an expression that is none of Model Monitor's."""
    match = _HOURS.fullmatch(expression)
    if match is None:
        raise ValueError(f"{expression!r} is no expression of Model Monitor's")
    first, step = match.groups()
    if step:
        return int(step)
    return 1 if first == "*" else 24


def expression_of(every: str) -> str:
    """Return the cron expression of ``hourly``, ``daily``, or of an expression."""
    return EVERY.get(every, every)


def context_key(account: str, region: str) -> str:
    """Return the key under which the doctor remembers whether Model Monitor is open to an account."""
    return f"sandcastle:model-monitor:{account}:{region}"


def engine_of(choice: EngineChoice, values: Mapping[str, Any], account: str | None, region: str | None) -> Engine:
    """Return which engine is meant there. ``auto`` is Model Monitor where the account is known to be its customer.

    ``values`` is the committed context, which the doctor fills: synth asks nobody. Unknown means portable.
    """
    if choice != "auto":
        return choice
    if region and catalogue.image_uri(MONITOR_IMAGE, region) is None:
        return "portable"
    if account == LOCAL_ACCOUNT:
        return "model-monitor"
    known = values.get(context_key(account, region)) if account and region else None
    return "model-monitor" if known == "open" else "portable"
