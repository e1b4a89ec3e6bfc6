"""Reading the replies of a model: an answer for each row, and in each answer a class or a score.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import csv
import json
from typing import Any, Mapping, NamedTuple, Sequence

from evaluate_errors import EvaluationError
from evaluate_metrics import Prediction

KINDS = ("binary", "multiclass")


def rows_of(text: str, rows: int) -> list[Any]:
    """Return the answer to each of so many rows: entries of JSON, or the cells of a line of CSV.

    JSON is a list, or a list below ``predictions``. ``assets/functions/pipeline_smoke.py`` reads replies in the same
    way, and compares answers one by one.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        document = document.get("predictions", [document])
    if isinstance(document, list):
        return list(document)
    lines = [[_cell(cell) for cell in line] for line in csv.reader(text.splitlines()) if line]
    if len(lines) == 1 and len(lines[0]) == rows > 1:  # XGBoost has answered all rows in one line
        return [[cell] for cell in lines[0]]
    return lines


class Reading(NamedTuple):
    """How an answer is understood: ``answer`` is ``csv`` or ``json:<field>``."""

    kind: str
    answer: str
    threshold: float
    classes: Sequence[str]

    @classmethod
    def of(cls, variables: Mapping[str, str], classes: Sequence[str]) -> Reading:
        """Read the job's variables. Raises EvaluationError for one that is missing or wrong."""
        kind, answer = variables.get("SANDCASTLE_KIND", ""), variables.get("SANDCASTLE_ANSWER", "")
        if kind not in KINDS:
            raise EvaluationError(f"SANDCASTLE_KIND is {kind!r}; it must be {' or '.join(KINDS)}")
        if answer != "csv" and not (answer.startswith("json:") and answer[5:]):
            raise EvaluationError(f"SANDCASTLE_ANSWER is {answer!r}; it must be csv or json:<field>")
        return cls(kind, answer, float(variables.get("SANDCASTLE_THRESHOLD") or 0.5), list(classes))

    def read(self, answer: Any, row: int) -> Prediction:
        """Return the prediction in the answer to a row. Raises EvaluationError when there is none."""
        value = self._value(answer, row)
        if self.kind == "binary":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise EvaluationError(f"the answer to row {row} has the score {value!r}; it must be from 0 to 1")
            return Prediction(int(value >= self.threshold), float(value), "")
        word = str(value)
        if word in self.classes:
            return Prediction(self.classes.index(word), None, word)
        number = word[:-2] if word.endswith(".0") else word
        if isinstance(value, bool) or not number.isdigit() or int(number) >= len(self.classes):
            raise EvaluationError(f"the answer to row {row} is {value!r}, none of {', '.join(self.classes)}")
        return Prediction(int(number), None, word)

    def words(self, given: Sequence[str]) -> list[str]:
        """Return what the model calls each class: by its name, or by its number if it does not know the names."""
        if all(word in self.classes for word in given):
            return list(self.classes)
        return [str(number) for number in range(len(self.classes))]

    def _value(self, answer: Any, row: int) -> Any:
        if self.answer == "csv":
            if isinstance(answer, list) and answer:
                return answer[0]
            raise EvaluationError(f"the answer to row {row} is {_short(answer)}, no line of CSV")
        field = self.answer[5:]
        if isinstance(answer, dict) and field in answer:
            return answer[field]
        raise EvaluationError(f"the answer to row {row} has no {field!r}: {_short(answer)}")


def _cell(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _short(answer: Any) -> str:
    text = json.dumps(answer)
    return text if len(text) <= 120 else text[:120] + "..."
