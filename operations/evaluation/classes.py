"""Numbers that say how good the answers of a model with several classes, or with clusters, are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """How often each true class got each answer: ``cells[label][answer]``.

    All rates are fractions, None where they would divide by zero. For classes the answers have the labels' numbers; for
    clusters there may be more or fewer of them, and only ``purity`` and the sums mean something.
    """

    cells: tuple[tuple[int, ...], ...]

    @classmethod
    def count(cls, labels: Sequence[int], given: Sequence[int], classes: int, answers: int) -> Counts:
        """Count pairs of a true label (0 to ``classes`` - 1) and an answer (0 to ``answers`` - 1), one per row."""
        cells = [[0] * answers for _ in range(classes)]
        for label, answer in zip(labels, given, strict=True):
            cells[label][answer] += 1
        return cls(tuple(tuple(row) for row in cells))

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(map(sum, self.cells))

    @property
    def accuracy(self) -> float | None:
        """Right answers among all."""
        return _rate(sum(self.cells[label][label] for label in range(len(self.cells))), self.total)

    @property
    def majority(self) -> float | None:
        """Accuracy of always giving the most frequent class: what a model has to beat."""
        return _rate(max(map(sum, self.cells), default=0), self.total)

    @property
    def purity(self) -> float | None:
        """Share of rows whose class is the most frequent one of their cluster."""
        return _rate(sum(max(cluster) for cluster in zip(*self.cells, strict=True)), self.total)

    def support(self, label: int) -> int:
        """Rows that are truly of the class."""
        return sum(self.cells[label])

    def answered(self, answer: int) -> int:
        """Rows that got the answer."""
        return sum(row[answer] for row in self.cells)

    def precision(self, label: int) -> float | None:
        """Right answers among those that the model called so."""
        return _rate(self.cells[label][label], self.answered(label))

    def recall(self, label: int) -> float | None:
        """Rows of the class that the model found."""
        return _rate(self.cells[label][label], self.support(label))

    def f1(self, label: int) -> float | None:
        """Harmonic mean of precision and recall."""
        return _rate(2 * self.cells[label][label], self.support(label) + self.answered(label))

    def hidden(self, cluster: int) -> list[tuple[int, int]]:
        """Return the classes in a cluster with their rows, the most frequent first."""
        found = [(label, row[cluster]) for label, row in enumerate(self.cells) if row[cluster]]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
