"""The smoke test of a model: what it answered in a batch transform, beside what it answered when it was evaluated.

Both ran the same archive on the same rows, one in the training image and one as the endpoint will: an image, an
environment or an archive that changes the answers is found here, before any endpoint is touched.
"""

from __future__ import annotations

import csv
import json
import math
from typing import Any

TOLERANCE = 1e-3
"""By which two numbers may differ: libraries of two images do not add in the same order. Whole numbers are classes
and counts, and may not."""

INPUT, EXPECTED = "smoke/input.csv", "smoke/expected.jsonl"
"""Below the folder of an evaluation: rows without their label, and the answers, one JSON document for each row."""

_LONGEST_SHOWN = 200
"""Characters of an answer that an error shows."""


class WrongAnswer(Exception):
    """The model answers otherwise than it did; the text shows the first row that it does so with."""


def check(s3: Any, folder: str, answers: str) -> int:
    """Compare the answers in the folder ``answers`` with those that the evaluation expects; return how many rows.

    Raises WrongAnswer, and ClientError for what cannot be read.
    """
    expected = [json.loads(line) for line in _lines(_read(s3, f"{folder.rstrip('/')}/{EXPECTED}"))]
    rows = _lines(_read(s3, f"{folder.rstrip('/')}/{INPUT}"))
    name = INPUT.rsplit("/", 1)[-1]
    # the name is that of the input and ".out" (SageMaker developer guide, "Batch transform")
    given = rows_of(_read(s3, f"{answers.rstrip('/')}/{name}.out"), len(rows))
    if not expected:
        raise WrongAnswer(f"{folder}/{EXPECTED} expects no answer: nothing would be tested")
    if not len(rows) == len(expected) == len(given):
        raise WrongAnswer(f"{len(rows)} rows were asked about, {len(expected)} answers expected, {len(given)} given")
    for number, (row, one, other) in enumerate(zip(rows, expected, given, strict=True), start=1):
        if not alike(one, other):
            raise WrongAnswer(
                f"row {number} of {len(rows)} ({_short(row)}): expected {_short(json.dumps(one))}, "
                f"the model that is to be deployed answers {_short(json.dumps(other))}"
            )
    return len(expected)


def rows_of(text: str, rows: int) -> list[Any]:
    """Return the answers of a reply, or of several in a row, to so many rows.

    JSON is a list of answers, ``{"predictions": [...]}`` or one answer by itself; anything else is CSV, a list of
    cells for each line. ``assets/pipeline/evaluate_replies.py`` reads replies in the same way.
    """
    try:
        documents = _documents(text)
    except ValueError:
        documents = []
    if not any(isinstance(one, dict | list) for one in documents):  # a number a line is CSV, though JSON, too
        lines = [[_cell(cell) for cell in row] for row in csv.reader(text.splitlines()) if row]
        if len(lines) == 1 and len(lines[0]) == rows > 1:  # XGBoost has answered all rows in one line
            return [[cell] for cell in lines[0]]
        return lines
    found: list[Any] = []
    for one in documents:
        inside = one.get("predictions", one) if isinstance(one, dict) else one
        found += inside if isinstance(inside, list) else [inside]
    return found


def alike(one: Any, other: Any) -> bool:
    """Say whether two answers are the same, numbers that are not whole within the tolerance."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        return numbers and math.isclose(one, other, rel_tol=0, abs_tol=TOLERANCE)
    return type(one) is type(other) and bool(one == other)


def _documents(text: str) -> list[Any]:
    """Return JSON documents that stand one after the other. Raises ValueError when it is anything else."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        document, position = decoder.raw_decode(text, position)
        found.append(document)
    return found


def _cell(text: str) -> Any:
    """Return a CSV cell as a number, if it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _read(s3: Any, address: str) -> str:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except s3.exceptions.NoSuchKey:
        raise WrongAnswer(f"{address} does not exist: the smoke test has no answers to compare") from None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
