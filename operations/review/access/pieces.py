"""What differs between two sets of statements, piece by piece, and what that does to access."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from operations.review.access.decide import Clause, Part, Policies, Values, cases, permitted
from operations.review.access.language import TooLarge, overlaps
from operations.review.access.statements import ALLOW, DENY, Statement

WIDENED, NARROWED, UNCLEAR = "widened", "narrowed", "unclear"
MOST = 200
"""Pieces that are compared one by one; a change of more is unclear as a whole."""

_UNSURE = 8
"""Statements that may or may not apply to one request, of which every combination is looked at."""

_EVERYTHING = Clause(Part.IDENTITY, Statement(ALLOW, ("*",), ("*",)))


@dataclass(frozen=True)
class Shift:
    """What a change does to the requests of a question: what surely, and what only perhaps."""

    surely: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()

    def direction(self, expected: str) -> str | None:
        """Return the expected direction where it is so, ``UNCLEAR`` where that is open, None where it is not so."""
        return expected if expected in self.surely else UNCLEAR if expected in self.perhaps else None


@dataclass(frozen=True)
class Item:
    """A piece that came (``now``) or went, and what that did."""

    direction: str
    piece: Statement
    now: bool
    instead: tuple[Statement, ...] = ()
    """What the other side has in its place: pieces of the same action that overlap."""


def shift(before: Policies, after: Policies, action: str, resource: str) -> Shift:
    """Compare what two policies allow, for all requests of a question."""
    joint = Policies(before.clauses + after.clauses)
    surely: set[str] = set()
    perhaps: set[str] = set()
    try:
        for values in (one for case in cases(joint, action, resource, {}) for one in case):
            found = {one for each in _settled(joint, values) for one in _moved(before, after, each)}
            if len(found) == 1:
                surely |= found
            perhaps |= found
    except TooLarge:
        return Shift(perhaps=frozenset({WIDENED, NARROWED}))
    return Shift(frozenset(surely), frozenset(perhaps))


def _moved(before: Policies, after: Policies, values: Values) -> tuple[str, ...]:
    """Return what happens to one kind of request: nothing (an empty text), or either where it may be both."""
    count = len(before.clauses)
    was, now = permitted(before, values[:count]), permitted(after, values[count:])
    if was is now:
        return ("",)
    return (WIDENED, NARROWED) if was is None or now is None else (WIDENED if now else NARROWED,)


def _settled(joint: Policies, values: Values) -> Iterator[Values]:
    """Yield every way in which what is not known may be: the same for the same statement on both sides."""
    unsure: dict[Clause, list[int]] = {}
    for at, value in enumerate(values):
        if value is None:
            unsure.setdefault(joint.clauses[at], []).append(at)
    if len(unsure) > _UNSURE:
        raise TooLarge(f"{len(unsure)} statements of which nobody knows whether they apply")
    for picked in itertools.product((True, False), repeat=len(unsure)):
        settled = list(values)
        for places, value in zip(unsure.values(), picked, strict=True):
            for at in places:
                settled[at] = value
        yield tuple(settled)


def pieces(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield each statement in pieces of one action and one resource; what is turned round (Not...) stays whole."""
    for one in statements:
        for action in (one.actions,) if one.not_actions else [(each,) for each in one.actions]:
            for resource in (one.resources,) if one.not_resources else [(each,) for each in one.resources]:
                yield replace(one, actions=action, resources=resource)


def region(piece: Statement) -> tuple[str, str]:
    """Return the action and the resource that a piece is at most about."""
    return "*" if piece.not_actions else piece.actions[0], "*" if piece.not_resources else piece.resources[0]


def difference(
    before: Sequence[Statement],
    after: Sequence[Statement],
    whole: tuple[Policies, Policies],
) -> list[Item]:
    """Return what the change of some statements does, judged by the whole policies that they stand in."""
    was, now = dict.fromkeys(pieces(before)), dict.fromkeys(pieces(after))
    changed = [(one, True) for one in now if one not in was] + [(one, False) for one in was if one not in now]
    found = []
    for piece, came in changed[:MOST]:
        expected = WIDENED if (piece.effect == ALLOW) == came else NARROWED
        moved = shift(*whole, *region(piece))
        direction = moved.direction(expected) if piece.effect in (ALLOW, DENY) else UNCLEAR
        if direction:
            others = (one for one in (was if came else now) if one.effect == piece.effect)
            found.append(Item(direction, piece, came, tuple(one for one in others if _in_its_place(one, piece))))
    if len(changed) > MOST:
        found.append(Item(UNCLEAR, Statement("", ("*",), ("*",)), True))
    return found


def _in_its_place(other: Statement, piece: Statement) -> bool:
    if other.not_actions or other.not_resources or piece.not_actions or piece.not_resources:
        return False
    same = any(overlaps(one, two) for one in other.action_patterns for two in piece.action_patterns)
    return same and any(overlaps(one, two) for one in other.resource_patterns for two in piece.resource_patterns)


def identity(statements: Iterable[Statement], boundary: Iterable[Statement] | None = None) -> Policies:
    """Return statements as the policies of one who has nothing else."""
    own = tuple(Clause(Part.IDENTITY, one) for one in statements)
    bounds = tuple(Clause(Part.BOUNDARY, one) for one in boundary or ())
    return Policies(own + bounds, boundary is not None)


def denying(statements: Iterable[Statement]) -> Policies:
    """Return the Deny statements as the policies of one who may do everything else."""
    return Policies((_EVERYTHING, *(Clause(Part.IDENTITY, one) for one in statements if one.effect != ALLOW)))
