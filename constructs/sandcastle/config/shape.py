"""Turns pydantic's findings into messages that say what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from sandcastle.config.problem import listed, nearest
from sandcastle.config.yaml_lines import Document, KeyPath

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}

_PLAIN_VALUES = ("hyperparameters", "values")
"""Keys whose entries may be text, a number, true or false."""

_EXPONENT = re.compile(r"([-+]?[0-9]+)(\.[0-9]*)?[eE]([-+]?)([0-9]+)")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)


def note_shape_errors(
    document: Document, model: type[BaseModel], errors: list[Any], later: Mapping[str, str], prefix: KeyPath = ()
) -> None:
    """Add one problem per pydantic error. ``later`` names keys that a later version will know, with what they are."""
    seen: set[KeyPath] = set()
    for error in errors:
        path: KeyPath = error["loc"]
        if any((*prefix, *path[:length]) in document.unread for length in range(len(path) + 1)):
            continue
        union = next((key for key in _PLAIN_VALUES if key in path[:-1]), "")
        if union:  # pydantic reports one error for each kind it tried
            path = path[: path.index(union) + 2]
            if (*prefix, *path) not in seen:
                empty = isinstance(error["input"], str) and error["type"] == "string_pattern_mismatch"
                message = "must not be empty" if empty else "must be one value"
                document.problem((*prefix, *path), message, allowed="text, a number, true or false")
            seen.add((*prefix, *path))
        else:
            _note(document, model, error, tuple(step for step in path if step != "[key]"), later, prefix)


def _note(
    document: Document, model: type[BaseModel], error: Any, loc: KeyPath, later: Mapping[str, str], prefix: KeyPath
) -> None:
    kind, path = error["type"], (*prefix, *loc)
    allowed = _describe(model, loc)
    if isinstance(document.at(path[:-1]), str):  # a name that stands for a map with just the name
        path = path[:-1]
    if kind == "extra_forbidden":
        key = str(loc[-1])
        names = _keys(model, loc[:-1])
        message = f"{later[key]} is not available in this version" if key in later else "unknown key"
        document.problem(path, message + ("" if key in later else nearest(key, names)), allowed=", ".join(names))
    elif kind == "missing":
        document.problem(path, "this key is required and missing", allowed=allowed, show_value=False)
    elif kind == "literal_error":
        names = re.findall(r"'([^']+)'", error["ctx"]["expected"])
        document.problem(path, f"not a valid value{nearest(str(error['input']), names)}", allowed=listed(names))
    elif kind in _TYPES:
        document.problem(path, _not_a_number(kind, error["input"]) or f"must be {_TYPES[kind]}", allowed=allowed)
    elif kind == "too_short":
        document.problem(path, f"needs at least {error['ctx']['min_length']}", allowed=allowed)
    elif kind == "string_pattern_mismatch":
        document.problem(path, "not of the right form", allowed=allowed)
    else:
        document.problem(path, error["msg"][:1].lower() + error["msg"][1:], allowed=allowed)


def _not_a_number(kind: str, written: Any) -> str:
    """Say why a text that looks like a number is none in YAML 1.1; nothing when it looks like something else."""
    if kind != "float_type" or not isinstance(written, str):
        return ""
    if _NOT_FINITE.fullmatch(written):
        return "must be a finite number"
    match = _EXPONENT.fullmatch(written)
    if match is None:
        return ""
    whole, fraction, sign, exponent = match.groups()
    return f"is text in YAML; write {whole}{fraction or '.0'}e{sign or '+'}{exponent} or digits"


def _keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    found = _model_at(model, path)
    return sorted(found.model_fields) if found else []


def _describe(model: type[BaseModel], path: KeyPath) -> str:
    """Return the description of the field at the path, which says what may stand there."""
    parent = _model_at(model, path[:-1]) if path else None
    name = str(path[-1]) if path else ""
    if parent and name in parent.model_fields:
        return parent.model_fields[name].description or ""
    return _describe(model, path[:-1]) if path else ""


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Follow the path through models, maps and lists to the model that it names."""
    here: Any = model
    for step in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            found = here.model_fields.get(str(step))
            here = _plain(found.annotation) if found else None
        elif get_origin(here) in (dict, list):
            here = _plain(get_args(here)[-1])
        else:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """Return the annotation without ``| None`` and without pydantic's constraints."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) is UnionType:
        return _plain(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation
