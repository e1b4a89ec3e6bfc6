"""The part of JSONPath that a transform job's filters may use ([DG] batch-transform-data-processing).

``$``, ``.name``, ``.*``, ``['name']``, ``['a','b']``, ``[1]``, ``[1,3]``, ``[-1]``, ``[2:5]``, ``[1:]`` and chains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[Any], Any]

_STEP = re.compile(r"\.(?P<name>\w+|\*)|\[(?P<inside>[^\]]+)\]")
_NAMES = re.compile(r"""\s*(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*\s*""")
_NAME = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_PLACES = re.compile(r"\s*(?:-?\d+|-?\d*:-?\d*)(?:\s*,\s*(?:-?\d+|-?\d*:-?\d*))*\s*")


class NoMatch(Exception):
    """A record has not what the path asks for."""


class Path:
    """One filter, understood."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for what is not supported."""
        self.text = text
        if not text.startswith("$"):
            raise ValueError(f"'{text}' does not begin with $")
        self._steps: list[Step] = []
        position = 1
        while position < len(text):
            found = _STEP.match(text, position)
            if found is None:
                raise ValueError(f"'{text}' is not supported from character {position + 1} on")
            self._steps.append(_step(text, found["name"], found["inside"]))
            position = found.end()

    @property
    def whole(self) -> bool:
        """It selects everything."""
        return not self._steps

    def select(self, record: Any) -> Any:
        """The selected part. Raises NoMatch."""
        try:
            for step in self._steps:
                record = step(record)
        except (KeyError, IndexError, TypeError, AttributeError):
            raise NoMatch(f"{self.text} selects nothing of the record") from None
        return record


def _step(text: str, name: str | None, inside: str | None) -> Step:
    if name == "*":
        return lambda record: list(record.values()) if isinstance(record, Mapping) else list(record)
    if name is not None:
        return lambda record: _member(record, name)
    inside = inside or ""
    if _NAMES.fullmatch(inside):
        names = [first or second for first, second in _NAME.findall(inside)]
        if len(names) == 1:
            return lambda record: _member(record, names[0])
        return lambda record: {each: _member(record, each) for each in names}
    if not _PLACES.fullmatch(inside):
        raise ValueError(f"'[{inside}]' of '{text}' is not supported")
    places = [place.strip() for place in inside.split(",")]
    if len(places) == 1 and ":" not in places[0]:
        index = int(places[0])
        return lambda record: _items(record)[index]
    return lambda record: [value for place in places for value in _at(_items(record), place)]


def _member(record: Any, name: str) -> Any:
    if not isinstance(record, Mapping):
        raise TypeError(name)
    return record[name]


def _items(record: Any) -> list[Any]:
    if not isinstance(record, list):
        raise TypeError("no array")
    return record


def _at(items: list[Any], place: str) -> list[Any]:
    if ":" not in place:
        return [items[int(place)]]
    start, _, end = place.partition(":")
    return items[int(start) if start else None : int(end) if end else None]
