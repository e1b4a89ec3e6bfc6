"""When a schedule is due: ``at(yyyy-mm-ddThh:mm:ss)``, ``rate(value unit)`` and ``cron(fields)`` in a time zone.

Facts: scheduler/latest/UserGuide/schedule-types.html. A rate starts at the schedule's StartDate, else at once. A
wall-clock time that a change to summer time skips does not happen that day; one that a change back repeats happens
once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from localcloud.scheduler import cron

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class At:
    """Once."""

    moment: float

    def next(self, after: float, anchor: float) -> float | None:
        """The time, unless it is over."""
        del anchor
        return self.moment if self.moment > after else None


@dataclass(frozen=True)
class Rate:
    """At the anchor and then every so many seconds."""

    seconds: float

    def next(self, after: float, anchor: float) -> float | None:
        """The first run later than ``after``; the anchor is the first of all."""
        if after < anchor:
            return anchor
        return anchor + ((after - anchor) // self.seconds + 1) * self.seconds


@dataclass(frozen=True)
class Recurring:
    """At wall-clock times of a zone."""

    fields: cron.Cron
    zone: tzinfo

    def next(self, after: float, anchor: float) -> float | None:
        """The first run later than ``after``; None when there is none before the year 2200."""
        del anchor
        start = datetime.fromtimestamp(after, self.zone)
        for day in self.fields.days((start - timedelta(days=1)).date()):
            for hour, minute in self.fields.times():
                moment = _epoch(datetime(day.year, day.month, day.day, hour, minute), self.zone)
                if moment is not None and moment > after:
                    return moment
        return None


Expression = At | Rate | Recurring


def parse(text: str, zone_name: str = "UTC") -> Expression:
    """Raises ValueError for what AWS does not take; the text says what is wrong with it."""
    found = re.fullmatch(r"(at|rate|cron)\((.*)\)", text.strip())
    if found is None:
        raise ValueError("it is none of at(...), rate(...) and cron(...)")
    kind, inside = found.groups()
    zone = _zone(zone_name)
    if kind == "rate":
        return _rate(inside)
    if kind == "cron":
        return Recurring(cron.parse(inside), zone)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inside):
        raise ValueError("at takes yyyy-mm-ddThh:mm:ss")
    moment = _epoch(datetime.fromisoformat(inside), zone)
    if moment is None:
        raise ValueError(f"there is no {inside} in {zone_name}: the clocks are put forward then")
    return At(moment)


def _rate(inside: str) -> Rate:
    found = re.fullmatch(r"(\d+) (minute|hour|day)s?", inside)
    if found is None or int(found.group(1)) < 1:
        raise ValueError("rate takes a number from 1 and minutes, hours or days")
    return Rate(int(found.group(1)) * _UNITS[found.group(2)])


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def _epoch(wall: datetime, zone: tzinfo) -> float | None:
    """Epoch seconds of a wall-clock time, its first occurrence when there are two; None when there is none."""
    moment = wall.replace(tzinfo=zone)
    seconds = moment.timestamp()
    return seconds if datetime.fromtimestamp(seconds, zone).replace(tzinfo=None) == wall else None
