"""Changes of resources' own policies: who gets in, by whose leave, and what is refused to everybody."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from operations.review.access import words
from operations.review.access.guarded import Guarded
from operations.review.access.phrases import Group, grouped
from operations.review.access.pieces import WIDENED, Item, denying, difference, identity
from operations.review.access.statements import ALLOW, DENY, Statement

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Guard:
    """All that the policies of one resource say: several may be about it."""

    first: Guarded
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Opened:
    """A change of who gets in. ``public``: anybody, ``outside``: somebody of another account.

    ``actions`` are the ones that it is about, within the policy's scope.
    """

    guard: Guarded
    direction: str
    words: str
    public: bool = False
    outside: bool = False
    unknown: bool = False
    actions: tuple[str, ...] = ("*",)


def guards(found: Iterable[Guarded]) -> dict[Key, Guard]:
    """Return policies by what they are about."""
    made: dict[Key, Guard] = {}
    for one in found:
        key = (one.stack, one.about, one.scope[0])
        known = made.get(key)
        made[key] = Guard(known.first if known else one, (known.statements if known else ()) + one.statements)
    return made


def openings(
    before: Mapping[Key, Guard],
    after: Mapping[Key, Guard],
    accounts: Mapping[str, str],
    names: Mapping[str, str],
    gone: Container[tuple[str, str]],
) -> Iterator[Opened]:
    """Yield what changed. ``accounts`` by stack; ``names``: our principals by ARN; ``gone``: deleted resources."""
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        guard = now or was
        if guard is None or (was and now and was.statements == now.statements):
            continue
        if now is None and guard.first.target in gone:
            continue  # its policy goes with it
        account = accounts.get(guard.first.stack, "")
        yield from _opened(guard.first, was.statements if was else (), now.statements if now else (), account, names)


def _opened(
    guard: Guarded, was: Sequence[Statement], now: Sequence[Statement], account: str, names: Mapping[str, str]
) -> Iterator[Opened]:
    if _unreadable(now) and not _unreadable(was):
        text = f"the policy of {guard.about} cannot be read: who gets in is not known"
        yield Opened(guard, "unclear", text, unknown=True)
    for subject in dict.fromkeys(one for each in (*was, *now) if each.effect for one in each.principals):
        whole = (_for(was, subject), _for(now, subject))
        items = difference(_of(was, subject, ALLOW), _of(now, subject, ALLOW), (identity(whole[0]), identity(whole[1])))
        if was:  # what a new policy refuses was not there before either
            items += difference(
                _of(was, subject, DENY), _of(now, subject, DENY), (denying(whole[0]), denying(whole[1]))
            )
        yield from _said(guard, items, subject, account, names)


def _unreadable(statements: Sequence[Statement]) -> bool:
    return any(one.effect == "" for one in statements)


def _of(statements: Sequence[Statement], subject: str, effect: str) -> list[Statement]:
    """Return the statements that name the subject, as if they named nobody else."""
    found = (one for one in statements if one.effect == effect and subject in one.principals)
    return [replace(one, principals=(subject,)) for one in found]


def _for(statements: Sequence[Statement], subject: str) -> list[Statement]:
    return [one for one in statements if subject in one.principals or "*" in one.principals]


def _said(guard: Guarded, items: list[Item], subject: str, account: str, names: Mapping[str, str]) -> Iterator[Opened]:
    who = names.get(subject.removeprefix("AWS:")) or words.principal(subject, account)
    for group in grouped(items):
        widens = group.direction == WIDENED and group.effect == ALLOW
        others = "everybody else" if group.like.not_principals else who
        outside = subject.startswith("AWS:") and not names.get(subject[4:]) and not _ours(subject, account)
        text = _sentence(guard, group, others, account)
        free = widens and not group.like.conditions
        everybody = free and subject == "*"
        yield Opened(guard, group.direction, text, everybody, widens and outside, actions=group.actions)


def _ours(subject: str, account: str) -> bool:
    parts = subject.split(":")
    return account in (parts[1], parts[5] if len(parts) > 5 else "")


def _sentence(guard: Guarded, group: Group, who: str, account: str) -> str:
    like = group.like
    conditions = words.condition(like.conditions)
    change = {True: "now", False: "no longer"}[group.now]
    if guard.source.type == "AWS::IAM::Role":
        if group.effect == ALLOW:
            return f"{who} can {change} take the role {guard.about}{conditions}{_before(group)}"
        return f"taking the role {guard.about} is {change} refused to {who}{conditions}"
    if group.effect == DENY and [one.key for one in like.conditions] == ["aws:securetransport"]:
        return f"{guard.about} {change} refuses requests without TLS"
    doing = words.doing(group.actions, other=like.not_actions)
    things = words.things(group.resources, account, other=like.not_resources)
    if guard.through:
        return f"through {guard.about}, {who} can {change} {doing} {things}{conditions}{_before(group)}"
    if group.effect == ALLOW:
        return f"{who} can {change} {doing} {things}{conditions}{_before(group)}"
    return f"{guard.about} {change} refuses {who} to {doing} {things}{conditions}"


def _before(group: Group) -> str:
    """Return the conditions that there were before, or are left."""
    said = [words.condition(one.conditions).strip() or "without a condition" for one in group.instead]
    return f" ({'was' if group.now else 'now'}: {words.listing(said, 2)})" if said else ""
