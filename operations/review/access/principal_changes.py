"""Changes of principals: new ones, what they can by their own policies, and how far their boundary lets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from operations.review.access import words
from operations.review.access.decide import Policies
from operations.review.access.found import Found, change
from operations.review.access.phrases import MOVED, Group, can, grouped, paired, sentence
from operations.review.access.pieces import (
    NARROWED,
    UNCLEAR,
    WIDENED,
    Item,
    difference,
    identity,
    pieces,
    region,
    shift,
)
from operations.review.access.statements import ALLOW, Statement
from operations.review.access.world import Principal, World

_ALL_ANYWAY = re.compile(
    r"(?!s3:)[\w-]+:(list|describe|getauthorizationtoken|getcalleridentity|getresources)", re.IGNORECASE
)
"""Actions that most often know no resource but all of them: they show what there is."""

_PHRASES = 8
"""Phrases about one principal; what it can beyond them is counted."""


def principal_changes(before: World, after: World) -> Iterator[Found]:
    """Yield what changed in principals' own policies, in their boundaries, and which are new or gone."""
    for key in sorted({*before.principals, *after.principals}):
        was, now = before.principals.get(key), after.principals.get(key)
        if was is None and now is not None:
            yield _new(now, after)
        elif was is not None and now is None:
            yield Found(change(was.resource, was.name, NARROWED, f"{was.name} is gone", "gone"), key)
        elif was is not None and now is not None and was != now:
            yield from _changed(was, now)


def _new(who: Principal, world: World) -> Found:
    trust = [one for one in world.guarded if one.source == who.resource]
    takers = [words.principal(each, who.account) for one in trust for each in _takers(one.statements)]
    items = [Item(WIDENED, one, True) for one in dict.fromkeys(pieces(who.identity)) if one.effect == ALLOW]
    groups = grouped(items)
    kind = who.resource.type.rpartition("::")[2].lower()
    taken = f", taken by {words.listing(takers)}" if takers else ""
    does = f": can {_several([can(one, who.account) for one in groups])}" if groups else ": can do nothing"
    unknown = f"; what {words.listing(who.unknown)} allows is not known" if who.unknown else ""
    marks = {"new", *(mark for one in groups for mark in _marks(one)), *({"public"} if "anybody" in takers else ())}
    unread = any(one.effect != ALLOW and not one.certain for one in who.identity)
    text = f"{who.name} is a new {kind}{taken}{does}{unknown}{'; a policy of it cannot be read' if unread else ''}"
    hidden = bool(who.unknown) or unread
    return Found(change(who.resource, who.name, WIDENED, text, *marks, unknown=hidden), who.key)


def _several(said: list[str]) -> str:
    more = f"; and {len(said) - _PHRASES} more" if len(said) > _PHRASES else ""
    return "; ".join(said[:_PHRASES]) + more


def _takers(statements: tuple[Statement, ...]) -> Iterator[str]:
    for one in statements:
        if one.effect == ALLOW:
            yield from one.principals


def _changed(was: Principal, now: Principal) -> Iterator[Found]:
    of, name, key = now.resource, now.name, now.key
    for one in sorted(set(now.unknown) - set(was.unknown)):
        text = f"{name} gets {one}, whose text is not in the template: what it can do is not known any more"
        yield Found(change(of, name, UNCLEAR, text, unknown=True), key)
    for one in sorted(set(was.unknown) - set(now.unknown)):
        yield Found(change(of, name, NARROWED, f"{name} no longer has {one}"), key)
    yield from _boundary(was, now)
    items = difference(was.identity, now.identity, _whole(was, now))
    if _unreadable(now) and not _unreadable(was):
        text = f"a policy of {name} cannot be read: what it can do is not known any more"
        yield Found(change(of, name, UNCLEAR, text, unknown=True), key)
        items = [one for one in items if one.piece.effect]
    for group, replaced in paired(grouped(items)):
        direction = MOVED if replaced else group.direction
        told = change(of, name, direction, sentence(name, group, replaced, now.account), *_marks(group))
        yield Found(told, key, group.actions, group.resources if not group.like.not_resources else ("*",))


def _unreadable(who: Principal) -> bool:
    return any(one.effect == "" for one in who.identity)


def _marks(group: Group) -> set[str]:
    """Say whether what came has every action of a service, or is unconditional on every resource."""
    if group.direction == NARROWED or group.effect != ALLOW:
        return set()
    like = group.like
    pairs = [(one, two) for one in group.actions for two in group.resources]
    wide = any(_wide(replace(like, actions=(one,), resources=(two,))) for one, two in pairs)
    return {"wildcard"} if wide or like.not_actions or like.not_resources else set()


def _wide(piece: Statement) -> bool:
    action, resource = region(piece)
    return "*" in action or (resource == "*" and not piece.conditions and not _ALL_ANYWAY.match(action))


def _whole(was: Principal, now: Principal) -> tuple[Policies, Policies]:
    return identity(was.identity, was.boundary), identity(now.identity, now.boundary)


def _boundary(was: Principal, now: Principal) -> Iterator[Found]:
    if was.boundary == now.boundary:
        return
    of, name = now.resource, now.name
    if now.boundary is not None and not all(one.effect for one in now.boundary):
        limited = was.boundary is not None and all(one.effect for one in was.boundary)
        text = f"the boundary of {name} is not in the templates: what it limits is not known"
        yield Found(change(of, name, UNCLEAR, text, "boundary", unknown=limited), now.key)
        return
    lifted, limits = _moved_by_boundary(was, now)
    more = [f"it can now {can(one, now.account)}" for one in grouped(lifted)]
    less = [f"it can no longer {can(one, now.account)}" for one in grouped(limits)]
    has = "another boundary" if was.boundary is not None else "a boundary now"
    text = f"{name} has {has if now.boundary is not None else 'no boundary any more'}"
    text += f": {_several([*more, *less])}" if more or less else "; what it can do stays the same"
    opened = bool(more) or now.boundary is None
    direction = WIDENED if opened else NARROWED if less or was.boundary is None else UNCLEAR
    actions = tuple(dict.fromkeys(region(one.piece)[0] for one in [*lifted, *limits])) or ("*",)
    marks = ("boundary", "unbounded" * (now.boundary is None))
    yield Found(change(of, name, direction, text, *marks), now.key, actions)


def _moved_by_boundary(was: Principal, now: Principal) -> tuple[list[Item], list[Item]]:
    """Return the permissions of its own policies that work now, and those that no longer do."""
    lifted, limits = [], []
    for piece in dict.fromkeys(pieces((*was.identity, *now.identity))):
        if piece.effect == ALLOW:
            moved = shift(*_whole(was, now), *region(piece))
            lifted += [Item(WIDENED, piece, True)] if moved.direction(WIDENED) else []
            limits += [Item(NARROWED, piece, False)] if moved.direction(NARROWED) else []
    return lifted, limits
