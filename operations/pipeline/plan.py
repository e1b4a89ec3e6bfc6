"""The steps of a pipeline's definition and what waits for what: the part of it that can be shown.

A step waits for the steps in its DependsOn and for those that its arguments refer to; the steps of a Condition stand
inside it (SageMaker developer guide, "Pipeline steps").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

_BRANCHES = (("IfSteps", True), ("ElseSteps", False))
_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Branch:
    """Where a step stands: below this condition, on the side of this outcome."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step: its type as the definition has it (``Training``), all that it waits for, and its branch if any."""

    name: str
    kind: str
    after: frozenset[str]
    branch: Branch | None


@dataclass(frozen=True)
class Parameter:
    """A parameter that an execution may set; ``default`` is None where one must."""

    name: str
    kind: str
    default: Any


@dataclass(frozen=True)
class Plan:
    """All steps of a definition by name, each after those that it waits for, and its parameters."""

    steps: Mapping[str, Step]
    parameters: Mapping[str, Parameter]

    @classmethod
    def read(cls, text: str) -> Plan:
        """Read a definition that AWS has accepted."""
        document = json.loads(text)
        found = {step.name: step for step in _steps(document["Steps"], None)}
        waits = {name: [*step.after, *_condition(step)] for name, step in found.items()}
        parameters = [
            Parameter(one["Name"], one["Type"], one.get("DefaultValue")) for one in document.get("Parameters") or []
        ]
        return cls(
            {name: found[name] for name in _in_order(waits)},
            {one.name: one for one in parameters},
        )

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """All steps that must have ended before each step, its conditions included."""
        found: dict[str, frozenset[str]] = {}
        for name, step in self.steps.items():
            above = {*step.after, *_condition(step)}
            found[name] = frozenset(above.union(*(found[one] for one in above)))
        return found

    @cached_property
    def direct(self) -> Mapping[str, tuple[str, ...]]:
        """What each step waits for and nothing else that it waits for does, its own condition left out.

        A drawing needs no more: a line from Prepare to a step that waits for Train, which waits for Prepare, says
        nothing new.
        """
        found = {}
        for name, step in self.steps.items():
            above = {*step.after, *_condition(step)}
            implied = frozenset[str]().union(*(self.ancestors[one] for one in above))
            found[name] = tuple(one for one in self.steps if one in step.after - implied - {*_condition(step)})
        return found

    def from_step(self, name: str) -> list[str]:
        """Return the step and everything that waits for it, at once or in the end."""
        return [one for one in self.steps if one == name or name in self.ancestors[one]]


def _condition(step: Step) -> tuple[str, ...]:
    return (step.branch.condition,) if step.branch else ()


def _in_order(waits: Mapping[str, list[str]]) -> Iterator[str]:
    """Each name after all that it waits for; where that leaves a choice, in the order of the definition."""
    sorter, place = TopologicalSorter(waits), {name: number for number, name in enumerate(waits)}
    sorter.prepare()
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted({*ready, *sorter.get_ready()}, key=place.__getitem__)
        first, *ready = ready
        yield first
        sorter.done(first)


def _steps(entries: list[Any], branch: Branch | None) -> Iterator[Step]:
    """Return every step of a list, and after a Condition those inside it."""
    for entry in entries:
        arguments = dict(entry.get("Arguments") or {})
        inside = [(arguments.pop(member, None) or [], outcome) for member, outcome in _BRANCHES]
        name = entry["Name"]
        depends = [one for one in entry.get("DependsOn") or [] if isinstance(one, str)]
        yield Step(name, entry["Type"], frozenset({*depends, *_references(arguments)}), branch)
        if entry["Type"] == "Condition":
            for steps, outcome in inside:
                yield from _steps(steps, Branch(name, outcome))


def _references(value: Any) -> Iterator[str]:
    """Return the names of the steps that a value refers to, however deep."""
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        target = value.get("Get")
        if isinstance(target, str) and (match := _STEP.match(target)):
            yield match[1]
        for one in value.values():
            yield from _references(one)
