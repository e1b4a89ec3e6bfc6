"""The things that an evaluation speaks of: what to expect, what the data is, what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass

from operations.errors import OperationError
from operations.evaluation.classes import Counts
from operations.evaluation.metrics import Confusion


class EvaluationError(OperationError):
    """The endpoint's answers or the test split are not what they should be."""


@dataclass(frozen=True)
class About:
    """What a data set is: the ``about.json`` that the workload's prepare job wrote."""

    origin: str
    """``real``, ``generated`` or ``public``."""
    source: str
    """Where the rows come from, in words."""
    features: tuple[str, ...]
    """Names of the columns after the label, in order."""
    classes: tuple[str, ...] = ()
    """What the labels 0, 1, 2 ... mean."""
    digits: str = ""
    """For pictures: the digit that each test row shows, one character a row."""
    picture: tuple[int, int] | None = None
    """For pictures: height and width in pixels."""

    @property
    def generated(self) -> bool:
        """Whether the rows are invented, which every display of a result must say."""
        return self.origin == "generated"

    @classmethod
    def parse(cls, text: str | bytes) -> About:
        """Read an ``about.json``; raise EvaluationError when it is damaged."""
        try:
            document = json.loads(text)
            shape = document.get("picture")
            return cls(
                origin=str(document["origin"]),
                source=str(document["source"]),
                features=tuple(str(name) for name in document["features"]),
                classes=tuple(str(name) for name in document.get("classes", ())),
                digits=str(shape["digits"]) if shape else "",
                picture=(int(shape["height"]), int(shape["width"])) if shape else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EvaluationError(f"about.json of the data set is damaged ({error!r})") from error


@dataclass(frozen=True)
class TestSplit:
    """The rows that the model has not seen (CSV, label first, no header) and what they are."""

    __test__ = False  # its name would otherwise make pytest collect it

    rows: bytes
    about: About


@dataclass(frozen=True)
class Prediction:
    """One answer of an endpoint."""

    score: float
    """The model's probability of the positive class, 0 to 1."""
    positive: bool
    """Whether the score reaches the threshold."""
    text: str
    """The class in the workload's words."""


@dataclass(frozen=True)
class _Outcome:
    """What the outcomes of all kinds of model have in common."""

    workload: str
    origin: str
    """``real``, ``generated`` or ``public``, as the data set says."""
    source: str
    """Where the rows come from, in words."""
    requests: int
    """How many requests the rows were sent in."""

    @property
    def generated(self) -> bool:
        """Whether the rows are invented."""
        return self.origin == "generated"

    def _title(self, rows: int) -> str:
        heading = f"{self.workload}: {rows:,} test rows through the endpoint"
        return f"{heading} (generated data)" if self.generated else heading


@dataclass(frozen=True)
class Evaluation(_Outcome):
    """The outcome of sending a test split through an endpoint that scores one of two classes."""

    positive: str
    negative: str
    threshold: float
    confusion: Confusion
    auc: float | None
    """Area under the ROC curve; None when the split holds only one class."""

    @property
    def title(self) -> str:
        """Heading of every display; says so when the rows are invented."""
        return self._title(self.confusion.total)

    @property
    def marks(self) -> dict[str, float | None]:
        """What a plain model is compared by."""
        return {"accuracy": self.confusion.accuracy, "auc": self.auc}


@dataclass(frozen=True)
class ClassEvaluation(_Outcome):
    """The outcome of sending a test split through an endpoint that names one of several classes."""

    classes: tuple[str, ...]
    """Their names, by label."""
    counts: Counts

    @property
    def title(self) -> str:
        """Heading of every display; says so when the rows are invented."""
        return self._title(self.counts.total)

    @property
    def marks(self) -> dict[str, float | None]:
        """What a plain model is compared by."""
        return {"accuracy": self.counts.accuracy}


@dataclass(frozen=True)
class ClusterEvaluation(_Outcome):
    """The outcome of sending a test split through an endpoint that sorts rows into clusters."""

    classes: tuple[str, ...]
    """Names of the hidden labels."""
    counts: Counts
    """Hidden label by cluster."""
    clusters: tuple[int, ...]
    """The cluster of each test row."""

    @property
    def title(self) -> str:
        """Heading of every display; says so when the rows are invented."""
        return self._title(self.counts.total)

    @property
    def marks(self) -> dict[str, float | None]:
        """What a plain model is compared by."""
        return {"purity": self.counts.purity}


Outcome = Evaluation | ClassEvaluation | ClusterEvaluation
