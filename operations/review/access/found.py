"""A change of access, as it is found and as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from operations.review.access.phrases import MOVED
from operations.review.access.pieces import NARROWED, UNCLEAR, WIDENED
from operations.review.assembly import Resource

ORDER = (WIDENED, UNCLEAR, MOVED, NARROWED)
"""Directions, what opens most first."""


@dataclass(frozen=True)
class AccessChange:
    """One change of access.

    ``direction``: ``widened``, ``narrowed``, ``unclear``, or ``moved``: the same access to another version of the same
    thing (a hash in its name differs). ``promise_broken`` says which promises it breaks. ``newly_unknown``: something
    about it could be told before and no longer can. ``marks``: ``public`` (anybody gets in), ``outside`` (somebody of
    another account), ``wildcard`` (every action of a service, or every resource), ``boundary``, ``unbounded``
    (it has none any more), ``trust``, ``new`` and ``gone`` (the whole principal).
    """

    stack: str
    path: str
    logical_id: str
    principal: str
    direction: str
    words: str
    promise_broken: str | None = None
    newly_unknown: bool = False
    marks: frozenset[str] = field(default_factory=frozenset)


@dataclass
class Found:
    """A change and what it is about, so that a promise that it breaks is told with it.

    ``whose`` is a principal's key, None where a resource's policy changed for anybody. ``scope`` bounds the resources.
    """

    change: AccessChange
    whose: str | None = None
    actions: tuple[str, ...] = ("*",)
    scope: tuple[str, ...] = ("*",)
    broken: list[str] = field(default_factory=list)


def change(
    of: Resource, name: str, direction: str, text: str, *marks: str, unknown: bool = False, broken: str | None = None
) -> AccessChange:
    """Return a change of what stands in a resource. Empty marks are none."""
    kept = frozenset(one for one in marks if one)
    return AccessChange(of.stack, of.path, of.logical_id, name, direction, text, broken, unknown, kept)
