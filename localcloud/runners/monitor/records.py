"""The rows that are analysed: from CSV or JSON files, from captured traffic, from captured traffic with its labels.

Everything becomes text: the type of a column is inferred from what its values look like. Only tables and flat JSON
objects are understood, as in the container (developer guide, model-monitor-pre-and-post-processing.html); a
preprocessing script makes flat what is not.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sagemaker_io import UserError

Row = dict[str, str | None]


@dataclass(frozen=True)
class Table:
    """Columns of the same length; None is a missing value."""

    names: list[str]
    columns: list[list[str | None]]

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.columns[0]) if self.columns else 0

    def column(self, name: str, purpose: str) -> list[str | None]:
        """One column, by name or, of a table without a header, by its number. Raises UserError."""
        wanted = f"_c{name}" if name.isdigit() and name not in self.names else name
        if wanted not in self.names:
            raise UserError(f"{purpose} {name!r} is no column of the data; there are: {', '.join(self.names)}")
        return self.columns[self.names.index(wanted)]

    @classmethod
    def of_lists(cls, names: Sequence[str] | None, rows: Sequence[Sequence[str | None]]) -> "Table":
        """From rows without names; `_c<n>` where `names` has none. Short rows lack the last values."""
        width = max((len(row) for row in rows), default=len(names or ()))
        return cls(
            by_position(names or (), width),
            [[row[i] if i < len(row) else None for row in rows] for i in range(width)],
        )

    @classmethod
    def of_objects(cls, rows: Sequence[Row], order: Sequence[str] = ()) -> "Table":
        """From rows with names; columns in the order given, then the others as they come."""
        seen = dict.fromkeys(name for row in rows for name in row)
        names = [*(name for name in order if name in seen), *(name for name in seen if name not in order)]
        return cls(names, [[row.get(name) for row in rows] for name in names])


def by_position(names: Sequence[str], width: int) -> list[str]:
    """The names of so many columns: these as far as they go, then `_c<number>`."""
    return [*names[:width], *(f"_c{number}" for number in range(len(names), width))]


def files(source: Path) -> list[Path]:
    """The data files of a file or a folder, sorted; names that begin with `.` or `_` are no data."""
    if source.is_file():
        return [source]
    return [path for path in sorted(source.rglob("*")) if path.is_file() and not path.name.startswith((".", "_"))]


def read_csv(source: Path, header: bool, expected: Sequence[str] = ()) -> Table:
    """All CSV files of a folder as one table; without a header its columns are called as expected. Raises UserError."""
    names: list[str] | None = None
    rows: list[list[str | None]] = []
    for path in files(source):
        with path.open(newline="", encoding="utf-8-sig") as lines:
            found = parse_csv(lines)
        if header and found:
            first = [value or "" for value in found.pop(0)]
            if names is not None and first != names:
                raise UserError(f"{path.name} has another header than the files before it")
            names = first
        rows += found
    return Table.of_lists(expected if names is None else names, rows)


def read_json(source: Path, lines: bool) -> Table:
    """All JSON files of a folder as one table: an object in each line, or one object or a list of them in each file."""
    rows: list[Row] = []
    for path in files(source):
        text = path.read_text(encoding="utf-8")
        parts = [line for line in text.splitlines() if line.strip()] if lines else [text]
        for number, part in enumerate(parts, start=1):
            where = f"{path.name}, line {number}" if lines else path.name
            document = parse_json(part, where)
            rows += [flat(one, where) for one in (document if isinstance(document, list) else [document])]
    return Table.of_objects(rows)


def parse_csv(lines: Iterable[str]) -> list[list[str | None]]:
    """Rows; nothing between two commas is a missing value. Raises UserError."""
    try:
        return [[field or None for field in row] for row in csv.reader(lines, strict=True) if row]
    except csv.Error as error:
        raise UserError(f"the CSV cannot be read: {error}") from error


def parse_csv_text(text: str) -> list[list[str | None]]:
    """The same of a whole text."""
    return parse_csv(io.StringIO(text))


def parse_json(text: str, where: str) -> Any:
    """Raises UserError, which says where the text is from."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{where} is no JSON: {error}") from error


def flat(document: Any, where: str) -> Row:
    """A flat object as a row. Raises UserError for anything else."""
    if not isinstance(document, dict):
        raise UserError(
            f"{where}: only tables and flattened JSON objects can be analysed and this is {_kind(document)}; "
            "a preprocessing script can make it one"
        )
    row: Row = {}
    for name, value in document.items():
        if isinstance(value, dict | list):
            raise UserError(
                f"{where}: only flattened JSON objects can be analysed and {name!r} is {_kind(value)}; "
                "a preprocessing script can make it flat"
            )
        row[str(name)] = text_of(value)
    return row


def text_of(value: Any) -> str | None:
    """A JSON value as CSV would have it; numbers without an exponent."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if math.isnan(value) else np.format_float_positional(value, trim="0")
    return str(value)


def captured(source: Path, window: tuple[str, str] | None) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each captured exchange of the window, with where it stands.

    More may be there than the window has (model-monitor-byoc-contract-inputs.html). Raises UserError.
    """
    for path in files(source):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                where = f"{path.name}, line {number}"
                record = parse_json(line, where)
                if not isinstance(record, dict) or "captureData" not in record:
                    raise UserError(f"{where} is no captured request: it has no captureData")
                moment = record.get("eventMetadata", {}).get("inferenceTime")
                # all of them in UTC and of one form, so texts compare as times do
                if window is None or moment is None or window[0] <= moment < window[1]:
                    yield record, where


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"a value ({value!r})"
