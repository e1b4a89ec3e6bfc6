"""What a change does to access, in words: principals, trust, boundaries, resources' policies, promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from operations.review.access.broken import with_promises
from operations.review.access.exposure import exposures
from operations.review.access.found import ORDER, AccessChange, Found, change
from operations.review.access.principal_changes import principal_changes
from operations.review.access.resource_changes import Guard, Key, guards, openings
from operations.review.access.world import World
from operations.review.assembly import Assembly


def changes(base: Assembly, head: Assembly) -> list[AccessChange]:
    """Return what the change does to access, by stack and path, what opens most first."""
    before, after = World.of(base), World.of(head)
    guarded = guards(before.guarded), guards(after.guarded)
    found = [*principal_changes(before, after), *_resources(before, after, guarded), *_switches(base, head)]
    told = dict.fromkeys(with_promises(found, before, after, guarded))
    return sorted(told, key=lambda one: (one.stack, one.path, ORDER.index(one.direction), one.words))


def _resources(
    before: World, after: World, guarded: tuple[Mapping[Key, Guard], Mapping[Key, Guard]]
) -> Iterator[Found]:
    worlds = (before, after)
    accounts = {name: world.values.account(name) for world in worlds for name in world.assembly.stacks}
    names = {one.arn: one.name for world in worlds for one in world.principals.values()}
    there = {(one.stack, one.logical_id) for one in after.assembly.resources()}
    deleted = {(one.stack, one.logical_id) for one in before.assembly.resources()} - there
    told = {*before.principals} ^ {*after.principals}  # who takes a new role is said with it
    for one in openings(*guarded, accounts, names, deleted):
        source = one.guard.source
        trust = source.type == "AWS::IAM::Role"
        if trust and f"{source.stack}/{source.logical_id}" in told:
            continue
        marks = ("public" * one.public, "outside" * one.outside, "trust" * trust)
        made = change(source, one.guard.about, one.direction, one.words, *marks, unknown=one.unknown)
        yield Found(made, None, one.actions, one.guard.scope)


def _switches(base: Assembly, head: Assembly) -> Iterator[Found]:
    was = {(one.stack, one.logical_id): one for one in base.resources()}
    now = {(one.stack, one.logical_id): one for one in head.resources()}
    for key in sorted({*was, *now}):
        for one in exposures(was.get(key), now.get(key)):
            name = one.resource.path.replace("/", "")
            made = change(one.resource, name, one.direction, one.words, "public" * one.public, unknown=one.unknown)
            yield Found(made, "")
