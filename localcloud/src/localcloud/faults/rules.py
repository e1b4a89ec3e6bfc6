"""What a rule says, whether it is well formed, and when it applies.

Three kinds, told apart by their members::

    {"service": "sagemaker", "operation": "DeleteApp", "effect": "throttle", "times": 3}
    {"function": "studio-drain", "effect": "crash", "when": "start"}
    {"when": {"service": "sagemaker", "operation": "DeleteApp"}, "call": {"service": "sagemaker",
     "operation": "CreateApp", "parameters": {...}}}

Services and operations are those of the request (``*`` stands for any); for REST services the action that IAM checks.
Whether a rule with a probability applies depends on its seed, its place in the list and how many calls it matched, and
on nothing else, so that the same calls meet the same faults.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

_CALL_EFFECTS = ("throttle", "fail", "delay", "crash-function")
_FUNCTION_EFFECTS = ("crash", "time-out")
_COMMON = {"times", "after", "probability", "seed"}
#: real seconds, the most that a call may be delayed
MAX_DELAY = 30.0


class Call(Protocol):
    """What a rule looks at in an API call."""

    @property
    def service(self) -> str:
        """As IAM spells it."""

    @property
    def operation(self) -> str:
        """As the request or IAM spells it."""

    @property
    def principal(self) -> str:
        """ARN of the caller."""


@dataclass
class Rule:
    """One rule and how often it matched and applied."""

    index: int
    given: dict[str, Any]
    matched: int = 0
    applied: int = 0
    #: of calls that localcloud made as a person: how each went
    outcomes: list[str] = field(default_factory=list)

    @property
    def effect(self) -> str:
        """``throttle``, ``fail``, ``delay``, ``crash-function``, ``crash``, ``time-out`` or ``act``."""
        return "act" if "call" in self.given else str(self.given["effect"])

    def matches(self, call: Call) -> bool:
        """Whether it is about this API call."""
        about = self.given["when"] if "call" in self.given else self.given
        return (
            "function" not in self.given
            and about.get("service", "*") in ("*", call.service)
            and about.get("operation", "*") in ("*", call.operation)
            and about.get("principal", "") in call.principal
        )

    def applies(self) -> bool:
        """Count a match, and say whether this is one of those it applies to."""
        self.matched += 1
        number = self.matched - int(self.given.get("after", 0))
        if number <= 0 or self.applied >= self.given.get("times", float("inf")):
            return False
        probability = float(self.given.get("probability", 1))
        if probability < 1:
            draw = random.Random(f"{self.given['seed']}:{self.index}:{self.matched}")  # noqa: S311 - not for secrets
            if draw.random() >= probability:
                return False
        self.applied += 1
        return True

    def snapshot(self) -> dict[str, Any]:
        """The rule as it was given, with its counters."""
        counted = {**self.given, "matched": self.matched, "applied": self.applied}
        return {**counted, "outcomes": list(self.outcomes)} if "call" in self.given else counted


class Rules:
    """The rules of one server. Thread-safe."""

    def __init__(self) -> None:
        """None."""
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def load(self, request: Mapping[str, Any]) -> None:
        """Replace every rule. Raises ValueError, and changes nothing, when one is wrong."""
        if set(request) - {"rules"}:
            raise ValueError('expected {"rules": [...]}, or nothing to clear them')
        given = request.get("rules", [])
        if not isinstance(given, list):
            raise ValueError("rules is a list")
        made = [Rule(index, _checked(index, rule)) for index, rule in enumerate(given)]
        with self._lock:
            self._rules = made

    @property
    def empty(self) -> bool:
        """Whether nothing can happen."""
        return not self._rules

    def before(self, call: Call) -> list[Rule]:
        """The rules that apply before a call is served: delays, then at most one that refuses it or kills."""
        found: list[Rule] = []
        with self._lock:
            for rule in self._rules:
                if rule.effect == "act" or not rule.matches(call) or not rule.applies():
                    continue
                found.append(rule)
                if rule.effect != "delay":
                    break
        return found

    def after(self, call: Call) -> list[Rule]:
        """What a person does now that a call was answered."""
        with self._lock:
            return [rule for rule in self._rules if rule.effect == "act" and rule.matches(call) and rule.applies()]

    def for_function(self, name: str) -> Rule | None:
        """The rule that applies to an invocation of a function."""
        with self._lock:
            for rule in self._rules:
                if "function" in rule.given and rule.given["function"] in name and rule.applies():
                    return rule
        return None

    def snapshot(self) -> dict[str, Any]:
        """Every rule with its counters."""
        with self._lock:
            return {"rules": [rule.snapshot() for rule in self._rules]}


@cache
def default_rules() -> Rules:
    """The server's rules."""
    return Rules()


