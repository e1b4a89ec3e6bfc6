"""Numbers that say how good the answers of a two-class model are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Confusion:
    """How often each true class got each answer; all rates are fractions, None where they would divide by zero."""

    true_negative: int
    false_positive: int
    false_negative: int
    true_positive: int

    @classmethod
    def count(cls, labels: Sequence[int], answers: Sequence[bool]) -> Confusion:
        """Count pairs of a true label (0 or 1) and an answer; both sequences have one entry per row."""
        cells = [0, 0, 0, 0]
        for label, answer in zip(labels, answers, strict=True):
            cells[2 * label + int(answer)] += 1
        return cls(*cells)

    @property
    def total(self) -> int:
        """Rows in all."""
        return self.true_negative + self.false_positive + self.false_negative + self.true_positive

    @property
    def support(self) -> int:
        """Rows that are truly positive."""
        return self.false_negative + self.true_positive

    @property
    def predicted_positive(self) -> int:
        """Rows that the model called positive."""
        return self.false_positive + self.true_positive

    @property
    def accuracy(self) -> float | None:
        """Right answers among all."""
        return _rate(self.true_negative + self.true_positive, self.total)

    @property
    def precision(self) -> float | None:
        """Right answers among those the model called positive."""
        return _rate(self.true_positive, self.predicted_positive)

    @property
    def recall(self) -> float | None:
        """Truly positive rows that the model found."""
        return _rate(self.true_positive, self.support)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return _rate(2 * self.true_positive, self.support + self.predicted_positive)

    @property
    def observed_rate(self) -> float | None:
        """Share of rows that are truly positive."""
        return _rate(self.support, self.total)

    @property
    def predicted_rate(self) -> float | None:
        """Share of rows that the model called positive."""
        return _rate(self.predicted_positive, self.total)

    @property
    def baseline(self) -> float | None:
        """Accuracy of always giving the more frequent answer: what a model has to beat."""
        return _rate(max(self.support, self.total - self.support), self.total)


def area_under_roc(labels: Sequence[int], scores: Sequence[float]) -> float | None:
    """Return the chance that a random positive row scores above a random negative one (ties count half).

    That is the area under the ROC curve, by ranks (Mann and Whitney). None when a class is missing.
    """
    order = sorted(range(len(scores)), key=lambda row: scores[row])
    rank_sum = 0.0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        mean_rank = (start + 1 + end) / 2
        rank_sum += mean_rank * sum(labels[row] for row in order[start:end])
        start = end
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
