"""Replies cut to the operation's output shape: only members of the model, timestamps as epoch seconds."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.sagemaker.api import model


def shape_reply(operation: str, reply: dict[str, Any]) -> dict[str, Any]:
    """``reply`` without members that the service does not return and without absent (None) ones."""
    shape = model.operation(operation).output_shape
    return {} if shape is None else _shape(shape, reply)


def _shape(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _shape(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_shape(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shape(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return round(float(value), 3)
    return value
