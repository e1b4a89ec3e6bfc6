"""Proves promises on templates: what a role may do it can, what it may not do nothing allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operations.review.access.decide import Answer
from operations.review.access.statements import Unreadable
from operations.review.access.world import World
from operations.review.assembly import Assembly
from sandcastle.promises import Promise, promises_of

ASSUMED = {"aws:SecureTransport": "true"}
"""What every promise takes for granted: our buckets refuse requests without TLS, and nobody's SDK sends such."""


@dataclass(frozen=True)
class Verdict:
    """A promise and what became of it.

    ``kept`` is None when the templates do not tell. A promise that only holds under conditions is not kept.
    ``resource`` is the promise's resource as text, with symbols (``words.plain`` writes them out).
    """

    promise: Promise
    principal: str
    stack: str
    path: str
    resource: str
    context: Mapping[str, str]
    answer: Answer
    kept: bool | None

    @property
    def text(self) -> tuple[bool, str, str, tuple[tuple[str, str], ...]]:
        """What is promised: equal for equal promises of two assemblies."""
        return self.promise.allowed, self.promise.action, self.resource, tuple(sorted(self.context.items()))


def promises(assembly: Assembly) -> list[Verdict]:
    """Prove every promise of an assembly."""
    return list(prove(World.of(assembly)))


def prove(world: World, promised: World | None = None) -> Iterator[Verdict]:
    """Prove in the world the promises that stand in it, or those of another one whose roles are still there."""
    source = promised or world
    for stack in source.assembly.stacks.values():
        for logical_id, promise in promises_of({"Resources": {key: one.body for key, one in stack.resources.items()}}):
            key = f"{stack.name}/{logical_id}"
            if key in world.principals and key in source.principals:
                yield _verdict(world, source, key, promise)


def _verdict(world: World, source: World, key: str, promise: Promise) -> Verdict:
    role = source.principals[key].resource
    read = source.values.reader(role.stack)
    try:
        resource = read(promise.resource)
        context = {name: read(value) for name, value in promise.context.items()}
    except Unreadable:
        return Verdict(promise, key, role.stack, role.path, "?", {}, Answer.UNKNOWN, None)
    answer = world.answer(key, promise.action, resource, {**ASSUMED, **context})
    kept = None if answer is Answer.UNKNOWN else answer is (Answer.ALL if promise.allowed else Answer.NONE)
    return Verdict(promise, key, role.stack, role.path, resource, context, answer, kept)
