"""Decides what identity policies allow, for all resources that a pattern matches at once. Plain Python, no AWS.

The answers are sound: ``allowed_everywhere`` and ``allowed_nowhere`` say True only when that is so for every resource
of the pattern and every request with the given condition keys; what cannot be decided is answered with False.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

Statement = Mapping[str, Any]
"""A statement of a policy document, with text only (no CloudFormation functions)."""


@cache
def overlaps(left: str, right: str) -> bool:
    """Say whether any text matches both patterns (``*`` any text, ``?`` any character)."""
    if not left and not right:
        return True
    if left[:1] == "*":
        return overlaps(left[1:], right) or (bool(right) and overlaps(left, right[1:]))
    if right[:1] == "*":
        return overlaps(left, right[1:]) or (bool(left) and overlaps(left[1:], right))
    if not left or not right:
        return False
    return (left[0] == right[0] or "?" in (left[0], right[0])) and overlaps(left[1:], right[1:])


@cache
def covers(wide: str, narrow: str) -> bool:
    """Say whether the wide pattern matches every text that the narrow one matches (False also when unsure)."""
    if not narrow:
        return not wide.strip("*")
    if not wide:
        return False
    if wide[0] == "*":
        return covers(wide[1:], narrow) or covers(wide, narrow[1:])
    if narrow[0] == "*":
        return False
    return (wide[0] == "?" or wide[0] == narrow[0]) and covers(wide[1:], narrow[1:])


def allowed_everywhere(statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Say whether the request is allowed on every resource of the pattern."""
    known = list(statements)
    if any(_touches(one, action, resource) and _holds(one, context) is not False for one in _of(known, "Deny")):
        return False
    return any(
        _matches(one, "Action", action, covers)
        and _matches(one, "Resource", resource, covers)
        and _holds(one, context) is True
        for one in _of(known, "Allow")
    )


def allowed_nowhere(statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Say whether the request is allowed on no resource of the pattern, whatever other condition keys it has."""
    known = list(statements)
    if any(
        _matches(one, "Action", action, covers)
        and _matches(one, "Resource", resource, covers)
        and _holds(one, context) is True
        for one in _of(known, "Deny")
    ):
        return True
    return not any(_touches(one, action, resource) and _holds(one, context) is not False for one in _of(known, "Allow"))


def _of(statements: list[Statement], effect: str) -> list[Statement]:
    return [one for one in statements if one["Effect"] == effect]


def _touches(statement: Statement, action: str, resource: str) -> bool:
    return _matches(statement, "Action", action, overlaps) and _matches(statement, "Resource", resource, overlaps)


def _matches(statement: Statement, key: str, pattern: str, test: Callable[[str, str], bool]) -> bool:
    """Apply the test to each pattern of the statement. Raises ValueError for NotAction and NotResource."""
    if key not in statement:
        raise ValueError(f"Not{key} is not decided here; the project does not use it")
    found = statement[key] if isinstance(statement[key], list) else [statement[key]]
    if key == "Action":
        return any(test(one.lower(), pattern.lower()) for one in found)
    return any(test(one, pattern) for one in found)


def _holds(statement: Statement, context: Mapping[str, str]) -> bool | None:
    """Say whether the statement's condition holds; None when the context does not tell."""
    verdict: bool | None = True
    for operator, keys in statement.get("Condition", {}).items():
        for key, expected in keys.items():
            one = _condition(operator, expected if isinstance(expected, list) else [expected], context.get(key))
            if one is False:
                return False
            verdict = None if one is None else verdict
    return verdict


def _condition(operator: str, expected: list[str], actual: str | None) -> bool | None:
    if actual is None:
        return None
    if operator == "Null":
        return expected == ["false"]
    if operator in {"StringEquals", "ForAllValues:StringEquals"}:  # a request here has one value for each key
        return actual in expected
    if operator in {"StringLike", "ArnLike", "ArnEquals"}:  # ArnEquals takes wildcards too
        if any(covers(pattern, actual) for pattern in expected):
            return True
        return None if any(overlaps(pattern, actual) for pattern in expected) else False
    return None
