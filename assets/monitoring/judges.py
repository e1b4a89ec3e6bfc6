"""Judge of answers: takes in what was true and what was answered, row by row, in constant memory.

Besides the whole it follows five random samples of 80 % of the rows, from which standard deviations come (developer
guide, model-monitor-model-quality-metrics.html). A row is in a sample by a seeded draw: same data, same numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Callable, Dict, Mapping, Tuple

import figures
import numpy as np
from intake import Rejected
from settings import Attributes, UserError

#: a standard deviation needs so many rows; it comes from so many samples of such a share of them ([doc])
_ENOUGH, _SAMPLES, _SHARE = 200, 5, 0.8
_BLOCK = 1 << 16
_MOST_CLASSES = 10_000
#: of scores so many different ones are kept apart; beyond, they lose digits at the end
_MOST_SCORES = 1 << 20

Result = Tuple[Dict[str, float], Dict[str, float], Dict[str, Any]]
"""Values, standard deviations, and what is no number: confusion matrix and curves."""


class Judge:
    """What the three problem types have in common."""

    def __init__(self) -> None:
        self.rows = 0
        self.unknown = 0
        """Rows that have come but do not count, as their class is none of the problem's."""
        self._waiting: list[Any] = []
        self._chance = np.random.default_rng(0)

    def add(self, truth: str, predicted: str | None, probability: str | None) -> None:
        """Take in one row. Raises Rejected for values that are none of the problem type's."""
        self._waiting.append(self._understood(truth, predicted, probability))
        if len(self._waiting) >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Look at the rows that wait."""
        rows, self._waiting = self._waiting, []
        self.rows += len(rows)
        if rows:
            whole = np.ones((1, len(rows)), dtype=bool)
            self._take(rows, np.concatenate([whole, self._chance.random((_SAMPLES, len(rows))) < _SHARE]))

    def result(self) -> Result:
        """Return the metrics. Raises UserError for data of another problem type."""
        self.flush()
        measure, others = self._measure()
        values = measure(0)
        if self.rows - self.unknown < _ENOUGH:
            return values, dict.fromkeys(values, math.nan), others
        samples = [measure(sample) for sample in range(1, 1 + _SAMPLES)]
        return values, {name: float(np.std([each[name] for each in samples])) for name in values}, others

    def _understood(self, truth: str, predicted: str | None, probability: str | None) -> Any:
        raise NotImplementedError

    def _take(self, rows: list[Any], samples: Any) -> None:
        raise NotImplementedError

    def _measure(self) -> tuple[Callable[[int], dict[str, float]], dict[str, Any]]:
        raise NotImplementedError


class Regression(Judge):
    """Errors of numbers."""

    def __init__(self) -> None:
        super().__init__()
        # count, sums of |error| and of error squared, mean and squares of the truth; for the whole and each sample
        self._sums = np.zeros((5, 1 + _SAMPLES))

    def _understood(self, truth: str, predicted: str | None, probability: str | None) -> tuple[float, float]:
        return number(truth, "the label"), number(str(predicted), "the prediction")

    def _take(self, rows: list[Any], samples: Any) -> None:
        truth, predicted = np.array(rows).T
        for sample, chosen in enumerate(samples):
            actual = truth[chosen]
            if not len(actual):
                continue
            error = predicted[chosen] - actual
            count, mean = self._sums[0, sample], float(actual.mean())
            step, total = mean - self._sums[3, sample], count + len(actual)
            self._sums[:, sample] += [
                len(actual),
                float(np.abs(error).sum()),
                float((error**2).sum()),
                step * len(actual) / total,
                float(((actual - mean) ** 2).sum()) + step * step * count * len(actual) / total,
            ]

    def _measure(self) -> tuple[Callable[[int], dict[str, float]], dict[str, Any]]:
        def measure(sample: int) -> dict[str, float]:
            count, absolute, square, _, spread = self._sums[:, sample].tolist()
            mse = square / count
            return {
                "mae": absolute / count,
                "mse": mse,
                "rmse": mse**0.5,
                "r2": 1 - square / spread if spread else math.nan,
            }

        return measure, {}


class Multiclass(Judge):
    """Which class was answered to which."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: list[Counter[tuple[str, str]]] = [Counter() for _ in range(1 + _SAMPLES)]
        self._labels: dict[str, str] = {}

    def _understood(self, truth: str, predicted: str | None, probability: str | None) -> Any:
        return self._label(truth), self._label(str(predicted))

    def _take(self, rows: list[Any], samples: Any) -> None:
        pairs: dict[Any, int] = {}
        codes = np.array([pairs.setdefault(row[:2], len(pairs)) for row in rows])
        for counts, chosen in zip(self._counts, samples):
            found = np.bincount(codes[chosen], minlength=len(pairs)).tolist()
            counts.update({pair: count for pair, count in zip(pairs, found) if count})

    def _measure(self) -> tuple[Callable[[int], dict[str, float]], dict[str, Any]]:
        classes = in_order({label for pair in self._counts[0] for label in pair})
        matrices = [_matrix(counts, classes) for counts in self._counts]
        others = {"confusion_matrix": figures.labelled(matrices[0], classes)}
        return (lambda sample: figures.multiclass(matrices[sample])), others

    def _label(self, text: str) -> str:
        """Return a class by its one name: ``1.0`` is the class ``1``."""
        found = self._labels.get(text)
        if found is None:
            if len(self._labels) >= _MOST_CLASSES:
                raise UserError(f"more than {_MOST_CLASSES} classes: is this a Regression?")
            found = self._labels[text] = _canonical(text)
        return found


