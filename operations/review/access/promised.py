"""Proves promises on templates: what a role may do it can, what it may not do nothing allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operations.review.access.decide import Answer
from operations.review.access.statements import Unreadable
from operations.review.access.world import World
from operations.review.assembly import Assembly, Resource
from sandcastle.promises import METADATA_KEY, Promise

ASSUMED = {"aws:SecureTransport": "true"}
"""What every promise takes for granted: our buckets refuse requests without TLS, and nobody's SDK sends such."""

Text = tuple[bool, str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Said:
    """A promise with its values worked out, as text with symbols; ``resource`` is None when that cannot be done."""

    principal: str
    promise: Promise
    resource: str | None
    context: Mapping[str, str]

    @property
    def text(self) -> Text:
        """What is promised: equal for equal promises, in another assembly, too."""
        return self.promise.allowed, self.promise.action, self.resource or "", tuple(sorted(self.context.items()))


@dataclass(frozen=True)
class Verdict:
    """A promise and what became of it.

    ``kept`` is None when the templates do not tell. A promise that only holds under conditions is not kept.
    ``resource`` and ``context`` are texts with symbols (``words.plain`` writes them out).
    """

    promise: Promise
    principal: str
    stack: str
    path: str
    resource: str
    context: Mapping[str, str]
    answer: Answer
    kept: bool | None


def promises(assembly: Assembly) -> list[Verdict]:
    """Prove every promise of an assembly."""
    world = World.of(assembly)
    return [verdict(world, one) for one in said_in(world)]


def said_in(world: World) -> Iterator[Said]:
    """Yield the promises that stand in a world's templates, of roles that are there; odd entries are no promises."""
    for resource in world.assembly.resources():
        entries = resource.metadata.get(METADATA_KEY)
        role = _whose(world, resource)
        for entry in entries if isinstance(entries, list) and role in world.principals else ():
            try:
                promise = Promise.from_metadata(entry)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
            if isinstance(promise.action, str):
                yield _said(world, resource.stack, role, promise)


def _whose(world: World, resource: Resource) -> str:
    """Return the role of promises: the resource itself, or the one that a policy is added to."""
    roles = resource.properties.get("Roles")
    if resource.type in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy") and isinstance(roles, list) and roles:
        found = world.values.referred(resource.stack, roles[0])
        return f"{found.stack}/{found.logical_id}" if found else ""
    return f"{resource.stack}/{resource.logical_id}"


def _said(world: World, stack: str, key: str, promise: Promise) -> Said:
    read = world.values.reader(stack)
    try:
        return Said(key, promise, read(promise.resource), {name: read(each) for name, each in promise.context.items()})
    except Unreadable:
        return Said(key, promise, None, {})


def verdict(world: World, said: Said) -> Verdict:
    """Prove one promise. Raises KeyError when its role is not there."""
    role = world.principals[said.principal].resource
    answer = Answer.UNKNOWN
    if said.resource is not None:
        answer = world.answer(said.principal, said.promise.action, said.resource, {**ASSUMED, **said.context})
    wanted = Answer.ALL if said.promise.allowed else Answer.NONE
    kept = None if answer is Answer.UNKNOWN else answer is wanted
    where = (role.stack, role.path, said.resource or "?")
    return Verdict(said.promise, said.principal, *where, said.context, answer, kept)
