"""Reading a test split, CSV with the label first, and packing its rows into requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from operations.evaluation.model import EvaluationError

MAX_BODY_BYTES = 5_000_000
"""Largest request body. An endpoint takes 6,291,456 bytes (botocore's model of InvokeEndpoint); this leaves room."""


@dataclass(frozen=True)
class Batch:
    """Rows of one request: their true labels and the request's body, in the same order."""

    labels: tuple[int, ...]
    body: bytes


def labelled_rows(
    test_csv: bytes | Iterable[bytes], features: int | None = None, classes: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield the true label and the rest of each row, as it stands in the file.

    ``test_csv`` is the file's content or its lines. ``features`` is the number of columns that must follow
    the label; without it every row must have as many as the first. Labels are whole numbers below ``classes``.
    Raises EvaluationError naming the line that is wrong, and when there is no row at all.
    """
    lines = test_csv.splitlines() if isinstance(test_csv, bytes) else test_csv
    number = 0
    for line in lines:
        row = line.strip()
        if not row:
            continue
        number += 1
        first, _, rest = row.partition(b",")
        label = _label(first, number, classes)
        columns = rest.count(b",") + 1 if rest else 0
        features = columns if features is None else features
        if columns != features or not columns:
            raise EvaluationError(f"row {number} of the test split has {columns} features, not {features}")
        yield label, rest
    if not number:
        raise EvaluationError("the test split holds no rows")


def batches(rows: Iterable[tuple[int, bytes]], batch_rows: int, max_bytes: int = MAX_BODY_BYTES) -> Iterator[Batch]:
    """Pack rows into requests of at most ``batch_rows`` rows and ``max_bytes`` bytes, keeping their order."""
    if batch_rows < 1:
        raise EvaluationError(f"batch_rows must be at least 1, not {batch_rows}")
    labels: list[int] = []
    lines: list[bytes] = []
    size = 0
    for label, line in rows:
        if lines and (len(lines) == batch_rows or size + len(line) + 1 > max_bytes):
            yield Batch(tuple(labels), b"\n".join(lines))
            labels, lines, size = [], [], 0
        labels.append(label)
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield Batch(tuple(labels), b"\n".join(lines))


def sample_row(test_csv: bytes | Iterable[bytes], number: int) -> tuple[bytes, int]:
    """Return row ``number`` of the test split, counted from 1: its features as a CSV line, and its true label.

    Raises EvaluationError when there is no such row.
    """
    count = 0
    for label, line in labelled_rows(test_csv):
        count += 1
        if count == number:
            return line, label
    raise EvaluationError(f"there is no test row {number}; the rows are numbered 1 to {count}")


def _label(text: bytes, number: int, classes: int | None) -> int:
    whole = text.removesuffix(b".0")
    if whole.isdigit() and (classes is None or int(whole) < classes):
        return int(whole)
    shown = text[:20].decode("utf-8", "replace")
    known = "a label" if classes is None else "the label 0 or 1" if classes == 2 else f"a label from 0 to {classes - 1}"
    raise EvaluationError(f"row {number} of the test split starts with '{shown}' where {known} belongs")
