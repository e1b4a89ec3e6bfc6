"""The output parameters that a Lambda step or a Callback step declares: their types, and how values become theirs.

[DG] build-and-manage-steps-types: parameters are not nested, and a nested value is one text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: longest value of an output parameter ([B] OutputParameter)
_LONGEST = 1024
TYPES = frozenset({"String", "Integer", "Float", "Boolean"})


class BadOutput(Exception):
    """What a step gave does not fit what it declares; the text says which output and why."""


def typed(declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The declared ones of the outputs given, by name. Raises BadOutput for one of another type, or too long."""
    return {
        output["OutputName"]: _typed(output["OutputName"], output.get("OutputType", "String"), given[name])
        for output in declared
        if (name := output["OutputName"]) in given
    }


def missing(declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[str]:
    """Names of declared outputs that were not given."""
    return sorted(output["OutputName"] for output in declared if given.get(output["OutputName"]) is None)


def listed(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """As a list of OutputParameter: every value is a text there."""
    return [{"Name": name, "Value": _text(value)} for name, value in values.items()]


def _typed(name: str, kind: str, value: Any) -> Any:
    text = _text(value)
    if len(text) > _LONGEST:
        raise BadOutput(f"output parameter {name} has {len(text)} characters, and at most {_LONGEST} are allowed")
    try:
        if kind == "Boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "Integer":
            return int(text)
        return float(text) if kind == "Float" else text
    except (ValueError, KeyError):
        raise BadOutput(f"output parameter {name}: {text!r} is not of type {kind}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
