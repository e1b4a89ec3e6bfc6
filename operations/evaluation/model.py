"""The things that an evaluation speaks of: what to expect, what the data is, what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from operations.errors import OperationError
from operations.evaluation.metrics import Confusion


class EvaluationError(OperationError):
    """The endpoint's answers or the test split are not what they should be."""


class Spec(Protocol):
    """How a workload's answers are read: the ``evaluate`` block of its workload.yaml.

    ``score`` says where the probability of the positive class stands in a reply: ``csv`` (one number per
    line) or ``json:<field>`` (that field of every entry of ``predictions``). A score of ``threshold`` or
    more is read as positive. ``batch_rows`` rows go into one request.
    """

    @property
    def positive(self) -> str:
        """What label 1 means."""

    @property
    def negative(self) -> str:
        """What label 0 means."""

    @property
    def score(self) -> str:
        """Where the score stands in a reply."""

    @property
    def threshold(self) -> float:
        """The lowest score that counts as positive."""

    @property
    def batch_rows(self) -> int:
        """Rows per request, at most."""


@dataclass(frozen=True)
class About:
    """What a data set is: the ``about.json`` that the workload's prepare job wrote."""

    origin: str
    """``real``, ``generated`` or ``public``."""
    source: str
    """Where the rows come from, in words."""
    features: tuple[str, ...]
    """Names of the columns after the label, in order."""
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
class Evaluation:
    """The outcome of sending a test split through an endpoint."""

    workload: str
    positive: str
    negative: str
    threshold: float
    origin: str
    source: str
    confusion: Confusion
    auc: float | None
    """Area under the ROC curve; None when the split holds only one class."""
    requests: int
    """How many requests the rows were sent in."""

    @property
    def generated(self) -> bool:
        """Whether the rows are invented."""
        return self.origin == "generated"

    @property
    def title(self) -> str:
        """Heading of every display; says so when the rows are invented."""
        heading = f"{self.workload}: {self.confusion.total:,} test rows through the endpoint"
        return f"{heading} (generated data)" if self.generated else heading
