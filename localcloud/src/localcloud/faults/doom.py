"""Which invocations of functions are to die, and when.

An invocation dies before its handler runs, or right after an AWS call of its took effect and before the function
hears the answer. A worker process serves one invocation at a time, so killing it kills exactly that one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from localcloud.faults.rules import Rules, default_rules

How = Literal["crash", "time-out"]


@dataclass
class Invocation:
    """One that runs now; ``kill`` ends its process."""

    function: str
    kill: Callable[[], None]
    #: how many of its AWS calls it still makes; None when it is not to die
    calls_left: int | None = None
    how: How = "crash"
    killed: bool = False


class Doom:
    """The running invocations of one server. Thread-safe."""

    def __init__(self, rules: Rules) -> None:
        """Nothing runs."""
        self._rules = rules
        self._lock = threading.Lock()
        self._running: list[Invocation] = []

    def begin(self, function: str, kill: Callable[[], None]) -> Invocation:
        """An invocation starts: ``killed`` is set when it is not to run at all."""
        invocation = Invocation(function, kill)
        rule = self._rules.for_function(function)
        if rule is not None:
            invocation.how = "time-out" if rule.effect == "time-out" else "crash"
            if rule.given.get("when", "start") == "end":
                invocation.calls_left = int(rule.given.get("calls", 1))
            else:
                invocation.killed = True
        with self._lock:
            self._running.append(invocation)
        return invocation

    def end(self, invocation: Invocation) -> None:
        """It ended, however."""
        with self._lock:
            self._running.remove(invocation)

    def runs(self, principal: str) -> bool:
        """Whether the caller is a function that runs now."""
        with self._lock:
            return any(invocation.function == _function(principal) for invocation in self._running)

    def served(self, principal: str) -> bool:
        """A call of this caller took effect: kill the function if this was its last. Whether it was."""
        with self._lock:
            for invocation in self._running:
                if invocation.function == _function(principal) and invocation.calls_left is not None:
                    invocation.calls_left -= 1
                    if invocation.calls_left == 0:
                        return self._kill(invocation)
        return False

    def strike(self, principal: str) -> bool:
        """Kill the function that makes a call. Whether there was one."""
        with self._lock:
            for invocation in self._running:
                if invocation.function == _function(principal) and not invocation.killed:
                    return self._kill(invocation)
        return False

    def _kill(self, invocation: Invocation) -> bool:
        invocation.killed = True
        invocation.kill()
        return True


def _function(principal: str) -> str:
    """The function of ``arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION``; nothing for other callers."""
    return principal.rsplit("/", 1)[-1] if ":assumed-role/" in principal else ""


@cache
def default_doom() -> Doom:
    """The server's."""
    return Doom(default_rules())
