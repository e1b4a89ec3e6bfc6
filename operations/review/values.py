"""Values of templates: as a person reads them, where two of them differ, and what they refer to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_IN_SUB = re.compile(r"\$\{([^!}][^}]*)\}")

DEPTH = 60
"""Levels of nesting that are read; what lies deeper is compared as one text. CloudFormation's own limit is lower."""


def plain(value: Any, depth: int = 0) -> Any:
    """Return the value with joins and references as text: ``s3://${Data}/bank/``; other functions stay as they are."""
    if depth > DEPTH:
        return str(value)
    if isinstance(value, list):
        return [plain(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        text = _reference(name, argument)
        if text is not None:
            return text
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
            return str(argument[0]).join(_text(plain(one, depth + 1)) for one in argument[1])
    return {str(key): plain(one, depth + 1) for key, one in value.items()}


def _reference(name: str, argument: Any) -> str | None:
    if name == "Ref" and isinstance(argument, str):
        return f"${{{argument}}}"
    if name == "Fn::GetAtt":
        return f"${{{'.'.join(map(str, argument)) if isinstance(argument, list) else argument}}}"
    if name == "Fn::Sub" and isinstance(argument, str):
        return argument
    if name == "Fn::ImportValue" and isinstance(argument, str):
        return f"${{{argument}}}"
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def unfolded(value: Any) -> Any:
    """Return the plain value, with JSON inside texts (requests, definitions, dashboards) read as what it is."""
    return _unfold(plain(value), 0)


def _unfold(value: Any, depth: int) -> Any:
    if depth > DEPTH:
        return value
    if isinstance(value, dict):
        return {key: _unfold(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_unfold(one, depth + 1) for one in value]
    if isinstance(value, str) and value[:1] in ("{", "[") and value[-1:] in ("}", "]"):
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return _unfold(inner, depth + 1) if isinstance(inner, dict | list) else value
    return value


def leaves(before: Any, after: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    """Yield where two unfolded values differ: the path, what was there, what is there now (None: nothing)."""
    if before == after:
        return
    if depth < DEPTH and isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from leaves(before.get(key), after.get(key), f"{path}.{key}" if path else str(key), depth + 1)
    elif depth < DEPTH and isinstance(before, list) and isinstance(after, list):
        if _keyed(before) and _keyed(after):
            yield from leaves(_by_key(before), _by_key(after), path, depth + 1)
        elif len(before) == len(after):
            for index, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from leaves(old, new, f"{path}[{index}]", depth + 1)
        else:
            gone = [one for one in before if one not in after]
            come = [one for one in after if one not in before]
            yield path, gone or (None if come else before), come or (None if gone else after)
    else:
        yield path, before, after


def _keyed(value: list[Any]) -> bool:
    """Say whether the list is one of tags, which have no order."""
    return bool(value) and all(isinstance(one, dict) and set(one) == {"Key", "Value"} for one in value)


def _by_key(value: list[Any]) -> dict[str, Any]:
    return {str(one["Key"]): one["Value"] for one in value}


def short(value: Any, width: int = 60) -> str:
    """Return the value on one line, its middle left out where it is longer than ``width`` characters."""
    if value is None:
        return "nothing"
    text = " ".join(_text(value).split())
    return text if len(text) <= width else f"{text[: width * 2 // 3]} … {text[-(width // 3 - 3) :]}"


def entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name with its value, however deep: functions and their arguments among them."""
    work = [value]
    while work:
        one = work.pop()
        if isinstance(one, list):
            work += one
        elif isinstance(one, Mapping):
            yield from one.items()
            work += one.values()


def references(value: Any) -> set[tuple[str, str]]:
    """Return every logical id that the value uses, with the attribute; empty for ``Ref``. Functions are looked into."""
    found: set[tuple[str, str]] = set()
    for name, argument in entries(value):
        if name == "Ref" and isinstance(argument, str):
            found.add((argument, ""))
        elif name == "Fn::GetAtt":
            found.add(_attribute(argument))
        elif name == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) and argument else argument
            named = _IN_SUB.findall(text) if isinstance(text, str) else []
            found.update(_attribute(one) if "." in one else (one, "") for one in named)
    return found


def imports(value: Any) -> set[str]:
    """Return the names of all exports that the value imports."""
    return {str(plain(argument)) for name, argument in entries(value) if name == "Fn::ImportValue"}


def _attribute(argument: Any) -> tuple[str, str]:
    if isinstance(argument, list) and argument:
        return str(argument[0]), ".".join(str(one) for one in argument[1:])
    name, _, attribute = str(argument).partition(".")
    return name, attribute


def listed(value: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty one, anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
