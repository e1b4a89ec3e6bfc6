"""Makes rows of what an endpoint was asked and has answered, in the form that its baseline has.

A preprocessing script of SageMaker's Model Monitor (developer guide, "Preprocessing and postprocessing"), which calls
``preprocess_handler`` with each captured exchange. The baseline of data quality has the training rows, the label first.
What is captured may be CSV on one side and JSON on the other, which Model Monitor does not analyse by itself, and an
answer has more than a label. So a row becomes the class that was answered, then the features in the baseline's order,
under keys that stand for positions.

What cannot be compared is left out: a request that has no rows (the address of a picture), an answer without a class.

Of clusters a row has the features only: which number a cluster has says nothing, and the baseline has no label.

Variables: ``SANDCASTLE_KIND`` (``binary``, ``multiclass`` or ``clusters``), ``SANDCASTLE_ANSWER`` (where the
prediction or the score is in an answer: ``csv`` or ``json:<field>``), ``SANDCASTLE_THRESHOLD`` (binary: the score from
which on a row is positive), ``baseline_constraints`` (Model Monitor's own: the file that names the baseline's columns).

Runs on Python 3.8 and newer, alone: Model Monitor gets this one file.
"""

from __future__ import annotations

import csv
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Mapping, Sequence

Row = Mapping[str, Any]


def preprocess_handler(record: Any) -> Any:
    """Return the exchange as a flat object, as a list of them when it has several rows, and none as an empty list."""
    if os.environ.get("SANDCASTLE_KIND") == "clusters":
        rows = [_row(request) for request in rows_of_request(_document(record.endpoint_input), columns())]
        return rows[0] if len(rows) == 1 else rows
    requests = rows_of_request(_document(record.endpoint_input), columns()[1:])
    answers = rows_of_answer(_document(record.endpoint_output), len(requests))
    if len(answers) != len(requests):
        return []
    rows = [_row([answer, *request]) for answer, request in zip(answers, requests) if answer is not None]
    return rows[0] if len(rows) == 1 else rows


def columns() -> list[str]:
    """Return the names of the baseline's columns, none when Model Monitor says nothing of a baseline."""
    path = os.environ.get("baseline_constraints")  # noqa: SIM112 - its name, not ours
    return _names(path) if path else []


@lru_cache(maxsize=1)
def _names(path: str) -> list[str]:
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    return [str(feature["name"]) for feature in document.get("features", [])]


def rows_of_request(document: Any, names: Sequence[str]) -> list[list[Any]]:
    """Return the features of each row: lines of CSV, JSON lists, or JSON objects whose keys are the columns' names."""
    if isinstance(document, dict):
        document = document.get("samples", document.get("instances", []))
    rows: list[list[Any]] = []
    for row in document if isinstance(document, list) else []:
        if isinstance(row, dict):
            rows.append([row.get(name) for name in names])
        elif isinstance(row, list):
            rows.append(_flat(row))
        else:
            return []
    return rows


def rows_of_answer(document: Any, rows: int) -> list[Any]:
    """Return the class that was answered to each row, None where the answer has none."""
    if isinstance(document, dict):
        document = document.get("predictions", [document])
    if not isinstance(document, list):
        return []
    if len(document) == 1 and isinstance(document[0], list) and len(document[0]) == rows > 1:
        document = [[cell] for cell in document[0]]  # XGBoost has answered all rows in one line
    return [_class(_place(answer)) for answer in document]


def _place(answer: Any) -> Any:
    field = os.environ.get("SANDCASTLE_ANSWER", "json:prediction").partition(":")[2] or "prediction"
    if isinstance(answer, dict):
        return answer.get(field)
    if isinstance(answer, list):
        return answer[0] if answer else None
    return answer


def _class(found: Any) -> Any:
    """Return what was answered; of a score, on which side of the threshold it is."""
    if os.environ.get("SANDCASTLE_KIND") != "binary" or found is None:
        return found
    try:
        return int(float(found) >= float(os.environ.get("SANDCASTLE_THRESHOLD", "0.5")))
    except (TypeError, ValueError):
        return None


def _document(side: Any) -> Any:
    """Return what a side of the exchange holds, lines of CSV as lists; None when it is neither CSV nor JSON."""
    encoding = getattr(side, "encoding", None)
    if encoding == "CSV":
        return [line for line in csv.reader(side.data.splitlines()) if line]
    if encoding != "JSON":
        return None
    try:
        return json.loads(side.data)
    except ValueError:
        return None


def _flat(row: Sequence[Any]) -> list[Any]:
    """Return a picture's rows one after the other."""
    return [cell for part in row for cell in (part if isinstance(part, list) else [part])]


def _row(cells: Sequence[Any]) -> Row:
    return {str(position).zfill(20): value for position, value in enumerate(cells)}
