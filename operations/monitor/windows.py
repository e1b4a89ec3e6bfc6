"""Over which hour a run by hand looks: the last full one with requests, or what there is of this one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
_OFFSET = re.compile(r"-?P(?:T?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?)")
"""What offsets of a schedule look like: ``-PT2H``, ``-PT0H``, ``-P1D`` (API reference, EndpointInput)."""


@dataclass(frozen=True)
class Window:
    """From when until (not including) when, in UTC, and the variants and hours that something was captured of."""

    begin: datetime
    end: datetime
    found: tuple[tuple[str, datetime], ...] = ()

    @property
    def words(self) -> str:
        """The same for a person: ``2026-01-01 15:00 to 16:00 UTC``."""
        last = f"{self.end:%H:%M}" if self.end.date() == self.begin.date() else f"{self.end:%Y-%m-%d %H:%M}"
        return f"{self.begin:%Y-%m-%d %H:%M} to {last} UTC"

    @property
    def hours(self) -> Iterator[datetime]:
        """The hours that it touches."""
        hour = self.begin.replace(minute=0, second=0, microsecond=0)
        while hour < self.end:
            yield hour
            hour += HOUR


def candidates(now: datetime, offsets: tuple[str, str]) -> list[Window]:
    """Return windows to try, in order: what the schedule would look at if it ran now, the last full hour, this one."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    asked = Window(hour + _offset(offsets[0]), hour + _offset(offsets[1]))
    return list(dict.fromkeys([asked, Window(hour - HOUR, hour), Window(hour, hour + HOUR)]))


def first_with_data(
    windows: Sequence[Window], variants: Sequence[str], holds: Callable[[str, datetime], bool]
) -> Window | None:
    """Return the first window in which something was captured; ``holds`` says so of a variant and an hour."""
    for window in windows:
        found = tuple((variant, hour) for variant in variants for hour in window.hours if holds(variant, hour))
        if found:
            return Window(window.begin, window.end, found)
    return None


def at(folder: str, hour: datetime) -> str:
    """Return the folder of an hour below another one."""
    return f"{folder}/{hour:%Y/%m/%d/%H}"


def _offset(text: str) -> timedelta:
    found = _OFFSET.fullmatch(text)
    if not found:
        raise ValueError(f"offset {text!r}: expected a duration such as -PT1H")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes)
    return -length if text.startswith("-") else length
