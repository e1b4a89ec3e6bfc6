"""A model quality report in words: the metrics that matter, beside what the baseline had and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.monitor.findings import Reports

_MEANINGS = {
    "accuracy": "share of answers that were right",
    "weighted_recall": "of each class, how many were found; weighted by how frequent it is",
    "weighted_precision": "of each answer, how many were right; weighted by how frequent the class is",
    "weighted_f1": "recall and precision in one number",
    "recall": "of the positive rows, how many were found",
    "precision": "of the rows called positive, how many were",
    "f1": "recall and precision in one number",
    "weighted_f0_5": "the same, precision counting more",
    "weighted_f2": "the same, recall counting more",
    "f0_5": "the same, precision counting more",
    "f2": "the same, recall counting more",
    "auc": "how well scores rank the rows: 1 perfectly, 0.5 by chance",
    "false_positive_rate": "of the negative rows, how many were called positive",
    "false_negative_rate": "of the positive rows, how many were missed",
    "true_positive_rate": "the same as recall",
    "true_negative_rate": "of the negative rows, how many were called so",
    "mae": "by how much an answer is off, on average",
    "rmse": "the same, with large errors counting more",
    "mse": "the square of it",
    "r2": "how much of the variation is explained: 1 all, 0 none",
}
_LEADING = ("accuracy", "r2", "auc", "rmse", "mae")
"""Which metric stands for a model, the first of these that there is."""

_GREATER = "GreaterThanThreshold"


@dataclass(frozen=True)
class Mark:
    """One metric: its value now and in the baseline, its spread if known, and the limit with the side that violates."""

    name: str
    value: float | None
    spread: float | None
    before: float | None
    limit: float | None
    at_most: bool
    violated: bool

    @property
    def meaning(self) -> str:
        """What it says, for somebody who has not met it."""
        return _MEANINGS.get(self.name, "")


def marks(reports: Reports) -> list[Mark]:
    """Return the metrics that have a limit or a meaning, those with violations first, the most telling first."""
    now, before = _metrics(reports.statistics), _metrics(reports.baseline)
    limits: Mapping[str, Any] = {}
    for key, value in reports.constraints.items():
        if key.endswith("_constraints"):
            limits = value
    worse = {str(one.get("metric_name", "")) for one in reports.violations}
    order = list(_MEANINGS)
    found = [
        Mark(
            name=name,
            value=_number(now.get(name, {}).get("value")),
            spread=_number(now.get(name, {}).get("standard_deviation")),
            before=_number(before.get(name, {}).get("value")),
            limit=_number(limits.get(name, {}).get("threshold")),
            at_most=limits.get(name, {}).get("comparison_operator") == _GREATER,
            violated=name in worse,
        )
        for name in [*now, *sorted(worse - set(now))]
        if name in limits or name in _MEANINGS
    ]
    rank = {name: place for place, name in enumerate(order)}
    return sorted(found, key=lambda one: (not one.violated, rank.get(one.name, len(order)), one.name))


def leading(found: Sequence[Mark]) -> Mark | None:
    """Return the metric that stands for the model: of those with a violation, if there are any."""
    by_name = {one.name: one for one in found if one.value is not None}
    bad = [name for name, one in by_name.items() if one.violated]
    order = [*(name for name in _LEADING if name in bad), *bad, *(name for name in _LEADING if name in by_name)]
    return by_name[order[0]] if order else None


def confusion(statistics: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return how often each true class was given which answer; nothing for a regression."""
    for key, value in statistics.items():
        if key.endswith("_metrics"):
            found: dict[str, dict[str, int]] = value.get("confusion_matrix", {})
            return found
    return {}


def _metrics(statistics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    for key, value in statistics.items():
        if key.endswith("_metrics"):
            return {name: one for name, one in value.items() if isinstance(one, dict) and "value" in one}
    return {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
