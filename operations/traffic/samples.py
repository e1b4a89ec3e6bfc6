"""Which rows are sent: the test split again and again, each time in another order, with changes, by one seed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from operations.evaluation.rows import labelled_rows
from operations.traffic.changes import Changes


@dataclass(frozen=True)
class Request:
    """One request: its body, how many of its rows are broken, and the id by which its true label is found again.

    A request of several rows has no id, as Model Monitor takes one label for each request.
    """

    body: bytes
    rows: int
    broken: int
    inference_id: str | None


@dataclass(frozen=True)
class Split:
    """The rows of a test split without labels, the labels, and a fingerprint of both."""

    rows: tuple[bytes, ...]
    labels: tuple[int, ...]
    digest: str

    @classmethod
    def of(cls, test_csv: bytes) -> Split:
        """Read it. Raises EvaluationError when it is not what a test split is."""
        found = list(labelled_rows(test_csv))
        return cls(
            tuple(row for _, row in found),
            tuple(label for label, _ in found),
            hashlib.sha256(test_csv).hexdigest()[:8],
        )

    @property
    def cells(self) -> list[list[str]]:
        """The rows cell by cell."""
        return [_cells(row) for row in self.rows]

    def identifier(self, row: int, run: int, number: int) -> str:
        """Return the id of a request with this row (from 0): the ``number``-th of a run that began at second ``run``.

        It has far less than the 64 characters of an InferenceId.
        """
        return f"sandcastle-{self.digest}-{row + 1}-{run:x}-{number}"

    def label(self, inference_id: str) -> int | None:
        """Return the true label of the row that was sent under an id; None if it was not sent from this split."""
        found = re.fullmatch(rf"sandcastle-{self.digest}-(\d+)-[0-9a-f]+-\d+", inference_id)
        row = int(found[1]) if found else 0
        return self.labels[row - 1] if 0 < row <= len(self.labels) else None


def requests(
    split: Split, changes: Changes, *, seed: int, run: int, rows: int = 1, count: int | None = None
) -> Iterator[Request]:
    """Yield requests of so many rows each, without end if no ``count`` is given; a seed gives the same bodies again."""
    random = Random(seed)  # noqa: S311  # repeatable on purpose, nothing secret
    deck = _deck(len(split.rows), random)
    number = 0
    while count is None or number < count:
        chosen = [next(deck) for _ in range(rows)]
        made = [_changed(split.rows[row], changes, random) for row in chosen]
        yield Request(
            body=b"\n".join(body for body, _ in made),
            rows=rows,
            broken=sum(broken for _, broken in made),
            inference_id=split.identifier(chosen[0], run, number) if rows == 1 else None,
        )
        number += 1


def _deck(size: int, random: Random) -> Iterator[int]:
    """Yield all numbers below ``size`` in a random order, then in another one: no row comes much more often."""
    while True:
        numbers = list(range(size))
        random.shuffle(numbers)
        yield from numbers


def _changed(row: bytes, changes: Changes, random: Random) -> tuple[bytes, bool]:
    if not changes:
        return row, False
    cells = _cells(row)
    broken = changes.apply(cells, random)
    return _line(cells), broken


def _cells(row: bytes) -> list[str]:
    return row.decode("utf-8").split(",")


def _line(cells: Sequence[str]) -> bytes:
    return ",".join(cells).encode("utf-8")
