"""What a template's values say, as far as they can be known before a deploy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from operations.review.assembly import Resource, Stack

UNKNOWN = "?"
"""Stands in texts for what is only known when it is deployed."""

_HELD = re.compile(r"\$\{([^!}][^}]*)\}")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value, an empty map in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """Return the value, an empty list in place of anything else."""
    return value if isinstance(value, list) else []


def at(value: Any, *keys: str) -> Any:
    """Return what lies below the keys, None where there is nothing."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def plain(value: Any, stack: Stack) -> Any:
    """Return the value; a reference to a parameter stands for its default, others stay what they are."""
    if isinstance(value, Mapping) and set(value) == {"Ref"}:
        default = at(stack.template, "Parameters", str(value["Ref"]), "Default")
        return value if default is None else default
    return value


def word(value: Any, stack: Stack) -> str | None:
    """Return a text that is known, else None."""
    found = plain(value, stack)
    return found if isinstance(found, str) else None


def number(value: Any, stack: Stack) -> float | None:
    """Return a number that is known, written as one or as text, else None."""
    found = plain(value, stack)
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return None
    try:
        return float(found)
    except ValueError:
        return None


def text(value: Any) -> str:
    """Return the text that functions put together, with ``UNKNOWN`` for what is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            return str(argument[0]).join(text(one) for one in sequence(argument[1]))
        if name == "Fn::Sub":
            written = argument[0] if isinstance(argument, list) and argument else argument
            return _HELD.sub(UNKNOWN, written) if isinstance(written, str) else UNKNOWN
    return UNKNOWN


def document(value: Any) -> Mapping[str, Any]:
    """Return a map, or the one that a text of JSON holds; an empty one in place of anything else."""
    if isinstance(value, Mapping) and not any(str(key).startswith("Fn::") for key in value):
        return value
    try:
        return mapping(json.loads(text(value)))
    except (ValueError, RecursionError):
        return {}


def target(value: Any) -> str | None:
    """Return the logical id that a ``Ref`` or an ``Fn::GetAtt`` names, or one of them within other functions."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Ref"), str):
            return str(value["Ref"])
        got = value.get("Fn::GetAtt")
        if isinstance(got, str):
            return got.partition(".")[0]
        if isinstance(got, list) and got and isinstance(got[0], str):
            return got[0]
        for inner in value.values():
            if found := target(inner):
                return found
    if isinstance(value, list):
        for inner in value:
            if found := target(inner):
                return found
    return None


def tags(resource: Resource) -> dict[str, str]:
    """Return the tags of a resource that are known, whichever of the two ways its type writes them."""
    written = resource.properties.get("Tags", resource.properties.get("ResourceTags"))
    if isinstance(written, Mapping):
        return {str(key): value for key, value in written.items() if isinstance(value, str)}
    pairs = [mapping(one) for one in sequence(written)]
    return {str(one["Key"]): one["Value"] for one in pairs if "Key" in one and isinstance(one.get("Value"), str)}