class Binary(Multiclass):
    """Two classes, the second one positive, and how sure the model was."""

    def __init__(self, attributes: Attributes) -> None:
        super().__init__()
        self._attributes = attributes
        self._scores: dict[str, Scores] = {}
        """How often each score was given, by true class."""

    def _understood(self, truth: str, predicted: str | None, probability: str | None) -> Any:
        score = None if probability is None else number(probability, "the probability")
        told: Any = self._label(predicted) if predicted is not None else None
        if told is None and score is not None:
            told = score > self._attributes.threshold
        return self._label(truth), told, score

    def _take(self, rows: list[Any], samples: Any) -> None:
        super()._take(rows, samples)
        if self._attributes.probability is None:
            return
        truths = [row[0] for row in rows]
        scores = np.array([row[2] for row in rows], dtype=float)
        for label in dict.fromkeys(truths):
            chosen = np.array([truth == label for truth in truths])
            self._scores.setdefault(label, Scores()).add(scores[chosen], samples[:, chosen])

    def _measure(self) -> tuple[Callable[[int], dict[str, float]], dict[str, Any]]:
        seen = {label for pair in self._counts[0] for label in pair if isinstance(label, str)}
        classes = _two_classes(seen)
        matrices = [_matrix(_named(counts, classes), classes) for counts in self._counts]
        self.unknown = self.rows - int(matrices[0].sum())
        others: dict[str, Any] = {"confusion_matrix": figures.labelled(matrices[0], classes)}
        if self._attributes.probability is None:
            return (lambda sample: figures.binary(matrices[sample], None)), others
        counts = joint(self._scores.get(classes[0], Scores()), self._scores.get(classes[1], Scores()))
        others.update(figures.Curve(*counts[:, :, 0]).points())

        def measure(sample: int) -> dict[str, float]:
            return figures.binary(matrices[sample], figures.Curve(*counts[:, :, sample]).area())

        return measure, others


class Scores:
    """How often each score occurs, in the whole and in each sample."""

    def __init__(self) -> None:
        self.values: Any = np.empty(0)
        self.counts: Any = np.zeros((0, 1 + _SAMPLES), dtype=np.int64)
        self._dropped = 0

    def add(self, scores: Any, samples: Any) -> None:
        """Take in scores, and which of them are in which sample."""
        self._merge(np.concatenate([self.values, scores + 0.0]), np.concatenate([self.counts, samples.T]))
        while len(self.values) > _MOST_SCORES:
            self._dropped += 1
            self._merge(self.values, self.counts)

    def _merge(self, values: Any, counts: Any) -> None:
        if self._dropped:
            mask = np.int64(-1 << (24 + self._dropped))  # of the 52 binary digits behind the point
            values = (np.ascontiguousarray(values).view(np.int64) & mask).view(np.float64)
        order = np.argsort(values, kind="stable")
        values, counts = values[order], counts[order]
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        self.values, self.counts = values[starts], np.add.reduceat(counts.astype(np.int64), starts, axis=0)


def joint(negatives: Scores, positives: Scores) -> Any:
    """Return counts of (negatives, positives) for each score of either, the highest score first."""
    values = np.union1d(negatives.values, positives.values)[::-1]
    counts = np.zeros((2, len(values), 1 + _SAMPLES), dtype=np.int64)
    for side, scores in enumerate((negatives, positives)):
        counts[side, len(values) - 1 - np.searchsorted(values[::-1], scores.values)] = scores.counts
    return counts


def number(text: str, what: str) -> float:
    """Return the number that a text is. Raises Rejected."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Rejected("not_a_number", f"{what} {text!r} is not a number")
    return found


def in_order(classes: set[str]) -> list[str]:
    """Return numbers as numbers, anything else as texts, in order."""
    numeric: Callable[[str], Any] = float
    try:
        return sorted(classes, key=numeric)
    except ValueError:
        return sorted(classes)


def _canonical(text: str) -> str:
    try:
        found = float(text)
    except ValueError:
        return text
    if not math.isfinite(found):
        return text
    return str(int(found)) if found.is_integer() else str(found)


def _two_classes(seen: set[str]) -> list[str]:
    usual = ["0", "1"]
    if seen <= {*usual} or (len(seen) > len(usual) and seen >= {*usual}):  # what else there is, is counted as unknown
        return usual
    if len(seen) != len(usual):
        raise UserError(f"BinaryClassification needs two classes and the data has {in_order(seen)}")
    return in_order(seen)


def _named(counts: Mapping[Any, int], classes: list[str]) -> Counter[tuple[str, str]]:
    """Name the answers that a score stands for, and leave out rows of other classes."""
    found: Counter[tuple[str, str]] = Counter()
    for (truth, told), count in counts.items():
        name = classes[int(told)] if isinstance(told, bool) else told
        if truth in classes and name in classes:
            found[truth, name] += count
    return found


def _matrix(counts: Mapping[Any, int], classes: list[str]) -> Any:
    numbers = {name: number for number, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for (truth, told), count in counts.items():
        matrix[numbers[truth], numbers[told]] += count
    return matrix
