"""Statistics, suggested constraints and violations of a model quality analysis.

Formats: developer guide, model-monitor-model-quality-metrics.html and -baseline.html; which constraints there are and
their operators: published baselines (localcloud/RULES.md).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import classification
import judgements
import numpy as np
import profiles
from job import Attributes
from judgements import Judgements
from numpy.typing import NDArray
from sagemaker_io import UserError

Violation = dict[str, str]
#: problem type -> the word in `<word>_metrics` and `<word>_constraints`
_WORDS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}
_GREATER, _LESS = "GreaterThanThreshold", "LessThanThreshold"
#: metrics that are worse the greater they are
_ERRORS = frozenset({"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"})
_UNCONSTRAINED = "_best_constant_classifier"
#: a standard deviation needs so many rows; it comes from so many samples of such a share of them ([doc])
_ENOUGH, _SAMPLES, _SHARE = 200, 5, 0.8
#: metrics of the rows with these numbers
_Measure = Callable[[NDArray[np.int64]], dict[str, float]]


@dataclass(frozen=True)
class Quality:
    """How good a model is on some rows."""

    word: str
    rows: int
    values: Mapping[str, float]
    deviations: Mapping[str, float]
    others: Mapping[str, Any]
    """Confusion matrix and curves, which are no numbers."""

    def statistics(self) -> dict[str, Any]:
        """statistics.json."""
        scalars = {
            name: {"value": _number(value), "standard_deviation": _number(self.deviations[name])}
            for name, value in self.values.items()
        }
        return {
            "version": profiles.VERSION,
            "dataset": {"item_count": self.rows},
            f"{self.word}_metrics": {**self.others, **scalars},
        }

    def constraints(self) -> dict[str, Any]:
        """constraints.json: no worse than this."""
        suggested = {
            name: {"threshold": _number(value), "comparison_operator": _GREATER if name in _ERRORS else _LESS}
            for name, value in self.values.items()
            if not name.endswith(_UNCONSTRAINED)
        }
        return {"version": profiles.VERSION, f"{self.word}_constraints": suggested}

    def violations(self, baseline: Mapping[str, Any]) -> list[Violation]:
        """Raises UserError for a baseline of another problem type."""
        expected = baseline.get(f"{self.word}_constraints")
        if expected is None:
            raise UserError(f"No usable value for {self.word}_constraints")
        return [self._violation(name, rule) for name, rule in expected.items() if self._worse(name, rule)]

    def _worse(self, name: str, rule: Mapping[str, Any]) -> bool:
        value, limit = self.values.get(name), rule.get("threshold")
        if value is None or math.isnan(value) or not isinstance(limit, int | float):
            return False
        return value > limit if rule.get("comparison_operator") == _GREATER else value < limit

    def _violation(self, name: str, rule: Mapping[str, Any]) -> Violation:
        operator = str(rule.get("comparison_operator", _LESS))
        deviation = _number(self.deviations[name])
        return {
            "constraint_check_type": operator,
            "description": f"Metric {name} with {self.values[name]} +/- {deviation} was {operator} "
            f"'{rule['threshold']}'",
            "metric_name": name,
        }


def measure(problem: str, found: Judgements, attributes: Attributes) -> Quality:
    """Raises UserError for values that do not fit the problem type, and without any row."""
    rows = len(found.truth)
    if not rows:
        raise UserError("There is no row with a prediction and its ground truth in the data to analyse.")
    if problem == "Regression":
        of_rows, others = _regression(found)
    elif problem == "BinaryClassification":
        of_rows, others = _binary(found, attributes)
    else:
        of_rows, others = _multiclass(found)
    values = of_rows(np.arange(rows))
    return Quality(_WORDS[problem], rows, values, _deviations(of_rows, rows, values), others)


def _regression(found: Judgements) -> tuple[_Measure, dict[str, Any]]:
    if found.predicted is None:
        raise UserError("inference_attribute is required for Regression.")
    truth = np.array(judgements.numbers(found.truth, "the ground truth"))
    predicted = np.array(judgements.numbers(found.predicted, "the prediction"))
    return (lambda rows: classification.regression(truth[rows], predicted[rows])), {}


def _binary(found: Judgements, attributes: Attributes) -> tuple[_Measure, dict[str, Any]]:
    truth = judgements.labels(found.truth)
    score = None
    if found.probability is not None:
        score = np.array(judgements.numbers(found.probability, "the probability"))
    told = judgements.labels(found.predicted) if found.predicted is not None else None
    classes = _two_classes({*truth, *(told or ())})
    if told is None and score is not None:
        told = [classes[int(above)] for above in score > attributes.threshold]
    actual, answered = _numbered(truth, classes), _numbered(told or [], classes)
    positive = actual == 1
    others: dict[str, Any] = {}
    if score is not None:
        drawn = classification.curves(positive, score)
        rates, precisions = ("false_positive_rates", "true_positive_rates"), ("precisions", "recalls")
        others["receiver_operating_characteristic_curve"] = {name: drawn[name] for name in rates}
        others["precision_recall_curve"] = {name: drawn[name] for name in precisions}

    def of_rows(rows: NDArray[np.int64]) -> dict[str, float]:
        matrix = classification.confusion(actual[rows], answered[rows], 2)
        area = classification.area(positive[rows], score[rows]) if score is not None else None
        return classification.binary(matrix, area)

    return of_rows, {**_matrix(actual, answered, classes), **others}


def _multiclass(found: Judgements) -> tuple[_Measure, dict[str, Any]]:
    if found.predicted is None:
        raise UserError("[localcloud] a MulticlassClassification without inference_attribute is not supported yet")
    truth, told = judgements.labels(found.truth), judgements.labels(found.predicted)
    classes = judgements.in_order({*truth, *told})
    actual, answered = _numbered(truth, classes), _numbered(told, classes)
    return (
        lambda rows: classification.multiclass(classification.confusion(actual[rows], answered[rows], len(classes)))
    ), _matrix(actual, answered, classes)


def _two_classes(seen: set[str]) -> list[str]:
    if seen <= {"0", "1"}:
        return ["0", "1"]
    if len(seen) != 2:
        raise UserError(f"BinaryClassification needs two classes and the data has {judgements.in_order(seen)}")
    return judgements.in_order(seen)


def _numbered(values: list[str], classes: list[str]) -> NDArray[np.int64]:
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[value] for value in values], dtype=np.int64)


def _matrix(actual: NDArray[np.int64], answered: NDArray[np.int64], classes: list[str]) -> dict[str, Any]:
    matrix = classification.confusion(actual, answered, len(classes))
    return {"confusion_matrix": classification.labelled(matrix, classes)}


def _deviations(of_rows: _Measure, rows: int, values: Mapping[str, float]) -> dict[str, float]:
    """Seeded: the same rows give the same numbers."""
    if rows < _ENOUGH:
        return dict.fromkeys(values, math.nan)
    chance = np.random.default_rng(0)
    samples = [of_rows(chance.choice(rows, int(rows * _SHARE), replace=False)) for _ in range(_SAMPLES)]
    return {name: float(np.std([sample[name] for sample in samples])) for name in values}


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value
