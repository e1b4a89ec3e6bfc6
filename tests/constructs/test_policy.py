"""The evaluator of policies is sound: checked against trying every resource of a small world."""

from __future__ import annotations

import fnmatch
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandcastle.policy import allowed_everywhere, allowed_nowhere, covers, overlaps

WORLD = ["".join(text) for length in range(5) for text in itertools.product("ab", repeat=length)]
PATTERNS = st.text("ab*?", min_size=1, max_size=4)
ACTIONS = ["s:a", "s:b"]


def matches(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)


@settings(deadline=None)
@given(PATTERNS, PATTERNS)
def test_covers_and_overlaps_hold_for_every_text(left: str, right: str) -> None:
    both = [text for text in WORLD if matches(text, left) and matches(text, right)]
    if both:
        assert overlaps(left, right)
    if covers(left, right):
        assert all(matches(text, left) for text in WORLD if matches(text, right))


STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
            "Action": st.lists(st.sampled_from([*ACTIONS, "s:*"]), min_size=1, max_size=2),
            "Resource": st.lists(PATTERNS, min_size=1, max_size=2),
        },
        optional={"Condition": st.sampled_from([{"StringEquals": {"k": "v"}}, {"StringLike": {"k": ["v*", "w"]}}])},
    ),
    max_size=4,
)


def really_allowed(statements: list[dict[str, object]], action: str, resource: str, key: str | None) -> bool:
    """Decide one single request as AWS does: an Allow, and no Deny."""

    def applies(one: dict[str, object]) -> bool:
        condition = one.get("Condition", {})
        assert isinstance(condition, dict)
        for keys in condition.values():
            expected = keys["k"] if isinstance(keys["k"], list) else [keys["k"]]
            if key is None or not any(matches(key, pattern) for pattern in expected):
                return False
        actions, found = one["Action"], one["Resource"]
        assert isinstance(actions, list)
        assert isinstance(found, list)
        return any(matches(action, each) for each in actions) and any(matches(resource, each) for each in found)

    effects = [one["Effect"] for one in statements if applies(one)]
    return "Allow" in effects and "Deny" not in effects


@settings(deadline=None, max_examples=400)
@given(STATEMENTS, st.sampled_from(ACTIONS), PATTERNS, st.sampled_from([None, "v", "x"]))
def test_answers_are_true_of_every_request(
    statements: list[dict[str, object]], action: str, pattern: str, key: str | None
) -> None:
    context = {} if key is None else {"k": key}
    keys = [None, "v", "w", "x"] if key is None else [key]
    real = [
        really_allowed(statements, action, resource, one)
        for resource in WORLD
        if matches(resource, pattern)
        for one in keys
    ]
    if real and allowed_everywhere(statements, action, pattern, context):
        assert all(real)
    if allowed_nowhere(statements, action, pattern, context):
        assert not any(real)


def test_it_decides_the_plain_cases() -> None:
    read = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/bank/*"]}
    assert allowed_everywhere([read], "s3:GetObject", "arn:aws:s3:::b/bank/train/*", {})
    assert not allowed_everywhere([read], "s3:GetObject", "arn:aws:s3:::b/*", {})
    assert allowed_nowhere([read], "s3:GetObject", "arn:aws:s3:::b/other/*", {})
    assert not allowed_nowhere([read], "s3:GetObject", "arn:aws:s3:::b/*", {})
    assert allowed_nowhere([read], "s3:PutObject", "*", {})


def test_condition_keys_decide() -> None:
    conditions = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "r", "Condition": conditions}
    sagemaker, others = ({"iam:PassedToService": f"{name}.amazonaws.com"} for name in ("sagemaker", "lambda"))
    assert allowed_everywhere([passing], "iam:PassRole", "r", sagemaker)
    assert allowed_nowhere([passing], "iam:PassRole", "r", others)
    assert not allowed_everywhere([passing], "iam:PassRole", "r", {})
    assert not allowed_nowhere([passing], "iam:PassRole", "r", {})


def test_what_it_does_not_decide_is_refused() -> None:
    with pytest.raises(ValueError, match="NotAction"):
        allowed_nowhere([{"Effect": "Allow", "NotAction": "x", "Resource": "*"}], "a", "b", {})
