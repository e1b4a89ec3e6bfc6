"""A pipeline as an outline: steps that follow each other one below the other, what runs side by side below what it
waits for, and the branches of a condition below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from operations.pipeline.plan import Branch, Plan


@dataclass
class Item:
    """A step or, where ``outcome`` is set, one side of the condition ``name``; ``inside`` are items below it.

    Steps inside a side follow each other; steps inside a step run side by side.
    """

    name: str
    outcome: bool | None = None
    inside: list[Item] = field(default_factory=list)


def outline(plan: Plan) -> list[Item]:
    """Return the items of the first level, in their order."""
    return _level(plan, None)


def _level(plan: Plan, branch: Branch | None) -> list[Item]:
    """Return what stands in one branch, or outside of all of them."""
    names = [name for name, step in plan.steps.items() if step.branch == branch]
    parents = {name: [one for one in plan.direct[name] if one in names] for name in names}
    gate = _gates(names, parents)
    return [item for name in names if gate[name] is None for item in _sequence(plan, name, parents, gate)]


def _gates(names: Sequence[str], parents: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Return for each step the last one before it that all its ways lead through: its immediate dominator."""
    gate: dict[str, str | None] = {}

    def chain(name: str | None) -> Iterator[str]:
        while name is not None:
            yield name
            name = gate[name]

    for name in names:
        common: list[str] | None = None
        for parent in parents[name]:
            above = list(chain(parent))
            common = above if common is None else [one for one in common if one in above]
        gate[name] = common[0] if common else None
    return gate


def _sequence(
    plan: Plan, name: str, parents: Mapping[str, Sequence[str]], gate: Mapping[str, str | None]
) -> Iterator[Item]:
    """Return the step and what follows it on the same level: the only next one, or where its ways meet again."""
    after = [one for one in gate if gate[one] == name]
    side_by_side = [one for one in after if list(parents[one]) == [name]]
    if len(after) == 1:
        side_by_side = []
    yield _item(plan, name, [_nested(plan, one, parents, gate) for one in side_by_side])
    for one in after:
        if one not in side_by_side:
            yield from _sequence(plan, one, parents, gate)


def _nested(plan: Plan, name: str, parents: Mapping[str, Sequence[str]], gate: Mapping[str, str | None]) -> Item:
    return _item(plan, name, [_nested(plan, one, parents, gate) for one in gate if gate[one] == name])


def _item(plan: Plan, name: str, inside: list[Item]) -> Item:
    sides = [Item(name, outcome, found) for outcome in (True, False) if (found := _level(plan, Branch(name, outcome)))]
    return Item(name, None, sides + inside)
