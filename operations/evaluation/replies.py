"""Reading what an endpoint answers: a score, a class or a cluster for each row, as CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from operations.evaluation.model import EvaluationError, Prediction
from operations.evaluation.spec import Binary, Multiclass, Spec

_SHOWN = 120  # characters of a wrong reply that an error repeats


def parse_scores(reply: bytes, where: str) -> list[float]:
    """Return the scores of a reply, in the order of the request's rows.

    ``where`` is the ``score`` of a workload. Raises EvaluationError when the reply has another form or a score is not
    a number from 0 to 1.
    """
    text = reply.decode("utf-8", "replace")
    return [_score(value, position, text) for position, value in enumerate(_values(text, where, "score"), start=1)]


def parse_classes(reply: bytes, where: str, classes: Sequence[str]) -> list[int]:
    """Return the label of each class that a reply names, in the order of the request's rows.

    A model may answer the class's name or its label. Raises EvaluationError on any other answer.
    """
    text = reply.decode("utf-8", "replace")
    return [_class(value, row, classes, text) for row, value in enumerate(_values(text, where, "answer"), start=1)]


def parse_clusters(reply: bytes, where: str) -> list[int]:
    """Return the cluster of each row; AWS's K-Means writes its number as 3.0.

    Raises EvaluationError when one is not a whole number.
    """
    text = reply.decode("utf-8", "replace")
    return [_cluster(value, row, text) for row, value in enumerate(_values(text, where, "answer"), start=1)]


def raw_answers(reply: bytes, where: str) -> list[str]:
    """Return what stands for each row as the model has written it, whatever it is.

    Raises EvaluationError when the reply has another form.
    """
    return [str(value) for value in _values(reply.decode("utf-8", "replace"), where, "answer")]


def parse_predictions(spec: Binary, reply: bytes) -> list[Prediction]:
    """Return one prediction per score in ``reply``; raises as parse_scores does."""
    return [classify(spec, score) for score in parse_scores(reply, spec.score)]


def classify(spec: Binary, score: float) -> Prediction:
    """Read a score as one of the two classes."""
    positive = score >= spec.threshold
    return Prediction(score=score, positive=positive, text=spec.positive if positive else spec.negative)


def describe_prediction(spec: Spec, reply: bytes, classes: Sequence[str] = ()) -> str:
    """Say in a sentence a line what an endpoint's reply means, and how sure the model is where it says so.

    ``classes`` are the names of the labels 0, 1, 2 ..., for a model that names one of several. Raises EvaluationError
    when the reply has another form or is empty.
    """
    if isinstance(spec, Binary):
        lines = [f"{answer.text} (score {answer.score:.3f})" for answer in parse_predictions(spec, reply)]
    elif isinstance(spec, Multiclass):
        found = parse_classes(reply, spec.answer, classes)
        sure = _confidences(reply, len(found))
        lines = [
            classes[label] if confidence is None else f"{classes[label]} (confidence {confidence:.3f})"
            for label, confidence in zip(found, sure, strict=True)
        ]
    else:
        lines = [f"cluster {number}" for number in parse_clusters(reply, spec.answer)]
    if not lines:
        raise EvaluationError("the endpoint answered without a single prediction")
    return "\n".join(lines)


def _values(text: str, where: str, key: str) -> Sequence[object]:
    """Return what stands for each row: ``csv`` reads values separated by commas or line ends (built-in XGBoost has
    used both), ``json:<field>`` that field of each entry of the list, or of the list below ``predictions``."""
    if where == "csv":
        return text.replace(",", "\n").split()
    if where.startswith("json:"):
        return _json_field(text, where.removeprefix("json:"))
    raise EvaluationError(f"{key}: '{where}' is not known; it must be 'csv' or 'json:<field>'")


def _entries(text: str) -> list[object]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise EvaluationError(f"the endpoint's reply is not JSON: {_shown(text)}") from error
    entries = document.get("predictions") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise EvaluationError(f"the endpoint's reply has no list of predictions: {_shown(text)}")
    return entries


def _json_field(text: str, field: str) -> list[object]:
    found = []
    for position, entry in enumerate(_entries(text), start=1):
        if not isinstance(entry, dict) or field not in entry:
            raise EvaluationError(f"prediction {position} of the endpoint's reply has no '{field}': {_shown(text)}")
        found.append(entry[field])
    return found


def _confidences(reply: bytes, rows: int) -> list[float | None]:
    """Return the ``confidence`` of each answer, for those that have one."""
    try:
        entries = _entries(reply.decode("utf-8", "replace"))
    except EvaluationError:
        return [None] * rows
    found = [entry.get("confidence") if isinstance(entry, dict) else None for entry in entries]
    return [float(value) if isinstance(value, (int, float)) else None for value in found]


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


def _class(value: object, row: int, classes: Sequence[str], text: str) -> int:
    name = str(value)
    if name in classes:
        return classes.index(name)
    number = name.removesuffix(".0")
    if not isinstance(value, bool) and number.isdigit() and int(number) < len(classes):
        return int(number)
    known = ", ".join(classes)
    raise EvaluationError(f"answer {row} of the endpoint's reply is none of the classes {known}: {_shown(text)}")


def _cluster(value: object, row: int, text: str) -> int:
    number = str(value).removesuffix(".0")
    if isinstance(value, bool) or not number.isdigit():
        raise EvaluationError(f"answer {row} of the endpoint's reply is no number of a cluster: {_shown(text)}")
    return int(number)


def _shown(text: str) -> str:
    short = " ".join(text.split())
    return repr(short if len(short) <= _SHOWN else short[:_SHOWN] + "...")
