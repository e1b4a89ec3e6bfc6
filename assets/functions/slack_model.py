"""Constraints of a model quality baseline, so that chance alone violates none of them.

An analyzer suggests what the model reached on its test split, to the last digit: an hour of the same traffic is below
that every other time. Instead of it goes what chance explains. Each metric is taken as a share of the rows that it is
about, such as the positive ones for recall; how many of these a window has is a matter of chance, too. The variance of
the area under the ROC curve is at most that of a share of the rarer class (Z. W. Birnbaum and O. M. Klose, Annals of
Mathematical Statistics 1957). An F score is as low as both precision and recall at their limits make it.

Names: developer guide, model-monitor-model-quality-metrics.html.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from slack_chance import floor

BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
_GREATER = "GreaterThanThreshold"


class UnknownKind(Exception):
    """Constraints of a kind that nothing here knows how to give slack to; the text says which."""


def relaxed(constraints: Mapping[str, Any], statistics: Mapping[str, Any], rows: int, risk: float) -> dict[str, Any]:
    """Return the constraints for windows of at least so many rows with labels.

    ``risk`` is that of calling any of the metrics violated by chance. Raises UnknownKind for other than classifiers.
    """
    found = copy.deepcopy(dict(constraints))
    kinds = [key.removesuffix("_constraints") for key in found if key.endswith("_classification_constraints")]
    if len(kinds) != 1:
        raise UnknownKind(f"constraints of a classifier were expected, and these have {', '.join(found)}")
    [kind] = kinds
    limits, metrics = found[f"{kind}_constraints"], statistics[f"{kind}_metrics"]
    shares = _Shares(_supports(metrics["confusion_matrix"]), rows, risk / max(len(limits), 1))
    for name, rule in limits.items():
        value = rule.get("threshold")
        if not isinstance(value, (int, float)):  # "NaN": nothing was measured
            continue
        if name in BETAS:
            precision, recall = (shares.floor(one, metrics[one]["value"]) for one in ("precision", "recall"))
            rule["threshold"] = min(value, _f(precision, recall, BETAS[name]))
        elif rule.get("comparison_operator") == _GREATER:
            rule["threshold"] = max(value, 1 - shares.floor(name, 1 - value))
        else:
            rule["threshold"] = min(value, shares.floor(name, value))
    return found


class _Shares:
    """Metrics as shares of the rows that they are about."""

    def __init__(self, supports: Mapping[str, int], rows: int, risk: float) -> None:
        self._supports, self._rows, self._risk = supports, rows, risk
        self._all = supports[""]

    def floor(self, metric: str, value: float) -> float:
        """Return how low it gets by chance."""
        support = self._supports.get(metric, self._all)
        present = floor(support / self._all, self._all, self._rows, self._risk) if self._all else 0.0
        return floor(value, support, round(present * self._rows), self._risk)


def _supports(matrix: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return how many rows metrics are about: those of two classes by name, all others under an empty name."""
    found = {"": sum(sum(row.values()) for row in matrix.values())}
    if len(matrix) == 2:
        (_, no), (positive, yes) = matrix.items()
        negatives, positives = sum(no.values()), sum(yes.values())
        found |= {"recall": positives, "true_positive_rate": positives, "false_negative_rate": positives}
        found |= {"true_negative_rate": negatives, "false_positive_rate": negatives}
        found |= {"precision": no[positive] + yes[positive], "auc": min(negatives, positives)}
    return found


def _f(precision: float, recall: float, beta: float) -> float:
    weighted = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / weighted if weighted else 0.0
