"""Metrics of classifiers and regressions, with the arithmetic that AWS's published figures come from.

Developer guide, model-monitor-model-quality-metrics.html: its figures are a test. They settle what its text leaves
open: rows of the confusion matrix are the true classes, weighted averages go by the true classes, and the "best
constant classifier" always answers the last class. Curves are Spark's: one point for each distinct score, ROC from
(0, 0) to (1, 1), precision and recall from recall 0.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
_BETAS = (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
#: a curve has at most so many points (Spark: 1000 bins)
_POINTS = 1000


def regression(truth: Floats, predicted: Floats) -> dict[str, float]:
    """mae, mse, rmse and r2; r2 is NaN when the truth does not vary."""
    error = predicted - truth
    square = float(np.mean(error**2))
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return {
        "mae": float(np.mean(np.abs(error))),
        "mse": square,
        "rmse": square**0.5,
        "r2": 1 - float(np.sum(error**2)) / spread if spread else float("nan"),
    }


def confusion(truth: Counts, predicted: Counts, classes: int) -> Counts:
    """How often each true class (row) was answered with each class (column); both by number."""
    matrix: Counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return matrix.reshape(classes, classes)


def labelled(matrix: Counts, labels: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """The confusion matrix as the files have it."""
    return {label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, matrix.tolist(), strict=True)}


def binary(matrix: Counts, area: float | None) -> dict[str, float]:
    """Of a 2 x 2 matrix; the second class is the positive one. ``area`` is that under the ROC curve."""
    basic = _of_positive(matrix)
    constant = _of_positive(_always_last(matrix))
    negatives, positives = matrix.sum(axis=1).tolist()
    false_positive_rate = _share(int(matrix[0, 1]), negatives)
    found = {name: basic[name] for name in ("recall", "precision", "accuracy")}
    found |= {f"{name}_best_constant_classifier": constant[name] for name in ("recall", "precision", "accuracy")}
    found |= {
        "true_positive_rate": basic["recall"],
        "true_negative_rate": 1 - false_positive_rate,
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": 1 - basic["recall"] if positives else 0.0,
    }
    if area is not None:
        found["auc"] = area
    found |= {name: basic[name] for name, _ in _BETAS}
    return found | {f"{name}_best_constant_classifier": constant[name] for name, _ in _BETAS}


def multiclass(matrix: Counts) -> dict[str, float]:
    """Of an n x n matrix."""
    constant = _weighted(_always_last(matrix))
    return _weighted(matrix) | {f"{name}_best_constant_classifier": value for name, value in constant.items()}


def curves(positive: NDArray[np.bool_], score: Floats) -> dict[str, list[float]]:
    """The rates and precisions at the distinct scores, from the highest on."""
    false, true, precisions = _at_scores(positive, score)
    if len(true) > _POINTS:
        kept = np.linspace(0, len(true) - 1, _POINTS).round().astype(int)
        false, true, precisions = false[kept], true[kept], precisions[kept]
    return {
        "false_positive_rates": [0.0, *false.tolist(), 1.0],
        "true_positive_rates": [0.0, *true.tolist(), 1.0],
        "precisions": [float(precisions[0]), *precisions.tolist()],
        "recalls": [0.0, *true.tolist()],
    }


def area(positive: NDArray[np.bool_], score: Floats) -> float:
    """Under the ROC curve; without negatives 1, as in AWS's example."""
    false, true, _ = _at_scores(positive, score)
    return float(np.trapezoid([0.0, *true, 1.0], [0.0, *false, 1.0]))


def _at_scores(positive: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats, Floats]:
    """False positive rate, true positive rate and precision when everything from a score on counts as positive."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.nonzero(np.diff(score[order]))[0], len(score) - 1)
    true = np.cumsum(positive[order])[ends]
    false = ends + 1 - true
    positives = int(positive.sum())
    negatives = len(positive) - positives
    return false / max(negatives, 1), true / max(positives, 1), true / (ends + 1)


def _of_positive(matrix: Counts) -> dict[str, float]:
    (_, wrong_alarms), (missed, hits) = matrix.tolist()
    recall, precision = _share(hits, hits + missed), _share(hits, hits + wrong_alarms)
    found = {"recall": recall, "precision": precision, "accuracy": _share(int(np.trace(matrix)), int(matrix.sum()))}
    return found | {name: _f(precision, recall, beta) for name, beta in _BETAS}


def _weighted(matrix: Counts) -> dict[str, float]:
    total = int(matrix.sum())
    weights = [_share(count, total) for count in matrix.sum(axis=1).tolist()]
    answers = matrix.sum(axis=0).tolist()
    right = np.diag(matrix).tolist()
    recalls = [_share(hit, count) for hit, count in zip(right, matrix.sum(axis=1).tolist(), strict=True)]
    precisions = [_share(hit, count) for hit, count in zip(right, answers, strict=True)]
    found = {
        "accuracy": _share(sum(right), total),
        "weighted_recall": _mean(weights, recalls),
        "weighted_precision": _mean(weights, precisions),
    }
    for name, beta in _BETAS:
        scores = [_f(p, r, beta) for p, r in zip(precisions, recalls, strict=True)]
        found[f"weighted_{name}"] = _mean(weights, scores)
    return found


def _always_last(matrix: Counts) -> Counts:
    constant = np.zeros_like(matrix)
    constant[:, -1] = matrix.sum(axis=1)
    return constant


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _f(precision: float, recall: float, beta: float) -> float:
    below = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / below if below else 0.0
