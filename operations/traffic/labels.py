"""What is true of a captured request: the label of the row that was sent, or one for a model as right as asked.

A label is written as the model writes its answers, because Model Monitor compares the two as texts: a class's name or
its number; of a score, 1 or 0.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import Enum
from random import Random

from operations.errors import UsageError
from operations.evaluation import Binary, Clusters, EvaluationError, Multiclass, Spec
from operations.evaluation.replies import parse_classes, parse_predictions, raw_answers
from operations.traffic.capture import Event
from operations.traffic.samples import Split


class Without(Enum):
    """Why a captured request has no label."""

    FOREIGN = "not from `sandcastle traffic`, or from other data: what is true of them is not known"
    SEVERAL = "with several rows: Model Monitor takes one label for a request"
    UNREADABLE = "answered in another form than the workload's"


@dataclass(frozen=True)
class Labeller:
    """Gives labels. The same seed gives each event the same label, in whatever order they come.

    Without ``accuracy`` they are the true ones, of which ``noise`` is the share that is wrong; with it, the model's own
    answers, so many of them right.
    """

    spec: Spec
    classes: tuple[str, ...]
    split: Split
    seed: int
    accuracy: float | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        """Raise UsageError for a model that no label belongs to."""
        if isinstance(self.spec, Clusters):
            raise UsageError("This workload sorts rows into clusters: there is no label that would be right or wrong.")

    def label(self, event: Event) -> str | Without:
        """Return the label of an event, or why it has none."""
        try:
            answers, written = self._answers(event.reply)
        except EvaluationError:
            return Without.UNREADABLE
        if len(answers) != 1:
            return Without.SEVERAL if answers else Without.UNREADABLE
        random = Random(f"{self.seed} {event.identifier}")  # noqa: S311  # repeatable on purpose, nothing secret
        truth = answers[0] if self.accuracy is not None else self.split.label(event.identifier)
        if truth is None:
            return Without.FOREIGN
        right = 1 - self.noise if self.accuracy is None else self.accuracy
        if random.random() >= right:
            truth = random.choice([one for one in range(self._count) if one != truth])
        return self._as_written(truth, written[0])

    @property
    def _count(self) -> int:
        return 2 if isinstance(self.spec, Binary) else len(self.classes)

    def _answers(self, reply: bytes) -> tuple[list[int], list[str]]:
        """Return the label that each answer stands for, and how the model has written it."""
        if isinstance(self.spec, Binary):
            return [int(one.positive) for one in parse_predictions(self.spec, reply)], raw_answers(
                reply, self.spec.score
            )
        if isinstance(self.spec, Multiclass):
            return parse_classes(reply, self.spec.answer, self.classes), raw_answers(reply, self.spec.answer)
        raise TypeError(self.spec)  # __post_init__ has refused it

    def _as_written(self, label: int, answer: str) -> str:
        if isinstance(self.spec, Binary):
            return str(label)
        if answer in self.classes:
            return _cell(self.classes[label])
        return f"{label}.0" if answer.endswith(".0") else str(label)


def _cell(text: str) -> str:
    """Return the text as a cell of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()
