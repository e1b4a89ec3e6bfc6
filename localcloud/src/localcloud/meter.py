"""The billing meter: what costs money, for how long, in virtual time. After a destroy it must not grow."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypedDict

from localcloud.clock import Clock, default_clock


class Reading(TypedDict):
    """One line of the meter: ``quantity`` units (instances) of ``rate_key`` for ``seconds``."""

    arn: str
    kind: str
    unit: str
    rate_key: str
    quantity: float
    seconds: float
    running: bool
    tags: dict[str, str]


@dataclass
class _Line:
    arn: str
    kind: str
    unit: str
    rate_key: str
    quantity: float
    tags: dict[str, str]
    seconds: float = 0.0
    since: float | None = None

    def read(self, now: float) -> Reading:
        running = 0.0 if self.since is None else max(0.0, now - self.since)
        return {
            "arn": self.arn,
            "kind": self.kind,
            "unit": self.unit,
            "rate_key": self.rate_key,
            "quantity": self.quantity,
            "seconds": self.seconds + running,
            "running": self.since is not None,
            "tags": dict(self.tags),
        }


class Meter:
    """Thread-safe; a resource has at most one running line, earlier ones stay as history."""

    def __init__(self, clock: Clock) -> None:
        """Seconds are counted on ``clock``."""
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: list[_Line] = []

    def start(
        self, resource_arn: str, kind: str, unit: str, rate_key: str, tags: Mapping[str, str], quantity: float = 1
    ) -> None:
        """Start counting, e.g. kind="endpoint-instance", unit="hour", rate_key="ml.m5.large hosting".

        A resource that is counted already goes on under the new terms (another instance type or count).
        """
        now = self._clock.now()
        with self._lock:
            self._close(resource_arn, now)
            self._lines.append(_Line(resource_arn, kind, unit, rate_key, quantity, dict(tags), since=now))

    def stop(self, resource_arn: str) -> None:
        """Stop counting; nothing happens when the resource is not counted."""
        now = self._clock.now()
        with self._lock:
            self._close(resource_arn, now)

    def add(
        self,
        resource_arn: str,
        kind: str,
        rate_key: str,
        quantity: float,
        seconds: float,
        tags: Mapping[str, str],
        unit: str = "second",
    ) -> None:
        """A one-off amount: a finished job's billable seconds."""
        with self._lock:
            self._lines.append(_Line(resource_arn, kind, unit, rate_key, quantity, dict(tags), seconds=seconds))

    def count(self, resource_arn: str, kind: str, rate_key: str, tags: Mapping[str, str], seconds: float) -> None:
        """Add seconds to the one line of what a resource is billed for by use, such as serverless inference."""
        with self._lock:
            for line in self._lines:
                if (line.arn, line.kind, line.rate_key) == (resource_arn, kind, rate_key):
                    line.seconds += seconds
                    return
            self._lines.append(_Line(resource_arn, kind, "second", rate_key, 1, dict(tags), seconds=seconds))

    def snapshot(self) -> list[Reading]:
        """Every line so far, in the order they began."""
        now = self._clock.now()
        with self._lock:
            return [line.read(now) for line in self._lines]

    def reset(self) -> None:
        """Forget everything; for a reset of the server."""
        with self._lock:
            self._lines.clear()

    def _close(self, resource_arn: str, now: float) -> None:
        for line in self._lines:
            if line.arn == resource_arn and line.since is not None:
                line.seconds += max(0.0, now - line.since)
                line.since = None


@cache
def default_meter() -> Meter:
    """The server's meter, on the server's clock."""
    return Meter(default_clock())
