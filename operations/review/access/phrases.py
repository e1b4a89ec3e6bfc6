"""Gathers items of a difference into few phrases: one for all actions on one resource, one for resources alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from operations.review.access import words
from operations.review.access.pieces import NARROWED, UNCLEAR, WIDENED, Item
from operations.review.access.statements import ALLOW, DENY, Statement

MOVED = "moved"
"""The same access as before, to another version of the same thing: only a content hash in a name differs."""

_HASH = re.compile(r"[0-9a-f]{16,}")


@dataclass(frozen=True)
class Group:
    """Actions and resources of which each with each came or went alike."""

    direction: str
    effect: str
    now: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    like: Statement
    instead: tuple[Statement, ...] = ()

    @property
    def without_hashes(self) -> tuple[object, ...]:
        """What it is but for the hashes in names: equal for two versions of the same."""
        resources = tuple(sorted(_HASH.sub("#", one) for one in self.resources))
        conditions = tuple(
            (one.operator, one.key, tuple(_HASH.sub("#", each) for each in one.values)) for one in self.like.conditions
        )
        return self.effect, tuple(sorted(self.actions)), resources, conditions

    @property
    def has_hash(self) -> bool:
        """Whether there is a hash in it at all."""
        values = [each for one in self.like.conditions for each in one.values]
        return any(_HASH.search(one) for one in (*self.resources, *values))


def grouped(items: Iterable[Item]) -> list[Group]:
    """Return the items in groups. What is turned round (Not...) is gathered with nothing else."""
    by_resource: dict[tuple[str, bool, Statement], list[Item]] = {}
    for one in items:
        like = replace(one.piece, actions=one.piece.actions if one.piece.not_actions else ())
        by_resource.setdefault((one.direction, one.now, like), []).append(one)
    by_action: dict[tuple[str, bool, Statement], list[Item]] = {}
    for (direction, now, like), found in by_resource.items():
        actions = tuple(dict.fromkeys(each for one in found for each in one.piece.actions))
        alike = replace(like, actions=actions, resources=like.resources if like.not_resources else ())
        by_action.setdefault((direction, now, alike), []).extend(found)
    return [_group(found) for found in by_action.values()]


def _group(items: list[Item]) -> Group:
    first = items[0]
    actions = tuple(dict.fromkeys(each for one in items for each in one.piece.actions))
    resources = tuple(dict.fromkeys(each for one in items for each in one.piece.resources))
    instead = tuple(dict.fromkeys(each for one in items for each in one.instead))
    return Group(first.direction, first.piece.effect, first.now, actions, resources, first.piece, instead)


def paired(groups: Sequence[Group]) -> list[tuple[Group, Group | None]]:
    """Return each group, with the one that it replaces where both differ in hashes only."""
    gone = {one.without_hashes: one for one in groups if one.direction == NARROWED and one.has_hash}
    came = {one.without_hashes for one in groups if one.direction == WIDENED and one.has_hash}
    found: list[tuple[Group, Group | None]] = []
    for one in groups:
        if one.direction == WIDENED and one.has_hash and one.without_hashes in gone:
            found.append((one, gone[one.without_hashes]))
        elif not (one.direction == NARROWED and one.has_hash and one.without_hashes in came):
            found.append((one, None))
    return found


def can(group: Group, account: str) -> str:
    """Return what a group allows or denies: ``read every object in Data if ...``."""
    like = group.like
    doing = words.doing(group.actions, other=like.not_actions)
    things = words.things(group.resources, account, other=like.not_resources)
    return f"{doing} {things}{words.condition(like.conditions)}"


def sentence(name: str, group: Group, replaced: Group | None, account: str) -> str:
    """Return what happened to somebody in one sentence."""
    said = can(group, account)
    if not group.effect:
        return f"{name}: more permissions change than are compared one by one"
    perhaps = "" if group.like.certain else " (under a condition of the template)"
    if replaced:
        hashes = ", ".join(sorted({each for one in replaced.resources for each in _HASH.findall(one)}))
        return f"{name} can {said}: another version of the same{f' (was: {hashes[:16]})' if hashes else ''}"
    verb = {
        (ALLOW, True): "can now",
        (ALLOW, False): "can no longer",
        (DENY, True): "is now denied to",
        (DENY, False): "is no longer denied to",
    }[group.effect, group.now]
    if group.direction == UNCLEAR:
        verb = {"can now": "can perhaps now", "can no longer": "can perhaps no longer"}.get(verb, verb)
    return f"{name} {verb} {said}{perhaps}{_instead(group, account)}"


def _instead(group: Group, account: str) -> str:
    """Return what there was before, or is left, in the same place."""
    if not group.instead or group.effect != ALLOW:
        return ""
    said: dict[str, None] = {}
    for one in group.instead:
        actions = "" if set(one.actions) <= set(group.actions) else f"{', '.join(one.actions)} on "
        things = "" if set(one.resources) <= set(group.resources) else words.resource(one.resources[0], account)
        if actions and not things:
            things = "the same"
        limits = words.condition(one.conditions).strip()
        text = " ".join(part for part in (actions + things, limits) if part)
        said[text or "without a condition"] = None
    return f" ({'was' if group.now else 'now'}: {words.listing(said, 2)})" if said else ""
