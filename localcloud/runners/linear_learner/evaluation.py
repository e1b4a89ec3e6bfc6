"""Losses, scores and the decision threshold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from model import Floats, LinearModel
from settings import Settings

_TINY = 1e-7
#: loss -> the name of the objective in the log
OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy_objective",
    "softmax_loss": "multiclass_cross_entropy_objective",
    "squared_loss": "mse_objective",
    "absolute_loss": "absolute_loss_objective",
}


def loss(kind: str, scores: Any, labels: Floats, weights: Any = 1.0) -> float:
    """Mean loss of scores (not of raw outputs) against labels."""
    if kind == "logistic":
        clipped = np.clip(scores, _TINY, 1 - _TINY)
        each = -(labels * np.log(clipped) + (1 - labels) * np.log(1 - clipped))
    elif kind == "softmax_loss":
        each = -np.log(np.clip(scores[np.arange(len(labels)), labels.astype(int)], _TINY, None))
    elif kind == "squared_loss":
        each = (scores - labels) ** 2
    else:
        each = np.abs(scores - labels)
    return float(np.mean(each * weights))


@dataclass(frozen=True)
class Curve:
    """What every possible threshold would give; arrays of the same length."""

    thresholds: Any
    accuracy: Any
    precision: Any
    recall: Any

    @classmethod
    def of(cls, scores: Floats, labels: Floats) -> "Curve":
        """Thresholds lie between neighbouring scores, and outside of all."""
        order = np.argsort(-scores, kind="stable")
        ranked, truth = scores[order].astype(np.float64), labels[order] > 0
        # a threshold can only lie where the score changes
        cuts = np.concatenate(([0], np.flatnonzero(np.diff(ranked)) + 1, [len(ranked)]))
        hits = np.concatenate(([0], np.cumsum(truth)))[cuts]
        positives = max(int(truth.sum()), 1)
        middle = (ranked[cuts[1:-1] - 1] + ranked[cuts[1:-1]]) / 2
        thresholds = np.concatenate(([(ranked[0] + 1) / 2], middle, [ranked[-1] / 2]))
        correct = hits + (len(truth) - cuts) - (truth.sum() - hits)
        return cls(thresholds, correct / len(truth), hits / np.maximum(cuts, 1), hits / positives)

    def f_beta(self, beta: float) -> Any:
        """F score at every threshold."""
        bottom = beta**2 * self.precision + self.recall
        return (1 + beta**2) * self.precision * self.recall / np.maximum(bottom, _TINY)


def choose_threshold(settings: Settings, scores: Floats, labels: Floats) -> float:
    """The decision threshold by binary_classifier_model_selection_criteria.

    Of equally good thresholds the one nearest to 0.5 wins.
    """
    criterion = settings.binary_classifier_model_selection_criteria
    if criterion == "loss_function":
        return 0.5
    limit = settings.num_calibration_samples
    curve = Curve.of(scores[:limit], labels[:limit])
    if criterion == "accuracy":
        value = curve.accuracy
    elif criterion == "f_beta":
        value = curve.f_beta(settings.f_beta)
    elif criterion == "precision_at_target_recall":
        value = np.where(curve.recall >= settings.target_recall, curve.precision, -1.0)
    else:
        value = np.where(curve.precision >= settings.target_precision, curve.recall, -1.0)
    best = np.flatnonzero(value >= value.max() - 1e-12)
    chosen = best[np.argmin(np.abs(curve.thresholds[best] - 0.5))]
    return float(curve.thresholds[chosen])


def report(model: LinearModel, settings: Settings, features: Floats, labels: Floats) -> list[tuple[str, str, float]]:
    """(metric name, `loss` or `score`, value) in the order of the service's log."""
    scores = model.scores(features)
    found = [(OBJECTIVES[settings.loss], "loss", loss(settings.loss, scores, labels))]
    if model.predictor_type == "regressor":
        found.append(("mse", "loss", loss("squared_loss", scores, labels)))
        found.append(("absolute_loss", "loss", loss("absolute_loss", scores, labels)))
    elif model.predictor_type == "binary_classifier":
        found += [(name, "score", value) for name, value in _binary(model, settings, scores, labels).items()]
    else:
        found += [(name, "score", value) for name, value in _multiclass(model, settings, scores, labels).items()]
    return found


def _f(beta: float, precision: float, recall: float) -> float:
    bottom = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / bottom if bottom else 0.0


def _binary(model: LinearModel, settings: Settings, scores: Floats, labels: Floats) -> dict[str, float]:
    predicted, truth = scores >= model.threshold, labels > 0
    hits = float(np.sum(predicted & truth))
    precision = hits / max(int(predicted.sum()), 1)
    recall = hits / max(int(truth.sum()), 1)
    return {
        "binary_classification_accuracy": float(np.mean(predicted == truth)),
        f"binary_f_{settings.f_beta:.3f}": _f(settings.f_beta, precision, recall),
        "precision": precision,
        "recall": recall,
    }


def _multiclass(model: LinearModel, settings: Settings, scores: Floats, labels: Floats) -> dict[str, float]:
    truth = labels.astype(int)
    predicted = model.labels(scores)
    rank = np.sum(scores > scores[np.arange(len(truth)), truth][:, None], axis=1)
    recalls, precisions = [], []
    for each in np.unique(truth):
        hits = float(np.sum((predicted == each) & (truth == each)))
        recalls.append(hits / max(int(np.sum(truth == each)), 1))
        precisions.append(hits / max(int(np.sum(predicted == each)), 1))
    recall, precision = float(np.mean(recalls)), float(np.mean(precisions))
    top = settings.accuracy_top_k
    return {
        "multiclass_accuracy": float(np.mean(predicted == truth)),
        f"multiclass_top_k_accuracy_{top}": float(np.mean(rank < top)),
        "dcg": float(np.mean(1 / np.log2(rank + 2))),
        "macro_recall": recall,
        "macro_precision": precision,
        f"macro_f_{settings.f_beta:.3f}": _f(settings.f_beta, precision, recall),
    }
