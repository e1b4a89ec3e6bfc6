"""What happens to rows on their way: one feature drifts, values go missing, categories appear, rows break.

    changes = Changes.read(features, rows, drift=["age=+1sd"], missing=["pdays=10%"], broken=0.01)
    cells = changes.apply(cells, random)

Drift keeps a column's type: whole numbers stay whole, rounded up or down by chance so that the mean moves as far as was
asked. A standard deviation is that of the test split's column.
"""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from random import Random
from statistics import fmean, pstdev
from typing import TypeVar

from operations.errors import UsageError
from operations.traffic.amounts import share

UNSEEN = "unseen-category"
"""What a new category is called."""

Cells = list[str]
Change = Callable[[Cells, Random], None]
"""Changes a row's cells in place."""

_Amount = TypeVar("_Amount")
_DRIFT = re.compile(r"([+-]?\d+(?:\.\d+)?)(%|sd)")


@dataclass(frozen=True)
class Column:
    """One feature in the test split. ``numbers`` is None when its cells are texts; empty cells count for neither."""

    name: str
    place: int
    numbers: tuple[float, ...] | None
    whole: bool

    @classmethod
    def of(cls, name: str, place: int, cells: Sequence[str]) -> Column:
        """Look at the cells of the column."""
        filled = [cell for cell in cells if cell]
        try:
            numbers = tuple(float(cell) for cell in filled)
        except ValueError:
            return cls(name, place, None, whole=False)
        return cls(name, place, numbers, all(re.fullmatch(r"-?\d+", cell) for cell in filled))


@dataclass(frozen=True)
class Changes:
    """All changes in their order, and the share of rows that are broken afterwards."""

    each: tuple[Change, ...] = ()
    broken: float = 0.0

    @classmethod
    def read(
        cls,
        features: Sequence[str],
        rows: Sequence[Cells],
        *,
        drift: Sequence[str] = (),
        missing: Sequence[str] = (),
        new_category: Sequence[str] = (),
        broken: float = 0.0,
        bounds: tuple[float, float] = (-math.inf, math.inf),
    ) -> Changes:
        """Read ``FEATURE=AMOUNT`` texts of the command line; a ``*`` in FEATURE stands for anything.

        ``rows`` are the test split's without labels; no drift leads out of ``bounds``. Raises UsageError for a feature
        that there is not, an amount that is none, and a change that would change nothing.
        """
        reader = _Reader(features, rows)
        found: list[Change] = []
        for text in drift:
            columns, amount = reader.read("--drift", text, _drift_amount, "+30% or +1sd")
            found += _drifts(text, columns, *amount, bounds)
        for text in missing:
            columns, part = reader.read("--missing", text, share, "10%")
            found += [_sometimes(part, column.place, "") for column in columns]
        for text in new_category:
            columns, part = reader.read("--new-category", text, share, "10%")
            if numbers := [column.name for column in columns if column.numbers is not None]:
                texts = [column.name for column in reader.columns if column.numbers is None]
                raise UsageError(
                    f"--new-category {text}: {numbers[0]} holds numbers; columns of texts: {', '.join(texts) or 'none'}"
                )
            found += [_sometimes(part, column.place, UNSEEN) for column in columns]
        return cls(tuple(found), broken)

    def __bool__(self) -> bool:
        """Whether any row is changed at all."""
        return bool(self.each or self.broken)

    def apply(self, cells: Cells, random: Random) -> bool:
        """Change the cells of one row; say whether the row is broken now."""
        for change in self.each:
            change(cells, random)
        if not self.broken or random.random() >= self.broken:
            return False
        random.choice((_cut_off, _garbled, _too_long) if len(cells) > 1 else (_garbled, _too_long))(cells, random)
        return True


class _Reader:
    def __init__(self, features: Sequence[str], rows: Sequence[Cells]) -> None:
        self._features = features
        self._rows = rows

    @property
    def columns(self) -> list[Column]:
        return [self._column(name) for name in self._features]

    def read(
        self, option: str, text: str, amount: Callable[[str], _Amount], example: str
    ) -> tuple[list[Column], _Amount]:
        name, _, given = text.rpartition("=")
        if not name:
            raise UsageError(
                f"{option} {text}: expected FEATURE=AMOUNT, such as {option} {self._features[0]}={example}"
            )
        try:
            how_much = amount(given)
        except ArgumentTypeError as error:
            raise UsageError(f"{option} {text}: {error}") from error
        named = [one for one in self._features if one == name or fnmatchcase(one, name)]
        if not named:
            near = get_close_matches(name, self._features, n=3) or self._features[:10]
            raise UsageError(f"{option} {text}: there is no feature {name}. There are: {', '.join(near)} ...")
        return [self._column(one) for one in named], how_much

    def _column(self, name: str) -> Column:
        place = self._features.index(name)
        return Column.of(name, place, [row[place] for row in self._rows])


def _drift_amount(text: str) -> tuple[float, str]:
    found = _DRIFT.fullmatch(text)
    if not found or not float(found[1]):
        raise ArgumentTypeError(f"{text}: expected how far it drifts, such as +30%, -5% or +1sd")
    return float(found[1]), found[2]


def _drifts(
    text: str, columns: Sequence[Column], amount: float, unit: str, bounds: tuple[float, float]
) -> list[Change]:
    if texts := [column.name for column in columns if column.numbers is None]:
        raise UsageError(f"--drift {text}: {texts[0]} holds texts; only numbers drift")
    moved: list[Change] = []
    for column in columns:
        numbers = column.numbers or (0.0,)
        if unit == "%" and any(numbers):
            moved.append(_moved(column, 1 + amount / 100, 0.0, bounds))
        elif unit == "sd" and (deviation := pstdev(numbers)):
            moved.append(_moved(column, 1.0, amount * deviation, bounds))
    if not moved:
        same = f"{fmean(columns[0].numbers or (0.0,)):g}"
        raise UsageError(f"--drift {text}: {columns[0].name} is {same} in all test rows, so that changes nothing")
    return moved


def _moved(column: Column, factor: float, distance: float, bounds: tuple[float, float]) -> Change:
    low, high = bounds

    def move(cells: Cells, random: Random) -> None:
        if not cells[column.place]:
            return
        value = min(high, max(low, float(cells[column.place]) * factor + distance))
        cells[column.place] = str(math.floor(value + random.random())) if column.whole else _written(value)

    return move


def _written(value: float) -> str:
    """Return six significant digits, written out: Model Monitor reads ``9e-06`` as a text."""
    return format(Decimal(f"{value:.6g}"), "f")


def _sometimes(part: float, place: int, text: str) -> Change:
    def replace(cells: Cells, random: Random) -> None:
        if random.random() < part:
            cells[place] = text

    return replace


def _cut_off(cells: Cells, random: Random) -> None:
    del cells[random.randrange(1, len(cells)) :]  # of a row of nothing the service would make no request


def _garbled(cells: Cells, random: Random) -> None:
    cells[random.randrange(len(cells))] = "#REF!"


def _too_long(cells: Cells, random: Random) -> None:
    cells.insert(random.randrange(len(cells) + 1), "0")
