"""Sending a test split through an endpoint and counting its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from operations.evaluation.classes import Counts
from operations.evaluation.metrics import Confusion, area_under_roc
from operations.evaluation.model import (
    About,
    ClassEvaluation,
    ClusterEvaluation,
    Evaluation,
    EvaluationError,
    Outcome,
)
from operations.evaluation.replies import classify, parse_classes, parse_clusters, parse_scores
from operations.evaluation.rows import batches, labelled_rows
from operations.evaluation.spec import Binary, Multiclass, Spec

Invoke = Callable[[bytes], bytes]
"""Sends one request body to the endpoint and returns the reply's body."""

Progress = Callable[[int], None]
"""Told after each request how many rows have been answered so far."""

_Answer = TypeVar("_Answer", int, float)


@dataclass(frozen=True)
class _Sent(Generic[_Answer]):
    labels: list[int]
    answers: list[_Answer]
    requests: int


def evaluate(
    workload: str,
    test_csv: bytes | Iterable[bytes],
    about: About,
    spec: Spec,
    invoke: Invoke,
    progress: Progress | None = None,
) -> Outcome:
    """Send every row of ``test_csv`` (label first) through ``invoke`` without its label and judge the answers.

    Raises EvaluationError when a row has another number of features than ``about`` names, and when a reply
    does not hold exactly one answer per row: answers that may belong to other rows are worth less than none.
    """
    if isinstance(spec, Binary):
        return _binary(workload, test_csv, about, spec, invoke, progress)
    classes = about.classes
    if len(classes) < 2:
        raise EvaluationError("about.json of the data set names no classes, which this kind of evaluation needs")
    if isinstance(spec, Multiclass):
        where = spec.answer
        named = _send(test_csv, about, spec, "classes", invoke, lambda r: parse_classes(r, where, classes), progress)
        counts = Counts.count(named.labels, named.answers, len(classes), len(classes))
        return ClassEvaluation(workload, about.origin, about.source, named.requests, classes, counts)
    where = spec.answer
    sorted_ = _send(test_csv, about, spec, "clusters", invoke, lambda r: parse_clusters(r, where), progress)
    counts = Counts.count(sorted_.labels, sorted_.answers, len(classes), max(sorted_.answers) + 1)
    return ClusterEvaluation(
        workload, about.origin, about.source, sorted_.requests, classes, counts, tuple(sorted_.answers)
    )


def _binary(
    workload: str,
    test_csv: bytes | Iterable[bytes],
    about: About,
    spec: Binary,
    invoke: Invoke,
    progress: Progress | None,
) -> Evaluation:
    scored = _send(test_csv, about, spec, "scores", invoke, lambda reply: parse_scores(reply, spec.score), progress)
    return Evaluation(
        workload=workload,
        positive=spec.positive,
        negative=spec.negative,
        threshold=spec.threshold,
        origin=about.origin,
        source=about.source,
        confusion=Confusion.count(scored.labels, [classify(spec, score).positive for score in scored.answers]),
        auc=area_under_roc(scored.labels, scored.answers),
        requests=scored.requests,
    )


def _send(
    test_csv: bytes | Iterable[bytes],
    about: About,
    spec: Spec,
    answers: str,
    invoke: Invoke,
    read: Callable[[bytes], Sequence[_Answer]],
    progress: Progress | None,
) -> _Sent[_Answer]:
    """Send all rows in batches; ``answers`` is what the model gives, in the words of an error."""
    classes = 2 if isinstance(spec, Binary) else len(about.classes)
    sent: _Sent[_Answer] = _Sent([], [], 0)
    requests = 0
    for batch in batches(labelled_rows(test_csv, len(about.features), classes), spec.batch_rows):
        requests += 1
        answered = read(invoke(batch.body))
        if len(answered) != len(batch.labels):
            raise EvaluationError(
                f"the endpoint answered {len(answered)} {answers} to {len(batch.labels)} rows (request {requests})"
            )
        sent.labels.extend(batch.labels)
        sent.answers.extend(answered)
        if progress is not None:
            progress(len(sent.labels))
    return _Sent(sent.labels, sent.answers, requests)
