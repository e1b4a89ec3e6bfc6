"""Metrics of classifiers and regressions, with the arithmetic that AWS's published figures come from.

Developer guide, model-monitor-model-quality-metrics.html: its figures are a test. They settle what its text leaves
open: rows of the confusion matrix are the true classes, weighted averages go by the true classes, and the "best
constant classifier" always answers the last class. Curves are Spark's: a point for each distinct score, ROC from (0, 0)
to (1, 1), precision and recall from recall 0.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np

_BETAS = (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
#: a curve has at most so many points (Spark: 1000 bins)
_POINTS = 1000


def labelled(matrix: Any, labels: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """Return the confusion matrix as the files have it."""
    return {label: dict(zip(labels, row)) for label, row in zip(labels, matrix.tolist())}


def binary(matrix: Any, area: float | None) -> dict[str, float]:
    """Return the metrics of a 2 x 2 matrix; the second class is the positive one, ``area`` that under the ROC curve."""
    basic, constant = _of_positive(matrix), _of_positive(_always_last(matrix))
    negatives, positives = matrix.sum(axis=1).tolist()
    false_alarms = _share(int(matrix[0, 1]), negatives)
    scalars = ("recall", "precision", "accuracy")
    found = {name: basic[name] for name in scalars}
    found.update({f"{name}_best_constant_classifier": constant[name] for name in scalars})
    found["true_positive_rate"] = basic["recall"]
    found["true_negative_rate"] = 1 - false_alarms
    found["false_positive_rate"] = false_alarms
    found["false_negative_rate"] = 1 - basic["recall"] if positives else 0.0
    if area is not None:
        found["auc"] = area
    found.update({name: basic[name] for name, _ in _BETAS})
    found.update({f"{name}_best_constant_classifier": constant[name] for name, _ in _BETAS})
    return found


def multiclass(matrix: Any) -> dict[str, float]:
    """Return the metrics of an n x n matrix."""
    constant = _weighted(_always_last(matrix))
    return {**_weighted(matrix), **{f"{name}_best_constant_classifier": value for name, value in constant.items()}}


class Curve:
    """What every threshold would give: from how many negatives and positives have each score, the highest first."""

    def __init__(self, negatives: Any, positives: Any) -> None:
        """Of counts for each distinct score; at least one row must be there."""
        some = (negatives + positives) > 0
        true, false = np.cumsum(positives[some]), np.cumsum(negatives[some])
        self._true = true / max(int(true[-1]), 1)
        self._false = false / max(int(false[-1]), 1)
        self._precision = true / (true + false)

    def area(self) -> float:
        """Return the area under the ROC curve; without negatives 1, as in AWS's example."""
        x, y = np.concatenate([[0.0], self._false, [1.0]]), np.concatenate([[0.0], self._true, [1.0]])
        return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))

    def points(self) -> dict[str, dict[str, list[float]]]:
        """Return both curves as the files have them."""
        true, false, precision = self._true, self._false, self._precision
        if len(true) > _POINTS:
            kept = np.linspace(0, len(true) - 1, _POINTS).round().astype(int)
            true, false, precision = true[kept], false[kept], precision[kept]
        return {
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": [0.0, *false.tolist(), 1.0],
                "true_positive_rates": [0.0, *true.tolist(), 1.0],
            },
            "precision_recall_curve": {
                "precisions": [float(precision[0]), *precision.tolist()],
                "recalls": [0.0, *true.tolist()],
            },
        }


def _of_positive(matrix: Any) -> dict[str, float]:
    (_, wrong_alarms), (missed, hits) = matrix.tolist()
    recall, precision = _share(hits, hits + missed), _share(hits, hits + wrong_alarms)
    found = {"recall": recall, "precision": precision, "accuracy": _share(int(np.trace(matrix)), int(matrix.sum()))}
    found.update({name: _f(precision, recall, beta) for name, beta in _BETAS})
    return found


def _weighted(matrix: Any) -> dict[str, float]:
    total = int(matrix.sum())
    rows, answers, right = matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist(), np.diag(matrix).tolist()
    weights = [_share(count, total) for count in rows]
    recalls = [_share(hit, count) for hit, count in zip(right, rows)]
    precisions = [_share(hit, count) for hit, count in zip(right, answers)]
    found = {
        "accuracy": _share(sum(right), total),
        "weighted_recall": _mean(weights, recalls),
        "weighted_precision": _mean(weights, precisions),
    }
    for name, beta in _BETAS:
        found[f"weighted_{name}"] = _mean(weights, [_f(p, r, beta) for p, r in zip(precisions, recalls)])
    return found


def _always_last(matrix: Any) -> Any:
    constant = np.zeros_like(matrix)
    constant[:, -1] = matrix.sum(axis=1)
    return constant


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values))


def _f(precision: float, recall: float, beta: float) -> float:
    below = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / below if below else 0.0
