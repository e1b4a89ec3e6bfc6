"""Showing an evaluation to machines: plain data."""

from __future__ import annotations

from typing import Any

from operations.evaluation.baseline import Comparison, Plain
from operations.evaluation.model import ClassEvaluation, ClusterEvaluation, Evaluation, Outcome


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Return the evaluation as plain data; rates are fractions, null where they would divide by zero."""
    common: dict[str, Any] = {
        "workload": outcome.workload,
        "title": outcome.title,
        "data": {"origin": outcome.origin, "generated": outcome.generated, "source": outcome.source},
        "requests": outcome.requests,
    }
    if isinstance(outcome, Evaluation):
        return common | {"kind": "binary"} | _binary(outcome)
    if isinstance(outcome, ClassEvaluation):
        return common | {"kind": "multiclass"} | _classes(outcome)
    return common | {"kind": "clusters"} | _clusters(outcome)


def comparison_json(plain: Plain, found: list[Comparison]) -> dict[str, Any]:
    """Return the plain model's marks beside the endpoint's, by name of the mark."""
    marks = {one.name: {"endpoint": one.endpoint, "plain": one.plain, "at_least_as_good": one.as_good} for one in found}
    return {"model": plain.model, "marks": marks, "at_least_as_good": all(one.as_good for one in found)}


def _binary(outcome: Evaluation) -> dict[str, Any]:
    confusion = outcome.confusion
    return {
        "classes": {"negative": outcome.negative, "positive": outcome.positive},
        "threshold": outcome.threshold,
        "rows": confusion.total,
        "confusion": {
            "true_negative": confusion.true_negative,
            "false_positive": confusion.false_positive,
            "false_negative": confusion.false_negative,
            "true_positive": confusion.true_positive,
        },
        "support": {"negative": confusion.total - confusion.support, "positive": confusion.support},
        "accuracy": confusion.accuracy,
        "precision": confusion.precision,
        "recall": confusion.recall,
        "f1": confusion.f1,
        "auc": outcome.auc,
        "observed_rate": confusion.observed_rate,
        "predicted_rate": confusion.predicted_rate,
        "baseline_accuracy": confusion.baseline,
    }


def _classes(outcome: ClassEvaluation) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "classes": list(outcome.classes),
        "rows": counts.total,
        "confusion": [list(row) for row in counts.cells],
        "accuracy": counts.accuracy,
        "baseline_accuracy": counts.majority,
        "by_class": {
            name: {
                "precision": counts.precision(label),
                "recall": counts.recall(label),
                "f1": counts.f1(label),
                "support": counts.support(label),
            }
            for label, name in enumerate(outcome.classes)
        },
    }


def _clusters(outcome: ClusterEvaluation) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "classes": list(outcome.classes),
        "rows": counts.total,
        "purity": counts.purity,
        "clusters": [
            {
                "rows": counts.answered(cluster),
                "labels": {outcome.classes[label]: rows for label, rows in counts.hidden(cluster)},
            }
            for cluster in range(len(counts.cells[0]))
        ],
    }
