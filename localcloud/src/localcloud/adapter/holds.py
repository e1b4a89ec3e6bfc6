"""Security groups that a service still refers to: EC2 refuses to delete them (``repairs.network`` asks here)."""

from __future__ import annotations

import threading
from collections.abc import Iterable

_held: set[str] = set()
_lock = threading.Lock()


def hold_groups(groups: Iterable[str]) -> None:
    """From now on DeleteSecurityGroup answers DependencyViolation for these ids."""
    with _lock:
        _held.update(groups)


def release_groups(groups: Iterable[str]) -> None:
    """End it; ids that are not held are no error."""
    with _lock:
        _held.difference_update(groups)


def is_held(group: str) -> bool:
    """Whether a service refers to the group."""
    with _lock:
        return group in _held


def clear_holds() -> None:
    """For a reset of the server."""
    with _lock:
        _held.clear()
