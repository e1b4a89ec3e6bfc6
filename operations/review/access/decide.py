"""Decides what policies allow, for all requests of a question at once.

The order of IAM's decision is that of its user guide, "Policy evaluation logic", within one account: an explicit Deny
in any policy ends it; then the identity's policies within their boundary, or the resource's policy, must allow.
KMS keys and roles are taken only by leave of their own policy ("Key policies in AWS KMS"; "How IAM roles differ from
resource-based policies").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from operations.review.access.conditions import Context, combinations
from operations.review.access.language import Pattern, TooLarge, matches, vectors
from operations.review.access.logic import Truth, any_of, both, chosen, negated
from operations.review.access.statements import ALLOW, DENY, EITHER, Statement, statements_of
from operations.review.access.symbols import is_symbol


class Answer(Enum):
    """What the templates' policies say about all requests of a question."""

    ALL = "all"
    """Every request is allowed, whatever else it holds."""
    NONE = "none"
    """No request is allowed, whatever else it holds."""
    SOME = "some"
    """Surely some are, and surely some are not."""
    CONDITIONAL = "conditional"
    """It depends on condition keys that the question leaves open."""
    UNKNOWN = "unknown"
    """It depends on what is not in the templates."""


class Part(Enum):
    """What a statement is to the principal in question."""

    IDENTITY = "its own policy"
    BOUNDARY = "its boundary"
    DIRECT = "a resource's policy that names it"
    ANYONE = "a resource's policy that names everybody"
    ACCOUNT = "a resource's policy that names its account"
    GATED = "actions that a resource's own policy must allow"
    GATE = "the resources whose own policy is known"


@dataclass(frozen=True)
class Clause:
    """A statement and its part. ``applies`` is None when the principal may or may not be meant."""

    part: Part
    statement: Statement
    applies: Truth = True


@dataclass(frozen=True)
class Policies:
    """All that decides about one principal. A user's direct grants need no boundary's leave; a role's do."""

    clauses: tuple[Clause, ...]
    bounded: bool = False
    user: bool = False

    @cached_property
    def kinds(self) -> dict[str, frozenset[Live]]:
        """What was already found out about actions: each question asks about one, many about the same."""
        return {}


Values = tuple[Truth, ...]
"""For each clause, whether it applies to a request."""

Live = tuple[tuple[int, Truth], ...]
"""Clauses, by their place, that act on an action, and whether surely."""

_GRANTING = (Part.IDENTITY, Part.DIRECT, Part.ANYONE)


def cases(policies: Policies, action: str, resource: str, context: Context) -> Iterator[frozenset[Values]]:
    """Yield, for each kind of request that the clauses tell apart, how its conditions let them apply.

    Raises TooLarge when there are too many.
    """
    lowered = action.lower()
    if lowered not in policies.kinds:
        policies.kinds[lowered] = _kinds_of(policies.clauses, lowered)
    for live in policies.kinds[lowered]:
        yield from _by_resource(policies.clauses, live, resource, context)


def _kinds_of(clauses: tuple[Clause, ...], action: str) -> frozenset[Live]:
    """Return, for each kind of action that the clauses tell apart, which of them act there; none if none grants."""
    patterns = tuple(dict.fromkeys(one for each in clauses for one in each.statement.action_patterns))
    kinds = set()
    for acts in _acted(action, patterns):
        found = [both(_acts(each.statement, acts), _there(each)) for each in clauses]
        live = tuple((at, value) for at, value in enumerate(found) if value is not False)
        granting = any(clauses[at].part in _GRANTING and clauses[at].statement.effect != DENY for at, _ in live)
        kinds.add(live if granting else ())
    return frozenset(kinds)


def _acted(action: str, patterns: tuple[Pattern, ...]) -> Iterator[dict[Pattern, Truth]]:
    """Yield which of the patterns match, for each kind of action; one that has no wildcards needs no walk."""
    if any(letter in "*?" or is_symbol(letter) for letter in action):
        for vector in vectors(Pattern(action), patterns):
            yield dict(zip(patterns, vector, strict=True))
    else:
        yield {one: one.text == action if one.literal else matches(action, one) for one in patterns}


