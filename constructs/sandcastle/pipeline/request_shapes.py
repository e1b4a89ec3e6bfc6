"""Requests as SageMaker takes them: values against the shapes of botocore's service model.

``request_shapes.json`` beside this file is the part of the model that pipelines need; ``operations/tools`` makes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sandcastle.pipeline.expressions import is_expression

_TOKEN = "${Token["  # noqa: S105  # how CDK marks a value that is known at deploy time only
_NAMED = ("OutputName", "InputName", "ChannelName", "MetricName")
"""Members by whose value an entry of a list is referred to: ``Outputs['train']``."""
_PART = re.compile(r"\.?([A-Za-z0-9]+)|\['([^']+)'\]|\[(\d+)\]")
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
}


class Shapes:
    """The shapes of some operations' requests and replies."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """``document`` is what the file holds."""
        self._operations: Mapping[str, str] = document["operations"]
        self._shapes: Mapping[str, Mapping[str, Any]] = document["shapes"]

    def problems(self, operation: str, request: object, where: str, *, optional: Collection[str] = ()) -> Iterator[str]:
        """Yield what is wrong with a request of the operation. Of ``optional`` members none is missed.

        An expression may stand wherever a value may, and its value is nothing that can be judged here.
        """
        yield from self._problems(self._operations[operation], request, where, frozenset(optional))

    def has(self, operation: str, path: str) -> bool:
        """Whether the operation's reply has such a member: ``ProcessingOutputConfig.Outputs['train'].S3Output``."""
        shape, position = self._operations[operation], 0
        while position < len(path):
            part = _PART.match(path, position)
            inner = self._inner(shape, *part.groups()) if part else None
            if part is None or inner is None:
                return False
            shape, position = inner, part.end()
        return True

    def _inner(self, shape: str, member: str | None, key: str | None, index: str | None) -> str | None:
        one = self._shapes[shape]
        found: str | None = None
        if one["type"] == "structure":
            found = one["members"].get(member or key)
        elif one["type"] == "map" and (member or key):
            found = one["value"]
        elif one["type"] == "list":
            entry = self._shapes[one["member"]]
            named = any(name in entry.get("members", {}) for name in _NAMED)
            found = one["member"] if index or (key and named) else None
        return found

    def _problems(self, shape: str, value: object, where: str, optional: Collection[str] = ()) -> Iterator[str]:
        if is_expression(value):
            return
        one = self._shapes[shape]
        kind = one["type"]
        if kind == "structure":
            yield from self._structure(shape, value, where, optional)
        elif kind == "list":
            if not isinstance(value, list):
                yield f"{where}: {_short(value)} is not a list"
                return
            yield from _count(one, len(value), where, "entries")
            for index, item in enumerate(value):
                yield from self._problems(one["member"], item, f"{where}[{index}]")
        elif kind == "map":
            if not isinstance(value, Mapping):
                yield f"{where}: {_short(value)} is not a map"
                return
            yield from _count(one, len(value), where, "entries")
            for key, item in value.items():
                yield from self._problems(one["key"], key, f"{where}, key {key!r}")
                yield from self._problems(one["value"], item, f"{where}.{key}")
        else:
            yield from _scalar(one, value, where)

    def _structure(self, shape: str, value: object, where: str, optional: Collection[str]) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{where}: {_short(value)} is not a map"
            return
        one = self._shapes[shape]
        for name, item in value.items():
            if name not in one["members"]:
                yield f"{where}.{name}: {shape} has no such member"
            else:
                yield from self._problems(one["members"][name], item, f"{where}.{name}")
        for name in one.get("required", ()):
            if name not in value and name not in optional:
                yield f"{where}.{name}: {shape} must have it"


@cache
def bundled() -> Shapes:
    """Return the shapes of the file, read once."""
    return Shapes(json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")))


def _scalar(one: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
    kind = one["type"]
    python = _PYTHON.get(kind)
    if python is None:
        return
    if not isinstance(value, python) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{where}: {_short(value)} is not of type {kind}"
    elif isinstance(value, str):
        yield from _text(one, value, where)
    elif kind != "boolean" and isinstance(value, int | float):
        low, high = one.get("min"), one.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            yield f"{where}: {value} is not {_between(low, high)}"


def _text(one: Mapping[str, Any], value: str, where: str) -> Iterator[str]:
    """Yield what is wrong with a text; what CDK puts into it later, nobody knows here."""
    if _TOKEN in value:
        return
    if "enum" in one:
        if value not in one["enum"]:
            yield f"{where}: {_short(value)} is not one of {len(one['enum'])} allowed values{_like(one['enum'])}"
        return
    yield from _count(one, len(value), where, "characters")
    if "pattern" in one and not re.fullmatch(one["pattern"], value):
        yield f"{where}: {_short(value)} does not match {one['pattern']}"


def _count(one: Mapping[str, Any], count: int, where: str, what: str) -> Iterator[str]:
    low, high = one.get("min"), one.get("max")
    if (low is not None and count < low) or (high is not None and count > high):
        yield f"{where}: {count} {what}, allowed are {_between(low, high)}"


def _between(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def _like(allowed: list[str]) -> str:
    return f" ({', '.join(allowed)})" if len(allowed) < 10 else f" such as {allowed[0]}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
