"""How good a model's answers are, in numbers, as the model registry and Model Monitor call them.

The names are those of the SageMaker developer guide, "Model quality metrics". Runs on Python 3.8 and newer.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Sequence

Cells = List[List[int]]
"""How often each true class got each answer: ``cells[label][answer]``."""


class Prediction(NamedTuple):
    """The class that a model says, its score (binary), and the word that it used for the class (multiclass)."""

    label: int
    score: float | None
    word: str


def document(kind: str, classes: Sequence[str], labels: Sequence[int], found: Sequence[Prediction]) -> dict[str, Any]:
    """Return the evaluation; ``kind`` is ``binary`` or ``multiclass``. A rate of nothing is 0."""
    cells = [[0] * len(classes) for _ in classes]
    for label, one in zip(labels, found):
        cells[label][one.label] += 1
    each = [_of_class(cells, label) for label in range(len(classes))]
    if kind == "binary":
        measured = {name: each[1][name] for name in ("precision", "recall", "f1")}
        measured["auc"] = area_under_roc(labels, [one.score or 0.0 for one in found])
    else:
        measured = {
            "weighted_" + name: sum(one[name] * one["support"] for one in each) / len(labels)
            for name in ("precision", "recall", "f1")
        }
    right = sum(cells[label][label] for label in range(len(classes)))
    constant = max(sum(row) for row in cells)
    measured = {
        "accuracy": right / len(labels),
        **measured,
        "accuracy_best_constant_classifier": constant / len(labels),
    }
    matrix = {str(label): {str(answer): count for answer, count in enumerate(row)} for label, row in enumerate(cells)}
    # the registry wants a deviation beside each value; one run has none
    values = {name: {"value": value, "standard_deviation": "NaN"} for name, value in measured.items()}
    return {
        kind + "_classification_metrics": {**values, "confusion_matrix": matrix},
        "classes": dict(zip(classes, each)),
        "rows": len(labels),
    }


def area_under_roc(labels: Sequence[int], scores: Sequence[float]) -> float:
    """Return the chance that a positive row scores above a negative one (ties count half); 0.5 without either."""
    order = sorted(range(len(scores)), key=lambda row: scores[row])
    ranks = 0.0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        ranks += (start + 1 + end) / 2 * sum(labels[row] for row in order[start:end])
        start = end
    positives = sum(labels)
    pairs = positives * (len(labels) - positives)
    return (ranks - positives * (positives + 1) / 2) / pairs if pairs else 0.5


def report(evaluation: dict[str, Any]) -> str:
    """Return the evaluation as a table, for the log."""
    width = max(len(name) for name in evaluation["classes"])
    lines = [f"{'':{width}}  precision  recall      f1  support"]
    for name, one in evaluation["classes"].items():
        numbers = f"{one['precision']:9.4f}  {one['recall']:6.4f}  {one['f1']:6.4f}  {one['support']:7d}"
        lines.append(f"{name:{width}}  {numbers}")
    (measured,) = [value for key, value in evaluation.items() if key.endswith("_metrics")]
    constant = measured["accuracy_best_constant_classifier"]["value"]
    lines.append(
        f"accuracy={measured['accuracy']['value']:.6f} of {evaluation['rows']} rows "
        f"({constant:.6f} for always the most frequent class)"
    )
    return "\n".join(lines)


def _of_class(cells: Cells, label: int) -> dict[str, Any]:
    right, support = cells[label][label], sum(cells[label])
    answered = sum(row[label] for row in cells)
    return {
        "precision": _rate(right, answered),
        "recall": _rate(right, support),
        "f1": _rate(2 * right, support + answered),
        "support": support,
    }


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
