"""Every authorised and denied call, per principal, action and resource. A test run proves promises from it."""

from __future__ import annotations

import threading
from collections import Counter
from functools import cache
from typing import TypedDict


class Call(TypedDict):
    """One distinct decision and how often it was made. ``role`` is "" for root and users.

    ``purpose`` is the role's description at the time: names are generated and end with the role, purposes stay.
    """

    principal: str
    role: str
    purpose: str
    action: str
    resource: str
    decision: str
    count: int


class CallRecord:
    """Thread-safe counts; bounded by the number of distinct decisions, not by time."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._purposes: dict[str, str] = {}

    def add(self, principal: str, action: str, resource: str, *, allowed: bool, purpose: str = "") -> None:
        """Count one decision."""
        with self._lock:
            if purpose:
                self._purposes[principal] = purpose
            self._counts[(principal, action, resource, "allowed" if allowed else "denied")] += 1

    def snapshot(self) -> list[Call]:
        """Sorted by principal, action and resource."""
        with self._lock:
            items = sorted(self._counts.items())
            purposes = dict(self._purposes)
        return [
            {
                "principal": principal,
                "role": role_of(principal),
                "purpose": purposes.get(principal, ""),
                "action": action,
                "resource": resource,
                "decision": decision,
                "count": count,
            }
            for (principal, action, resource, decision), count in items
        ]

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._purposes.clear()


def role_of(principal: str) -> str:
    """The role name of an assumed-role ARN (``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION``), else ""."""
    return principal.partition(":assumed-role/")[2].partition("/")[0]


@cache
def default_record() -> CallRecord:
    """The server's record."""
    return CallRecord()
