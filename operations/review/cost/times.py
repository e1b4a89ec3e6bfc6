"""How often a schedule fires: the cron and rate expressions of EventBridge, Scheduler and Model Monitor."""

from __future__ import annotations

import re

from sandcastle.config.catalogue import HOURS_PER_MONTH

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}


def firings(expression: str) -> float | None:
    """Return how often the schedule fires in a month of 730 hours; None for what is not understood.

    Understood are rates, and cron expressions that do the same every day.
    """
    if match := _RATE.fullmatch(expression):
        gap = int(match[1]) * _HOURS[match[2]]
        return HOURS_PER_MONTH / gap if gap else None
    daily = daily_times(expression)
    return None if daily is None else len(daily) * HOURS_PER_MONTH / 24


def daily_times(expression: str) -> list[tuple[int, int]] | None:
    """Return hours and minutes at which a cron expression fires each day; None when its days differ."""
    match = _CRON.fullmatch(expression)
    if match is None:
        return None
    minutes, hours, *days = match.groups()
    if any(day not in ("*", "?") for day in days):
        return None
    at, when = _values(minutes, 60), _values(hours, 24)
    return None if at is None or when is None else [(hour, minute) for hour in when for minute in at]


def _values(field: str, limit: int) -> list[int] | None:
    """Return the values that one field of a cron expression stands for, None for what is not understood."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            first, last = "0", str(limit - 1)
        if not first.isdigit() or (last and not last.isdigit()) or (step and not (step.isdigit() and int(step))):
            return None
        end = int(last) if last else (limit - 1 if step else int(first))
        if not int(first) <= end < limit:
            return None
        found |= set(range(int(first), end + 1, int(step) if step else 1))
    return sorted(found)
