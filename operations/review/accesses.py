"""What of the changes of access a reviewer must know or approve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from operations.review.access import AccessChange
from operations.review.assembly import Assembly
from operations.review.change import Concern


def access_concerns(changes: Iterable[AccessChange], head: Assembly) -> Iterator[Concern]:
    """Yield broken promises, what is not known any more, lost boundaries, who gets in, and who can do more.

    A new role's permissions are told, and are no concern by themselves: its promises are, and its wildcards. Nor is a
    VPC endpoint's policy: it bounds what goes through the endpoint, and lets nobody in who is not let in elsewhere.
    """
    for one in changes:
        if one.promise_broken:
            words = f"{one.words}. It promises: {one.promise_broken}"
            yield Concern("promise-broken", one.stack, one.path, words, blocks=True)
        if one.newly_unknown:
            yield Concern("access-unknown", one.stack, one.path, one.words, blocks=True)
        if _type(one, head) == "AWS::EC2::VPCEndpoint":
            continue
        if "unbounded" in one.marks:
            yield Concern("boundary-removed", one.stack, one.path, one.words, blocks=True)
        elif one.direction == "widened" and one.marks & {"public", "outside"}:
            yield Concern("access-open", one.stack, one.path, one.words, blocks=True)
        elif one.direction in ("widened", "unclear") and "new" not in one.marks and not one.newly_unknown:
            yield Concern("access-widened", one.stack, one.path, one.words, blocks=False)


def _type(one: AccessChange, head: Assembly) -> str:
    stack = head.stacks.get(one.stack)
    found = stack.resources.get(one.logical_id) if stack else None
    return found.type if found else ""
