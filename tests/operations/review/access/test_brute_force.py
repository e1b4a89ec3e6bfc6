"""The prover is sound: compared with deciding every single request of a small world, for random policies.

What it answers with "all" is allowed in every request of the world, what it answers with "none" in no request. For
"some" and "conditional" the world shows both, but for the rare case that needs a longer text than it has.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from operations.review.access.decide import Answer, Clause, Part, Policies, decide
from operations.review.access.statements import Statement, statements_of
from tests.operations.review.access.brute import allowed, matches, names

RESOURCES = ["".join(text) for length in range(4) for text in itertools.product("abz", repeat=length)]
LONGER = RESOURCES + ["".join(text) for text in itertools.product("abz", repeat=4)]
ACTIONS = ["s:a", "s:b", "s:z", "s:zz", "t:a", "t:z", "z:a", "z"]
BUCKET = "a"
"""What the bucket's policy is about: texts that begin with it."""

_TEXTS = [None, "a", "b", "ab", "a*", "z"]
VALUES = {"k": _TEXTS, "l": _TEXTS, "m": [None, "true", "false", "z"]}

ROUNDS = 2_000


class Chance:
    """Random policies; the seed is the only thing that makes two of them differ."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test's, for nothing secret

    def pattern(self, longest: int = 4) -> str:
        return "".join(self.random.choice("ab*?") for _ in range(self.random.randint(1, longest)))

    def some(self, make: Any) -> list[str]:
        return [make() for _ in range(self.random.randint(1, 3))]

    def action(self) -> str:
        return self.random.choice(["s:a", "S:A", "s:b", "s:*", "*", "?:a", "t:*", "s:?"])

    def condition(self) -> dict[str, Any]:
        operator = self.random.choice(
            ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "Null", "Bool"]
        )
        if operator == "Null":
            values = [self.random.choice(["true", "false"])]
        elif operator == "Bool":
            values = [self.random.choice(["true", "false", "True"])]
        else:
            values = self.some(lambda: self.random.choice(["a", "b", "a*", "ab"]))
        return {operator: {"m" if operator == "Bool" else self.random.choice("kl"): values}}

    def statement(self, principals: list[str]) -> dict[str, Any]:
        made: dict[str, Any] = {"Effect": self.random.choice(["Allow", "Allow", "Deny"])}
        made[self.random.choice(["Action", "Action", "Action", "NotAction"])] = self.some(self.action)
        made[self.random.choice(["Resource", "Resource", "Resource", "NotResource"])] = self.some(self.pattern)
        if self.random.random() < 0.35:
            made["Condition"] = self.condition()
            if self.random.random() < 0.3:
                made["Condition"] |= self.condition()
        if principals:
            made["Principal"] = self.random.choice(principals)
        return made

    def policy(self, most: int, principals: list[str] | None = None) -> list[dict[str, Any]]:
        return [self.statement(principals or []) for _ in range(self.random.randint(0, most))]


def clauses(part: Part, documents: list[dict[str, Any]], scope: tuple[str, ...] = ()) -> list[Clause]:
    document = {"Version": "2012-10-17", "Statement": documents}
    return [Clause(part, one) for one in statements_of(document, scope=scope)]


def policies(identity: Any, boundary: Any, bucket: Any) -> Policies:
    found = clauses(Part.IDENTITY, identity) + clauses(Part.BOUNDARY, boundary or [])
    parts = {"me": Part.DIRECT, "*": Part.ANYONE, "account": Part.ACCOUNT}
    for one in bucket:
        if one["Principal"] in parts:
            found += clauses(parts[one["Principal"]], [one], (f"{BUCKET}*",))
    return Policies(tuple(found), boundary is not None)


def representatives(world: list[str], statements: list[dict[str, Any]], kind: str, pattern: str) -> list[str]:
    """Return the actions or resources of the world that the pattern matches, one of each kind."""
    found = {
        (one.startswith(BUCKET), *(names(each, kind, one) for each in statements)): one
        for one in world
        if matches(pattern, one)
    }
    return list(found.values())


def check(seed: int, world: list[str]) -> tuple[Answer, bool]:
    """Compare one random case; returns the answer, and whether the world shows why it is no more than that."""
    chance = Chance(seed)
    identity = chance.policy(3)
    boundary = chance.policy(2) if chance.random.random() < 0.3 else None
    bucket = chance.policy(2, ["me", "*", "account", "other"]) if chance.random.random() < 0.4 else []
    action = chance.action() if chance.random.random() < 0.3 else chance.random.choice(ACTIONS)
    target = chance.pattern()
    known = {"k": chance.random.choice(["a", "ab", "z"])} if chance.random.random() < 0.3 else {}
    answer = decide(policies(identity, boundary, bucket), action, target, known)
    asked = [*identity, *(boundary or []), *bucket]
    keys = {key for one in asked for block in one.get("Condition", {}).values() for key in block}
    free = [[known[key]] if key in known else VALUES[key] if key in keys else [None] for key in "klm"]
    requests = [dict(zip("klm", each, strict=True)) for each in itertools.product(*free)]
    actions = representatives(ACTIONS, asked, "Action", action.lower())
    resources = representatives(world, asked, "Resource", target)
    decided = set()
    for act, resource in itertools.product(actions, resources):
        inside = resource.startswith(BUCKET)
        decided.add(frozenset(allowed(identity, boundary, bucket, inside, (act, resource, one)) for one in requests))
    flat = {each for cell in decided for each in cell}
    words = f"seed {seed}: {answer}, really {decided}: {identity} {boundary} {bucket} {action} {target} {known}"
    if flat:
        assert answer is not Answer.ALL or flat == {True}, words
        assert answer is not Answer.NONE or flat == {False}, words
    seen = {
        Answer.SOME: {frozenset({True}), frozenset({False})} <= decided,
        Answer.CONDITIONAL: any(len(cell) > 1 for cell in decided),
    }
    return answer, seen.get(answer, True)


def test_no_answer_is_wrong() -> None:
    compare(range(ROUNDS), RESOURCES)


@pytest.mark.exhaustive
def test_no_answer_is_wrong_in_many_more() -> None:
    compare(range(ROUNDS, ROUNDS + 50_000), LONGER)


def compare(seeds: range, world: list[str]) -> None:
    found = Counter(check(seed, world) for seed in seeds)
    for answer in (Answer.ALL, Answer.NONE, Answer.SOME, Answer.CONDITIONAL):
        assert found[answer, True] > len(seeds) / 100, found
    assert found[Answer.UNKNOWN, True] < len(seeds) / 20, found  # only where a grant to everybody meets a boundary
    unseen = sum(count for (_, seen), count in found.items() if not seen)
    assert unseen < len(seeds) / 30, found  # what would show it is longer than the world's texts


def test_a_wrong_answer_would_be_seen() -> None:
    """The comparison can fail: with every Deny left out of what the prover sees, it does."""
    everything = Statement("Allow", ("*",), ("*",))
    denied = [{"Effect": "Deny", "Action": ["s:a"], "Resource": ["a"]}]
    seen = decide(Policies((Clause(Part.IDENTITY, everything),)), "s:a", "a", {})
    allow = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    assert seen is Answer.ALL
    assert not allowed([allow, *denied], None, [], False, ("s:a", "a", {}))
