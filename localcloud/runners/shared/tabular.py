"""Numbers as text: CSV and libsvm."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def delimiter_of(line: str) -> str:
    """The separator of a CSV line, guessed as AWS's XGBoost container does. Raises csv.Error."""
    found = csv.Sniffer().sniff(line[:512]).delimiter
    return "," if found.isalnum() else found


def parse_csv(text: str, delimiter: str = ",") -> Matrix:
    """Rows of numbers; an empty field is NaN. Raises ValueError, which names the row, counted from 1."""
    if not text.strip():
        return np.empty((0, 0), np.float32)
    try:
        parsed: Matrix = np.loadtxt(io.StringIO(text), np.float32, delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:  # an empty field, or really wrong: the slow way tells
        parsed = np.array(_rows(text, delimiter), np.float32)
    return parsed


def _rows(text: str, delimiter: str) -> list[list[float]]:
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split(delimiter)
        if rows and len(fields) != len(rows[0]):
            raise ValueError(
                f"row {number} has {len(fields)} columns and the rows before it have {len(rows[0])}: "
                "rows with different numbers of columns"
            )
        rows.append([])
        for field in fields:
            try:
                rows[-1].append(float(field) if field.strip() else float("nan"))
            except ValueError:
                raise ValueError(f"row {number}: {field.strip()[:40]!r} is not a number") from None
    return rows


def row_that_is_not_finite(*tables: Matrix) -> int | None:
    """The first row, counted from 1, in which a number is missing, NaN or infinite; None when there is none."""
    bad = [~np.isfinite(table).reshape(len(table), -1).all(axis=1) for table in tables]
    found = np.flatnonzero(np.logical_or.reduce(bad))
    return int(found[0]) + 1 if len(found) else None


@dataclass(frozen=True)
class Sparse:
    """Rows of `index:value` pairs as coordinates; labels and weights only when the text has them."""

    labels: list[float]
    weights: list[float]
    rows: list[int]
    columns: list[int]
    values: list[float]

    @property
    def width(self) -> int:
        """Number of columns that occur."""
        return max(self.columns, default=-1) + 1


def parse_libsvm(text: str, labelled: bool) -> Sparse:
    """`<label>[:<weight>] <index>:<value> ...`; without labels the first word is left out unless it is a pair.

    Indices that begin at 1 are shifted to 0, as AWS's container does when it serves. Raises ValueError, which names
    the row, counted from 1.
    """
    found = Sparse([], [], [], [], [])
    for row, line in enumerate(line for line in text.splitlines() if line.strip()):
        try:
            _libsvm_row(found, row, line.split(), labelled)
        except ValueError as error:
            raise ValueError(f"row {row + 1}: {error}") from error
    shift = 1 if found.columns and min(found.columns) >= 1 else 0
    found.columns[:] = [column - shift for column in found.columns]
    return found


def _libsvm_row(found: Sparse, row: int, words: list[str], labelled: bool) -> None:
    if labelled:
        label, _, weight = words.pop(0).partition(":")
        found.labels.append(float(label))
        found.weights.append(float(weight or 1))
    for word in words:
        index, colon, value = word.partition(":")
        if not colon and (labelled or word is not words[0]):
            raise ValueError(f"{word!r} is not <index>:<value>")
        if colon and index != "qid":
            column = int(index)
            if column < 0:
                raise ValueError(f"{word!r} has a negative index")
            found.rows.append(row)
            found.columns.append(column)
            found.values.append(float(value))
