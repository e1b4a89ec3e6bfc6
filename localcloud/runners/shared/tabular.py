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
    """Rows of numbers; an empty field is NaN. Raises ValueError."""
    try:
        parsed: Matrix = np.loadtxt(io.StringIO(text), np.float32, delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:  # an empty field, or really wrong: the slow way tells
        rows = [
            [float(field) if field.strip() else float("nan") for field in line.split(delimiter)]
            for line in text.splitlines()
            if line.strip()
        ]
        width = len(rows[0]) if rows else 0
        for number, row in enumerate(rows, start=1):
            if len(row) != width:
                raise ValueError(
                    f"rows with different numbers of columns: {len(row)} in row {number}, {width} in row 1"
                ) from None
        parsed = np.array(rows, np.float32)
    return parsed


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

    Indices that begin at 1 are shifted to 0, as AWS's container does when it serves. Raises ValueError.
    """
    found = Sparse([], [], [], [], [])
    for row, line in enumerate(line for line in text.splitlines() if line.strip()):
        words = line.split()
        if labelled:
            label, _, weight = words.pop(0).partition(":")
            found.labels.append(float(label))
            found.weights.append(float(weight or 1))
        for word in words:
            index, colon, value = word.partition(":")
            if not colon and (labelled or word is not words[0]):
                raise ValueError(f"{word!r} is not <index>:<value>")
            if colon and index != "qid":
                found.rows.append(row)
                found.columns.append(int(index))
                found.values.append(float(value))
    shift = 1 if found.columns and min(found.columns) >= 1 else 0
    found.columns[:] = [column - shift for column in found.columns]
    return found
