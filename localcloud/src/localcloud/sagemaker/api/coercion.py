"""Values from templates and pipeline definitions, where numbers, booleans and texts stand for each other."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def coerced(shape: Shape, value: Any) -> Any:
    """``value`` with the JSON types of ``shape``; what fits nothing stays, for the API to refuse."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {k: coerced(shape.members[k], v) if k in shape.members else v for k, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [coerced(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {k: coerced(shape.value, v) for k, v in value.items()}
    if isinstance(value, str) and shape.type_name in ("integer", "long", "float", "double", "boolean"):
        return _parsed(shape.type_name, value)
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _parsed(type_name: str, text: str) -> Any:
    """A number or boolean written as text; anything else stays, for the API to refuse."""
    if type_name == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return int(text) if type_name in ("integer", "long") else float(text)
    except ValueError:
        return text
