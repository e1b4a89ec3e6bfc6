"""What was spent this month, by tags, and how much of it a budget counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tags = Mapping[str, str]
#: whether a budget counts what carries these tags
Counts = Callable[[Tags], bool]


@dataclass(frozen=True)
class Amounts:
    """US dollars of the month: until now, and as forecast for its end (None without a forecast)."""

    actual: float
    forecast: float | None = None


class UnsupportedFilter(ValueError):
    """A filter that localcloud cannot apply; the text names it."""


class Ledger:
    """Posted costs. What was posted for some tags replaces what was posted for the same tags before."""

    def __init__(self) -> None:
        """Nothing spent."""
        self._lock = threading.Lock()
        self._posted: dict[frozenset[tuple[str, str]], Amounts] = {}

    def post(self, amounts: Amounts, tags: Tags) -> None:
        """Set the costs of everything that carries exactly these tags; without tags, of the account as a whole."""
        with self._lock:
            self._posted[frozenset(tags.items())] = amounts

    def of(self, budget: Mapping[str, Any]) -> Amounts:
        """What a budget counts. A budget without a filter counts the account, or the sum when none was posted."""
        with self._lock:
            posted = dict(self._posted)
        counts = matcher(budget)
        if counts is None:
            whole = posted.get(frozenset())
            if whole is not None:
                return whole
            return _sum(list(posted.values()))
        return _sum([amounts for tags, amounts in posted.items() if tags and counts(dict(tags))])

    def snapshot(self) -> list[dict[str, Any]]:
        """Everything posted."""
        with self._lock:
            return [
                {"usd": amounts.actual, "forecast_usd": amounts.forecast, "tags": dict(tags)}
                for tags, amounts in self._posted.items()
            ]

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._posted.clear()


def _sum(parts: list[Amounts]) -> Amounts:
    forecasts = [part.forecast for part in parts if part.forecast is not None]
    return Amounts(sum(part.actual for part in parts), sum(forecasts) if forecasts else None)


def matcher(budget: Mapping[str, Any]) -> Counts | None:
    """The budget's filter, None when it has none. Raises UnsupportedFilter."""
    expression, filters = budget.get("FilterExpression"), budget.get("CostFilters") or {}
    if expression:
        return _expression(expression)
    unknown = sorted(set(filters) - {"TagKeyValue"})
    if unknown:
        raise UnsupportedFilter(f"CostFilters {unknown[0]}")
    wanted = [_tag(text) for text in filters.get("TagKeyValue") or []]
    if not wanted:
        return None
    return lambda tags: any(tags.get(key) == value for key, value in wanted)


def _tag(text: str) -> tuple[str, str]:
    """``user:KEY$VALUE``: a tag that a user made (docs: budgets filter by cost allocation tags)."""
    key, dollar, value = text.partition("$")
    if not key.startswith("user:") or not dollar:
        raise UnsupportedFilter(f"TagKeyValue {text!r}; it takes user:KEY$VALUE")
    return key.removeprefix("user:"), value


def _expression(expression: Mapping[str, Any]) -> Counts:
    if len(expression) != 1:
        raise UnsupportedFilter(f"FilterExpression with {len(expression)} members; it takes one")
    ((kind, value),) = expression.items()
    if kind in ("And", "Or"):
        parts = [_expression(part) for part in value]
        join = all if kind == "And" else any
        return lambda tags: join(part(tags) for part in parts)
    if kind == "Not":
        inner = _expression(value)
        return lambda tags: not inner(tags)
    if kind != "Tags":
        raise UnsupportedFilter(f"FilterExpression {kind}")
    if value.get("MatchOptions") not in (None, [], ["EQUALS"]):
        raise UnsupportedFilter(f"FilterExpression Tags with MatchOptions {value['MatchOptions']}")
    key, values = str(value["Key"]).removeprefix("user:"), list(value.get("Values") or [])
    return lambda tags: tags.get(key) in values