def _by_resource(clauses: Sequence[Clause], live: Live, resource: str, context: Context) -> Iterator[frozenset[Values]]:
    patterns: dict[Pattern, None] = {}
    for at, _ in live:
        patterns |= dict.fromkeys(clauses[at].statement.resource_patterns)
        patterns |= dict.fromkeys(clauses[at].statement.scope_patterns)
    seen = set()
    for vector in vectors(Pattern(resource, fields=True), tuple(patterns)):
        found = dict(zip(patterns, vector, strict=True))
        values: list[Truth] = [False] * len(clauses)
        for at, acts in live:
            values[at] = both(acts, _concerns(clauses[at].statement, found))
        if (key := tuple(values)) not in seen:
            seen.add(key)
            yield _with_conditions(clauses, key, context)


def _with_conditions(clauses: Sequence[Clause], values: Values, context: Context) -> frozenset[Values]:
    under = [at for at, value in enumerate(values) if value is not False and clauses[at].statement.conditions]
    if not under:
        return frozenset({values})
    blocks = [clauses[at].statement.conditions for at in under]
    made = set()
    for held in combinations(blocks, context):
        case = list(values)
        for at, holds in zip(under, held, strict=True):
            case[at] = both(values[at], holds)
        made.add(tuple(case))
    return frozenset(made)


def _there(clause: Clause) -> Truth:
    return clause.applies if clause.statement.certain else None


def _acts(statement: Statement, found: dict[Pattern, Truth]) -> Truth:
    value = any_of(found[one] for one in statement.action_patterns)
    return negated(value) if statement.not_actions else value


def _concerns(statement: Statement, found: dict[Pattern, Truth]) -> Truth:
    value = any_of(found[one] for one in statement.resource_patterns)
    value = negated(value) if statement.not_resources else value
    return both(value, any_of(found[one] for one in statement.scope_patterns)) if statement.scope else value


def permitted(policies: Policies, values: Values) -> Truth:
    """Say whether a request is allowed to which the clauses apply like this."""

    def of(effect: str, *parts: Part) -> Truth:
        pairs = zip(policies.clauses, values, strict=True)
        return any_of(
            value if one.statement.effect == effect else None
            for one, value in pairs
            if value is not False and one.part in parts and one.statement.effect in (effect, EITHER)
        )

    denied = of(DENY, Part.IDENTITY, Part.BOUNDARY, Part.DIRECT, Part.ANYONE, Part.ACCOUNT)
    if denied:
        return False
    bounds = of(ALLOW, Part.BOUNDARY) if policies.bounded else True
    own = both(of(ALLOW, Part.IDENTITY), bounds)
    named = both(of(ALLOW, Part.DIRECT), True if policies.user else bounds)
    # Whether a grant to everybody passes a boundary that is silent is written nowhere: then it is not known.
    anyone = both(of(ALLOW, Part.ANYONE), True if bounds else None)
    granted = any_of((named, anyone))
    delegated = both(of(ALLOW, Part.ACCOUNT), own)
    plain = any_of((own, granted))
    gated = chosen(of(ALLOW, Part.GATE), any_of((granted, delegated)), None if plain is not False else False)
    return both(chosen(of(ALLOW, Part.GATED), gated, plain), negated(denied))


def decide(policies: Policies, action: str, resource: str, context: Context) -> Answer:
    """Return the answer for every request with such an action on such a resource."""
    kinds: set[Answer] = set()
    try:
        for case in cases(policies, action, resource, context):
            found = {permitted(policies, values) for values in case}
            if None in found:
                kinds.add(Answer.UNKNOWN)
            elif len(found) > 1:
                kinds.add(Answer.CONDITIONAL)
            else:
                kinds.add(Answer.ALL if True in found else Answer.NONE)
            if {Answer.ALL, Answer.NONE} <= kinds:
                return Answer.SOME
    except TooLarge:
        return Answer.UNKNOWN
    for answer in (Answer.UNKNOWN, Answer.CONDITIONAL):
        if answer in kinds:
            return answer
    (only,) = kinds
    return only


def answer_of(statements: Sequence[Mapping[str, Any]], action: str, resource: str, context: Context) -> Answer:
    """Return what statements that hold text only allow by themselves, such as a deployed role's."""
    read = statements_of({"Version": "2012-10-17", "Statement": list(statements)})
    known = {key.lower(): value for key, value in context.items()}
    return decide(Policies(tuple(Clause(Part.IDENTITY, one) for one in read)), action, resource, known)
