"""A situation from which an environment is to be destroyed: what it is called, and how it comes about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from tests.lifecycle.environments import FAR
from tests.lifecycle.stand import Stand

PLAIN: Mapping[str, Any] = {"studio": {"users": ["ada", "grace"]}}
"""What most situations begin with: two people in Studio."""

HOME: Mapping[str, Any] = {"studio": {"users": ["ada", "grace"], "home_efs": True}}
"""The same with a home file system, which a domain leaves behind unless it is told otherwise."""

NOTEBOOK: Mapping[str, Any] = {"notebook": {"stop_at": FAR}}
"""A notebook instance and nothing else."""

BANK: Mapping[str, Any] = {"workloads": {"bank": {}}}
"""A workload and nothing else: data are prepared, a model is trained, an endpoint serves it."""

WHOLE: Mapping[str, Any] = {
    **HOME,
    **NOTEBOOK,
    **BANK,
    "nightly_stop": {"at": "20:00", "endpoints": True, "wake": "08:00"},
    "expires_after": "3d",
}
"""Everything that a file can ask for."""


@dataclass(frozen=True)
class Situation:
    """``begin`` deploys the environment and makes the situation of it; it may leave faults behind.

    ``settle`` is how long, in real seconds, intermediate states last once the situation is there: long ones are for
    states that the destruction is to meet. ``exhaustive`` marks a further one of its kind, which ``make matrix`` tries
    and ``make test`` does not.
    """

    name: str
    begin: Callable[[Stand], None]
    settings: Mapping[str, Any] = field(default_factory=lambda: PLAIN)
    switches: Mapping[str, str] = field(default_factory=dict)
    settle: float = 0.02
    exhaustive: bool = False

    def __str__(self) -> str:
        """Its name."""
        return self.name


_SITUATIONS: dict[str, list[Situation]] = {}


def registered(module: str) -> list[Situation]:
    """Return the situations of a module, in the order in which they are written."""
    return list(_SITUATIONS.get(module, ()))


def cases(module: str) -> list[ParameterSet]:
    """Return them as parameters of a test."""
    return [
        pytest.param(one, id=one.name, marks=[pytest.mark.exhaustive] if one.exhaustive else [])
        for one in registered(module)
    ]


def situation(
    name: str,
    *,
    settings: Mapping[str, Any] = PLAIN,
    switches: Mapping[str, str] | None = None,
    settle: float = 0.02,
    deployed: bool = True,
    exhaustive: bool = False,
) -> Callable[[Callable[[Stand], None]], Callable[[Stand], None]]:
    """Register what makes the situation. With ``deployed`` the environment is there before."""

    def register(make: Callable[[Stand], None]) -> Callable[[Stand], None]:
        def begin(stand: Stand) -> None:
            if deployed:
                statuses = stand.deploy()
                assert set(statuses.values()) == {"CREATE_COMPLETE"}, statuses
            make(stand)

        _SITUATIONS.setdefault(make.__module__, []).append(
            Situation(name, begin, settings, switches or {}, settle, exhaustive)
        )
        return make

    return register
