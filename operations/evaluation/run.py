"""Sending a test split through an endpoint and counting its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from operations.evaluation.metrics import Confusion, area_under_roc
from operations.evaluation.model import About, Evaluation, EvaluationError, Spec
from operations.evaluation.replies import classify, parse_scores
from operations.evaluation.rows import batches, labelled_rows

Invoke = Callable[[bytes], bytes]
"""Sends one request body to the endpoint and returns the reply's body."""

Progress = Callable[[int], None]
"""Told after each request how many rows have been answered so far."""


def evaluate(
    workload: str,
    test_csv: bytes | Iterable[bytes],
    about: About,
    spec: Spec,
    invoke: Invoke,
    progress: Progress | None = None,
) -> Evaluation:
    """Send every row of ``test_csv`` (label first) through ``invoke`` without its label and judge the answers.

    Raises EvaluationError when a row has another number of features than ``about`` names, and when a reply
    does not hold exactly one score per row: answers that may belong to other rows are worth less than none.
    """
    labels: list[int] = []
    scores: list[float] = []
    requests = 0
    for batch in batches(labelled_rows(test_csv, len(about.features)), spec.batch_rows):
        requests += 1
        answered = parse_scores(invoke(batch.body), spec.score)
        if len(answered) != len(batch.labels):
            raise EvaluationError(
                f"the endpoint answered {len(answered)} scores to {len(batch.labels)} rows (request {requests})"
            )
        labels += batch.labels
        scores += answered
        if progress is not None:
            progress(len(labels))
    return Evaluation(
        workload=workload,
        positive=spec.positive,
        negative=spec.negative,
        threshold=spec.threshold,
        origin=about.origin,
        source=about.source,
        confusion=Confusion.count(labels, [classify(spec, score).positive for score in scores]),
        auc=area_under_roc(labels, scores),
        requests=requests,
    )
