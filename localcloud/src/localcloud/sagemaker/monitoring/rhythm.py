"""When a schedule fires, and which hours it looks at ([B] ScheduleConfig)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localcloud.sagemaker import errors

HOUR = 3600.0
_CRON = re.compile(r"cron\(0 (?:\*|(\d{1,2})(?:/(\d{1,2}))?) \? \* \* \*\)")
_OFFSET = re.compile(r"-?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SECONDS = (86400, 3600, 60, 1)


@dataclass(frozen=True)
class Rhythm:
    """Every ``step`` hours, one of them at ``first`` o'clock UTC; ``step`` 0: once, at once."""

    first: int
    step: int

    @classmethod
    def parse(cls, expression: str) -> Rhythm:
        """``cron(0 * ? * * *)``, ``cron(0 H ? * * *)``, ``cron(0 H/N ? * * *)`` or ``NOW``.

        Raises ValidationException ([K] text) for anything else.
        """
        if expression == "NOW":
            return cls(0, 0)
        match = _CRON.fullmatch(expression)
        if match:
            first = int(match[1] or 0)
            step = int(match[2]) if match[2] else 24 if match[1] else 1
            if first < 24 and 1 <= step <= 24:
                return cls(first, step)
        raise errors.validation(f"ScheduleExpression {expression!r} is not a supported cron expression.")

    @property
    def hours(self) -> int:
        """Hours between two runs; 1 for a run that happens once."""
        return self.step or 1

    def next_after(self, moment: float) -> float:
        """The next firing after ``moment``, epoch seconds."""
        hour = int(moment // HOUR) + 1
        while (hour % 24 - self.first) % 24 % self.step:
            hour += 1
        return hour * HOUR


@dataclass(frozen=True)
class Window:
    """The data that a run analyses, as offsets in seconds from the time that it was scheduled for."""

    start: float
    end: float

    @classmethod
    def parse(cls, start: str | None, end: str | None, rhythm: Rhythm) -> Window:
        """Offsets such as ``-PT1H``; without them what came since the run before ([K]).

        Raises ValidationException ([B] the limit, [K] the texts).
        """
        window = cls(
            -_seconds(start) if start else -rhythm.hours * HOUR,
            -_seconds(end) if end else 0.0,
        )
        if not window.start < window.end <= 0:
            raise errors.validation("DataAnalysisStartTime must precede DataAnalysisEndTime.")
        if window.end - window.start > 24 * HOUR:
            raise errors.validation("DataAnalysisStartTime and DataAnalysisEndTime must be at most 24 hours apart.")
        return window

    def hours(self, scheduled: float) -> list[float]:
        """The beginning of each hour, in UTC, that the window of this run touches."""
        first = int((scheduled + self.start) // HOUR)
        last = int(-(-(scheduled + self.end) // HOUR))
        return [hour * HOUR for hour in range(first, last)]


def _seconds(offset: str) -> float:
    match = _OFFSET.fullmatch(offset)
    if match is None or not any(match.groups()):
        raise errors.validation(f"{offset!r} is not an offset in ISO 8601 duration format such as -PT1H.")
    return float(sum(int(text) * unit for text, unit in zip(match.groups(), _SECONDS, strict=True) if text))
