"""Policy variables in resources and conditions: ``${aws:username}``, ``${sagemaker:DomainId}``.

MiniStack takes them for plain text, so that a permission with one denies everything and a Deny with one denies nothing.
AWS: IAM/latest/UserGuide/reference_policies_variables.html. A resource or a condition with a variable that has
neither a value nor a default does not match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator

#: ${name} or ${name, 'default'}; ${*}, ${?} and ${$} are those characters themselves
_VARIABLE = re.compile(r"\$\{(?P<name>[^},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


class _NoValue(Exception):
    """A variable without a value."""


def install() -> None:
    """Wrap the search for a statement: it is looked up by name at each evaluation."""
    before = iam_evaluator._first_match

    def first_match(context: Any, statements: list[Any], effect: str) -> Any:
        filled = [found for statement in statements if (found := _filled(statement, context)) is not None]
        return before(context, filled, effect)

    iam_evaluator._first_match = first_match


def _filled(statement: Any, context: Any) -> Any:
    """The statement with values in place of its variables; None when it cannot match."""
    parts = (statement.resources, statement.not_resources, statement.conditions)
    if "${" not in str(parts):
        return statement
    resources = list(_those_with_values(statement.resources, context))
    if statement.resources and not resources:
        return None
    try:
        not_resources, conditions = _in(statement.not_resources, context), _in(statement.conditions, context)
    except _NoValue:
        return None
    return replace(statement, resources=resources, not_resources=not_resources, conditions=conditions)


def _those_with_values(resources: list[str], context: Any) -> Iterator[str]:
    """A resource with a variable that has no value is none; the others of the statement still count."""
    for resource in resources:
        try:
            yield _in(resource, context)
        except _NoValue:
            continue


def _in(value: Any, context: Any) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, context), value)
    if isinstance(value, list):
        return [_in(item, context) for item in value]
    if isinstance(value, dict):  # operator -> key -> values: keys name what is compared, they are no variables
        return {key: _in(item, context) for key, item in value.items()}
    return value


def _value(match: re.Match[str], context: Any) -> str:
    name = match["name"].strip()
    if name in _LITERAL:
        return _LITERAL[name]
    found = iam_evaluator._resolve_condition_key(name, context)
    if found is None and match["default"] is not None:
        return match["default"]
    if found is None or isinstance(found, list):
        raise _NoValue
    return str(found)