def _checked(index: int, rule: Any) -> dict[str, Any]:
    """The rule when it is well formed. Raises ValueError naming the rule, the member and what is allowed."""
    where = f"rule {index}"
    if not isinstance(rule, dict):
        raise ValueError(f"{where} is not an object")
    if "call" in rule:
        _members(where, rule, {"when", "call"})
        _members(f"{where}: when", _object(where, rule, "when"), {"service", "operation", "principal"}, common=False)
        call = _object(where, rule, "call")
        _members(f"{where}: call", call, {"service", "operation", "parameters", "region"}, common=False)
        for name in ("service", "operation"):
            _text(f"{where}: call", call, name)
    elif "function" in rule:
        _members(where, rule, {"function", "effect", "when", "calls"})
        _text(where, rule, "function")
        _one_of(where, rule, "effect", _FUNCTION_EFFECTS)
        _one_of(where, rule, "when", ("start", "end"), optional=True)
        _number(where, rule, "calls", 1, 1000, whole=True)
    else:
        effect = _one_of(where, rule, "effect", _CALL_EFFECTS)
        more = {"fail": {"code", "message", "status"}, "delay": {"seconds"}, "crash-function": {"when"}}.get(
            effect, set()
        )
        _members(where, rule, {"service", "operation", "principal", "effect"} | more)
        _one_of(where, rule, "when", ("start", "end"), optional=True)
        if effect == "delay":
            _number(where, rule, "seconds", 0, MAX_DELAY, optional=False)
        _number(where, rule, "status", 400, 599, whole=True)
    _number(where, rule, "times", 1, 10**9, whole=True)
    _number(where, rule, "after", 0, 10**9, whole=True)
    _number(where, rule, "probability", 0, 1)
    if rule.get("probability", 1) < 1 and not isinstance(rule.get("seed"), int):
        raise ValueError(f"{where}: a probability needs a seed, a whole number")
    return dict(rule)


def _members(where: str, rule: Mapping[str, Any], allowed: set[str], common: bool = True) -> None:
    known = allowed | (_COMMON if common else set())
    unknown = sorted(set(rule) - known)
    if unknown:
        raise ValueError(f"{where} has no {unknown[0]!r}; there are {', '.join(sorted(known))}")


def _object(where: str, rule: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = rule.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{where}: {name} is an object")
    return value


def _text(where: str, rule: Mapping[str, Any], name: str) -> None:
    if not isinstance(rule.get(name), str) or not rule[name]:
        raise ValueError(f"{where}: {name} is a text")


def _one_of(where: str, rule: Mapping[str, Any], name: str, allowed: tuple[str, ...], optional: bool = False) -> str:
    if optional and name not in rule:
        return ""
    if rule.get(name) not in allowed:
        raise ValueError(f"{where}: {name} {rule.get(name)!r} is none of {', '.join(allowed)}")
    return str(rule[name])


def _number(
    where: str, rule: Mapping[str, Any], name: str, low: float, high: float, whole: bool = False, optional: bool = True
) -> None:
    if optional and name not in rule:
        return
    value = rule.get(name)
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise ValueError(f"{where}: {name} {value!r} is no {'whole ' * whole}number from {low} to {high}")
