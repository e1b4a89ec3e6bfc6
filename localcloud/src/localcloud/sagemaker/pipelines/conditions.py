"""The conditions of a Condition step; all of a list must hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.sagemaker.pipelines.expressions import Unresolvable, Values, resolve

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def holds(condition: Mapping[str, Any], values: Values) -> bool:
    """Whether a condition holds. Raises Unresolvable."""
    kind = condition.get("Type", "")
    if kind in _COMPARISONS:
        left, right = resolve(condition["LeftValue"], values), resolve(condition["RightValue"], values)
        return _compare(kind, left, right)
    if kind == "In":
        query = resolve(condition["QueryValue"], values)
        return any(_compare("Equals", query, resolve(value, values)) for value in condition["Values"])
    if kind == "Not":
        return not holds(condition["Expression"], values)
    if kind == "Or":
        return any(holds(each, values) for each in condition["Conditions"])
    raise Unresolvable(f"there is no condition of type {kind!r}")


def _compare(kind: str, left: Any, right: Any) -> bool:
    """Numbers with numbers, also where one of them is written as text; everything else as it is."""
    if isinstance(left, str) != isinstance(right, str):
        left, right = _number(left), _number(right)
    try:
        return _COMPARISONS[kind](left, right)
    except TypeError:
        raise Unresolvable(f"{left!r} and {right!r} cannot be compared") from None


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
