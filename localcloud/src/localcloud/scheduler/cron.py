"""The six fields of an AWS cron expression: minutes, hours, day of month, month, day of week, year.

Fields, wildcards and their limits: scheduler/latest/UserGuide/schedule-types.html, section on cron. Days of the week
count from Sunday = 1; one of the two day fields is ``?``.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True)
class Cron:
    """A parsed expression; times are wall-clock times of whatever zone it is read in."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day_of_month: str
    day_of_week: str

    def times(self) -> list[tuple[int, int]]:
        """(hour, minute) of every run of a day on which it runs."""
        return [(hour, minute) for hour in self.hours for minute in self.minutes]

    def days(self, start: date) -> Iterator[date]:
        """Every day from ``start`` on which it runs, up to the last year that AWS knows."""
        day = start
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            else:
                if self._runs_on(day):
                    yield day
                day += timedelta(days=1)

    def _runs_on(self, day: date) -> bool:
        if self.day_of_month != "?":
            return _matches_day_of_month(self.day_of_month, day)
        return _matches_day_of_week(self.day_of_week, day)


def parse(text: str) -> Cron:
    """The expression between the parentheses. Raises ValueError, saying which field is wrong."""
    fields = text.split()
    if len(fields) != 6:
        raise ValueError(f"cron has six fields, this has {len(fields)}")
    minutes, hours, day_of_month, month, day_of_week, year = (field.upper() for field in fields)
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError("one of day-of-month and day-of-week is ?, and only one")
    cron = Cron(
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        frozenset(_numbers(month, 1, 12, _MONTHS)),
        frozenset(_numbers(year, _FIRST_YEAR, _LAST_YEAR)),
        day_of_month,
        day_of_week,
    )
    # every month has a first to a seventh: reading the day fields once finds what is wrong with them
    for day in range(1, 8):
        cron._runs_on(date(2024, 1, day))
    return cron


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """``*``, ``5``, ``MON``, ``1-5``, ``0/15``, ``1-9/2`` and lists of these."""
    found: set[int] = set()
    for part in field.split(","):
        values, slash, step = part.partition("/")
        if values == "*":
            first, last = low, high
        else:
            start, dash, end = values.partition("-")
            first = _number(start, names)
            last = _number(end, names) if dash else (high if slash else first)
        if slash and not (step.isdigit() and int(step) > 0):
            raise ValueError(f"{part!r}: the step is a number from 1")
        if not low <= first <= high or not low <= last <= high:
            raise ValueError(f"{part!r} is not within {low}-{high}")
        if first <= last:
            found.update(range(first, last + 1, int(step) if slash else 1))
        else:  # FRI-MON, NOV-FEB: around the end
            around = [*range(first, high + 1), *range(low, last + 1)]
            found.update(around[:: int(step) if slash else 1])
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"{text!r} is not a number" + (" or a name" if names else ""))
    return int(text)


def _matches_day_of_month(field: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    for part in field.split(","):
        if part == "L":
            days = {last}
        elif part == "LW":
            days = {_nearest_weekday(day.replace(day=last))}
        elif re.fullmatch(r"\d+W", part):
            number = next(iter(_numbers(part[:-1], 1, 31)))
            days = {_nearest_weekday(day.replace(day=number))} if number <= last else set()
        else:
            days = _numbers(part, 1, 31)
        if day.day in days:
            return True
    return False


def _nearest_weekday(day: date) -> int:
    """The day of the month of the weekday nearest to ``day``, without leaving its month."""
    last = calendar.monthrange(day.year, day.month)[1]
    if day.weekday() == calendar.SATURDAY:
        return day.day - 1 if day.day > 1 else day.day + 2
    if day.weekday() == calendar.SUNDAY:
        return day.day + 1 if day.day < last else day.day - 2
    return day.day


def _matches_day_of_week(field: str, day: date) -> bool:
    mine = day.isoweekday() % 7 + 1
    for part in field.split(","):
        if part == "L":
            matches = mine == 7
        elif re.fullmatch(r"(\w{3}|\d)L", part):  # the last of its kind in the month
            wanted = next(iter(_numbers(part[:-1], 1, 7, _DAYS)))
            matches = mine == wanted and (day + timedelta(days=7)).month != day.month
        elif "#" in part:
            name, _, count = part.partition("#")
            if count not in ("1", "2", "3", "4", "5"):
                raise ValueError(f"{part!r}: which one is a number from 1 to 5")
            matches = mine in _numbers(name, 1, 7, _DAYS) and (day.day - 1) // 7 + 1 == int(count)
        else:
            matches = mine in _numbers(part, 1, 7, _DAYS)
        if matches:
            return True
    return False
