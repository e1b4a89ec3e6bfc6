"""Reading what an endpoint answers: one score per row, as CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from operations.evaluation.model import EvaluationError, Prediction, Spec

_SHOWN = 120  # characters of a wrong reply that an error repeats


def parse_scores(reply: bytes, where: str) -> list[float]:
    """Return the scores of a reply, in the order of the request's rows.

    ``where`` is the ``score`` of a workload: ``csv`` reads numbers separated by commas or line ends
    (built-in XGBoost has used both), ``json:<field>`` reads that field of each entry of ``predictions``, as
    Linear Learner answers. Raises EvaluationError when the reply has another form or a score is not a
    number from 0 to 1.
    """
    text = reply.decode("utf-8", "replace")
    if where == "csv":
        found: Iterable[object] = text.replace(",", "\n").split()
    elif where.startswith("json:"):
        found = _json_field(text, where.removeprefix("json:"))
    else:
        raise EvaluationError(f"score: '{where}' is not known; it must be 'csv' or 'json:<field>'")
    return [_score(value, position, text) for position, value in enumerate(found, start=1)]


def parse_predictions(spec: Spec, reply: bytes) -> list[Prediction]:
    """Return one prediction per score in ``reply``; raises as parse_scores does."""
    return [classify(spec, score) for score in parse_scores(reply, spec.score)]


def classify(spec: Spec, score: float) -> Prediction:
    """Read a score as one of the two classes."""
    positive = score >= spec.threshold
    return Prediction(score=score, positive=positive, text=spec.positive if positive else spec.negative)


def describe_prediction(spec: Spec, reply: bytes) -> str:
    """Say in a sentence a line what an endpoint's reply means: the class, and the score it rests on."""
    predictions = parse_predictions(spec, reply)
    if not predictions:
        raise EvaluationError("the endpoint answered without a single prediction")
    return "\n".join(f"{answer.text} (score {answer.score:.3f})" for answer in predictions)


def _json_field(text: str, field: str) -> list[object]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise EvaluationError(f"the endpoint's reply is not JSON: {_shown(text)}") from error
    entries = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise EvaluationError(f"the endpoint's reply has no list of predictions: {_shown(text)}")
    for position, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or field not in entry:
            raise EvaluationError(f"prediction {position} of the endpoint's reply has no '{field}': {_shown(text)}")
    return [entry[field] for entry in entries]


def _score(value: object, position: int, text: str) -> float:
    # bool is an int to Python, but true is no probability.
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise EvaluationError(f"score {position} of the endpoint's reply is not a number: {_shown(text)}")
    try:
        score = float(value)
    except ValueError as error:
        raise EvaluationError(f"score {position} of the endpoint's reply is not a number: {_shown(text)}") from error
    if not 0 <= score <= 1:  # also refuses NaN, which compares false with everything
        raise EvaluationError(f"score {position} of the endpoint's reply is {score}, which is not between 0 and 1")
    return score


def _shown(text: str) -> str:
    short = " ".join(text.split())
    return repr(short if len(short) <= _SHOWN else short[:_SHOWN] + "...")
