"""How a workload's answers are read, by kind of model: the ``evaluate`` block of its workload.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from operations.evaluation.model import EvaluationError
from sandcastle.config.workload import EvaluateSpec


@dataclass(frozen=True)
class Binary:
    """The model gives each row a score for one of two classes.

    ``score`` says where it stands in a reply: ``csv`` (one number per line) or ``json:<field>`` (that field of every
    answer). A score of ``threshold`` or more is read as positive. ``batch_rows`` rows go into one request.
    """

    positive: str
    """What label 1 means."""
    negative: str
    """What label 0 means."""
    score: str
    threshold: float = 0.5
    batch_rows: int = 100


@dataclass(frozen=True)
class Multiclass:
    """The model gives each row one of several classes, by its name or its number.

    ``answer`` says where it stands in a reply: ``csv`` or ``json:<field>``.
    """

    answer: str
    batch_rows: int = 100


@dataclass(frozen=True)
class Clusters:
    """The model gives each row the number of a cluster, which has no meaning of its own.

    ``answer`` says where it stands in a reply: ``csv`` or ``json:<field>``.
    """

    answer: str
    batch_rows: int = 100


Spec = Binary | Multiclass | Clusters
"""How a workload's answers are read: the ``evaluate`` block of its workload.yaml."""


def spec_of(written: EvaluateSpec) -> Spec:
    """Return the block as its kind has it.

    Raises EvaluationError when a key of the kind is missing, which loading an environment would have said first.
    """
    try:
        if written.kind == "binary":
            threshold = 0.5 if written.threshold is None else written.threshold
            positive, negative, score = (_needed(written, key) for key in ("positive", "negative", "score"))
            return Binary(positive, negative, score, threshold, written.batch_rows)
        kind = Multiclass if written.kind == "multiclass" else Clusters
        return kind(_needed(written, "answer"), written.batch_rows)
    except KeyError as error:
        key = error.args[0]
        raise EvaluationError(f"evaluate.{key} is missing in workload.yaml (kind: {written.kind})") from None


def _needed(written: EvaluateSpec, key: str) -> str:
    value = getattr(written, key)
    if value is None:
        raise KeyError(key)
    return str(value)
