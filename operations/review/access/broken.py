"""Promises that a change breaks, told at the change that breaks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from operations.review.access import words
from operations.review.access.found import AccessChange, Found, change
from operations.review.access.language import Pattern, TooLarge, overlaps
from operations.review.access.pieces import NARROWED, UNCLEAR, WIDENED
from operations.review.access.promised import Said, Verdict, said_in, verdict
from operations.review.access.resource_changes import Guard, Key
from operations.review.access.statements import Statement
from operations.review.access.world import Principal, World

_EXAMPLES = 2


def with_promises(
    found: list[Found], before: World, after: World, guards: tuple[Mapping[Key, Guard], Mapping[Key, Guard]]
) -> list[AccessChange]:
    """Return the changes, each with the promises that it breaks; a broken one that none explains is one more."""
    more: list[AccessChange] = []
    unproved: dict[str, list[str]] = {}
    for one in _broken(before, after, _moved_guards(*guards)):
        who = after.principals[one.principal]
        text = promise_in_words(one, who)
        if one.kept is None:
            unproved.setdefault(one.principal, []).append(text)
            continue
        direction = NARROWED if one.promise.allowed else WIDENED
        cause = next((each for each in _causes(found, one, direction)), None)
        if cause is None:
            told = f"{who.name} breaks its promise: {text}"
            more.append(change(who.resource, who.name, direction, told, broken=text))
        else:
            cause.broken.append(text if cause.whose else f"{who.name} {text}")
    for key, texts in unproved.items():
        who = after.principals[key]
        rest = f", and {len(texts) - _EXAMPLES} more" if len(texts) > _EXAMPLES else ""
        count = "a promise" if len(texts) == 1 else f"{len(texts)} promises"
        told = f"{count} of {who.name} cannot be proved: {', '.join(texts[:_EXAMPLES])}{rest}"
        more.append(change(who.resource, who.name, UNCLEAR, told, unknown=True))
    return [*(replace(one.change, promise_broken=_joined(one.broken)) for one in found), *more]


def _joined(broken: list[str]) -> str | None:
    found = list(dict.fromkeys(broken))
    rest = f"; and {len(found) - 4} more" if len(found) > 5 else ""
    return "; ".join(found[:4] if rest else found) + rest if found else None


def _causes(found: list[Found], one: Verdict, direction: str) -> Iterator[Found]:
    """Yield the changes that may have broken a promise: the role's own before those of resources."""
    action, resource = Pattern(one.promise.action.lower()), Pattern(one.resource, fields=True)

    def about(each: Found) -> bool:
        acts = any(overlaps(Pattern(name.lower()), action) for name in each.actions)
        return acts and any(overlaps(Pattern(scope, fields=True), resource) for scope in each.scope)

    fitting = [each for each in found if each.change.direction in (direction, UNCLEAR)]
    yield from (each for each in fitting if each.whose == one.principal and about(each))
    yield from (each for each in fitting if each.whose is None and about(each))
    yield from (each for each in fitting if each.whose == one.principal)


def _moved_guards(before: Mapping[Key, Guard], after: Mapping[Key, Guard]) -> list[Statement]:
    """Return the statements of resources' policies that changed: only they change what others can."""
    moved: list[Statement] = []
    for key in {*before, *after}:
        was = before[key].statements if key in before else ()
        now = after[key].statements if key in after else ()
        if was != now:
            moved += [one for one in (*was, *now) if not (one in was and one in now)] or [*was, *now]
    return moved


def _broken(before: World, after: World, moved: list[Statement]) -> Iterator[Verdict]:
    """Yield the promises that are not kept: those that were, new ones, and withdrawn ones that would be broken."""
    earlier = {(one.principal, one.text): one for one in said_in(before)}
    later = {(one.principal, one.text): one for one in said_in(after)}
    same = {key for key, who in after.principals.items() if before.principals.get(key) == who}
    for key, said in later.items():
        if key in earlier and key[0] in same and not _touched(said, moved):
            continue
        now = verdict(after, said)
        if now.kept is True:
            continue
        was = verdict(before, said).kept if key in earlier and key[0] in before.principals else True
        if was or (was is None and now.kept is False):
            yield now
    for key, said in earlier.items():
        withdrawn = key not in later and key[0] in after.principals and not said.promise.allowed
        if withdrawn and verdict(after, said).kept is False and verdict(before, said).kept:
            yield verdict(after, said)


def _touched(said: Said, moved: list[Statement]) -> bool:
    """Say whether a resource's policy that changed may matter to a promise."""
    if said.resource is None:
        return True
    action, resource = Pattern(said.promise.action.lower()), Pattern(said.resource, fields=True)
    try:
        return any(
            (one.not_actions or any(overlaps(each, action) for each in one.action_patterns))
            and any(overlaps(each, resource) for each in one.scope_patterns)
            for one in moved
        )
    except TooLarge:
        return True


def promise_in_words(one: Verdict, who: Principal) -> str:
    """Return a promise in words: ``may not s3:GetObject on every object in Data``."""
    may = "may" if one.promise.allowed else "may not"
    things = words.resource(one.resource, who.account)
    when = [f"{key} is {words.plain(value)}" for key, value in sorted(one.context.items())]
    return f"{may} {one.promise.action} on {things}{' when ' + ' and '.join(when) if when else ''}"
