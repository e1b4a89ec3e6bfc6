"""What of the changes of access a reviewer must know or approve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from operations.review.access import AccessChange
from operations.review.change import Concern


def access_concerns(changes: Iterable[AccessChange]) -> Iterator[Concern]:
    """Yield broken promises, what is not known any more, who gets in from outside, and who can do more.

    A new role's permissions are told, and are no concern by themselves: its promises are, and its wildcards.
    """
    for one in changes:
        if one.promise_broken:
            words = f"{one.words}. It promises: {one.promise_broken}"
            yield Concern("promise-broken", one.stack, one.path, words, blocks=True)
        if one.newly_unknown:
            yield Concern("access-unknown", one.stack, one.path, one.words, blocks=True)
        if one.direction == "widened" and one.marks & {"public", "outside"}:
            yield Concern("access-open", one.stack, one.path, one.words, blocks=True)
        elif one.direction in ("widened", "unclear") and "new" not in one.marks and not one.newly_unknown:
            yield Concern("access-widened", one.stack, one.path, one.words, blocks=False)


def without_repetition(proved: Iterable[Concern], plain: Iterable[Concern]) -> Iterator[Concern]:
    """Yield the proved concerns, and of the plain ones those that are not about the same thing by the same rule."""
    told = list(proved)
    places = {(one.rule, one.stack, one.path) for one in told}
    yield from told
    yield from (one for one in plain if (one.rule, one.stack, one.path) not in places)
