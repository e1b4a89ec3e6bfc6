"""Rows as columns, block by block: how many rows there are and what each column is like."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Mapping, Sequence

from columns import Column
from exchanges import Row
from intake import Rejected

#: so many values are looked at together: enough for the work per column to pay off, and a few dozen megabytes
_BLOCK = 1 << 18


class Table:
    """Takes in rows of one form, lists or objects, whichever comes first."""

    def __init__(self, names: Sequence[str] = (), domains: Mapping[str, Sequence[str]] | None = None) -> None:
        """Know the baseline's columns, by position for lists, and the values that some may have."""
        self.rows = 0
        self._names = list(names)
        self._domains = domains or {}
        self._columns: dict[Any, Column] = {}
        """By position or by name."""
        self._form: type | None = None
        self._waiting: list[Any] = []
        self._cells = 0

    def add(self, row: Row) -> None:
        """Take in one. Raises Rejected for one of the other form."""
        if type(row) is not self._form:
            if self._form is not None:
                raise Rejected("other_form", "Encoding mismatch: some rows are CSV and others are JSON.")
            self._form = type(row)
        self._waiting.append(row)
        self._cells += len(row)
        if self._cells >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Look at the rows that wait."""
        rows, self._waiting, self._cells = self._waiting, [], 0
        self.rows += len(rows)
        if not rows:
            return
        if self._form is list:
            width = len(rows[0])
            same = all(len(row) == width for row in rows)
            # a short row lacks the last values
            for position, values in enumerate(zip(*rows) if same else zip_longest(*rows, fillvalue="")):
                self._column(position).add(values)
            return
        for name in dict.fromkeys(name for row in rows for name in row):
            self._column(name).add([row.get(name, "") for row in rows])

    def columns(self) -> dict[str, Column]:
        """Return the columns by name: in the baseline's order, then as they came."""
        self.flush()
        if self._form is not dict:
            return {self._name(position): column for position, column in sorted(self._columns.items())}
        names = [name for name in self._names if name in self._columns]
        names += [name for name in self._columns if name not in set(self._names)]
        return {name: self._columns[name] for name in names}

    def _column(self, key: Any) -> Column:
        found = self._columns.get(key)
        if found is None:
            name = key if isinstance(key, str) else self._name(key)
            found = self._columns[key] = Column(self._domains.get(name))
        return found

    def _name(self, position: int) -> str:
        """Return what the column at a position is called: as in the baseline as far as that goes."""
        return self._names[position] if position < len(self._names) else f"_c{position}"
