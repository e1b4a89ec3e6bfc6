"""Patterns are decided exactly, and soundly where they hold what is not known before the deploy."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from operations.review.access import language
from operations.review.access.language import Pattern, TooLarge, covers, matches, overlaps, vectors
from operations.review.access.symbols import ANYTHING, BUCKET, Symbol, character, generated, some_of
from tests.operations.review.access.brute import expression

WORLD = ["".join(text) for length in range(7) for text in itertools.product("abz", repeat=length)]
AB = frozenset("ab")
ONE, TWO = (character(Symbol((name,), name, some_of(AB), "family")) for name in ("one", "two"))
OPEN = character(Symbol(("open",), "open", ANYTHING, fixed=False))
DATA, MODELS = (character(Symbol((name,), name, generated(BUCKET), "bucket")) for name in ("Data", "Models"))


def chosen(seed: int, letters: str, longest: int) -> random.Random:
    return random.Random(f"{seed} {letters} {longest}")  # noqa: S311 - a test's, for nothing secret


def test_every_combination_is_found_and_no_other() -> None:
    for seed in range(150):
        dice = chosen(seed, "ab*?", 4)
        target, *others = ("".join(dice.choices("ab*?", k=dice.randint(0, 4))) for _ in range(4))
        real = {
            tuple(expression(each).fullmatch(text) is not None for each in others)
            for text in WORLD
            if expression(target).fullmatch(text)
        }
        assert vectors(Pattern(target), tuple(Pattern(each) for each in others)) == real, (target, others)


def test_symbols_are_decided_for_all_their_values() -> None:
    """For all values and each text that a target matches then, a combination is found that is not wrong about it."""
    texts = ["".join(text) for length in (2, 3) for text in itertools.product("ab", repeat=length)]
    sure = 0
    for seed in range(250):
        dice = chosen(seed, "ab*?", 5)
        target = "".join(dice.choices(f"ab*{ONE}{TWO}{OPEN}", k=dice.randint(1, 3)))
        pair = ["".join(dice.choices(f"ab*?{ONE}{TWO}{OPEN}", k=dice.randint(1, 4))) for _ in range(2)]
        found = vectors(Pattern(target), tuple(Pattern(each) for each in pair))
        sure += not any(None in each for each in found)
        for one, two in dice.sample(list(itertools.permutations(texts, 2)), 12):
            values = {ONE: one, TWO: two, OPEN: dice.choice(["", "a", "ab", "z"])}
            goal, *others = (filled(each, values) for each in (target, *pair))
            for real in {tuple(bool(re.fullmatch(each, text)) for each in others) for text in dice.sample(WORLD, 200)
                         if re.fullmatch(goal, text)}:  # fmt: skip
                fits = (all(said in (None, is_so) for said, is_so in zip(each, real, strict=True)) for each in found)
                assert any(fits), (seed, values, target, pair, real)
    assert sure > 40


def filled(pattern: str, values: dict[str, str]) -> str:
    parts = {"*": ".*", "?": "."} | {key: re.escape(value) for key, value in values.items()}
    return "".join(parts.get(each) or re.escape(each) if each not in values else parts[each] for each in pattern)


def test_names_of_two_buckets_never_meet() -> None:
    arn = "arn:aws:s3:::"
    asked = Pattern(f"{arn}{DATA}/bank/*", fields=True)
    assert covers(Pattern(f"{arn}{DATA}/*", fields=True), asked)
    assert not overlaps(Pattern(f"{arn}{MODELS}/*", fields=True), asked)
    assert not overlaps(Pattern(f"{arn}{DATA}/other/*", fields=True), asked)
    assert not overlaps(Pattern(f"{arn}other/*", fields=True), asked)  # CloudFormation makes no such name
    assert overlaps(Pattern(f"{arn}stack-data-1x2y3z4a5b6c/*", fields=True), asked)  # but it may make this one
    assert not covers(Pattern(f"{arn}stack-*/*", fields=True), asked)


def test_an_incomplete_arn_is_every_arn_that_begins_so() -> None:
    queues = Pattern("arn:aws:sqs", fields=True)
    assert covers(queues, Pattern("arn:aws:sqs:eu-west-1:123456789012:queue", fields=True))
    assert not overlaps(queues, Pattern("arn:aws:sns:eu-west-1:123456789012:topic", fields=True))


def test_a_wildcard_that_may_leave_its_field_is_not_counted_on() -> None:
    """``role*x`` in the account's field: whether its star ends at the colon is not promised, so it may match only."""
    odd = Pattern("arn:aws:iam:*n:r*e:x/y", fields=True)
    assert matches("arn:aws:iam:a:n:re:x/y", odd) is None


def test_a_character_of_a_private_plane_that_is_no_symbol_matches_nothing_surely() -> None:
    assert matches("a\U00100000b", Pattern("a*")) is not False
    assert matches("a\U00100000b", Pattern("a?b")) is not True


def test_what_is_too_entangled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "LIMIT", 50)
    with pytest.raises(TooLarge):
        vectors(Pattern("*"), tuple(Pattern(f"*{one}*{two}*unique") for one, two in itertools.permutations("abcd", 2)))
