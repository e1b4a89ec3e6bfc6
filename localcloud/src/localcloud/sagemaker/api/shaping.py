"""Replies cut to the operation's output shape: only members of the model, timestamps as epoch seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.sagemaker.api import model

#: epoch seconds to what stands for a moment
Moment = Callable[[float], Any]


def shape_reply(operation: str, reply: dict[str, Any], moment: Moment | None = None) -> dict[str, Any]:
    """``reply`` without members that the service does not return and without absent (None) ones.

    ``moment`` turns timestamps into what goes over the wire: in replies epoch seconds.
    """
    shape = model.operation(operation).output_shape
    shaped: dict[str, Any] = {} if shape is None else _shape(shape, reply, moment or _epoch)
    return shaped


def _epoch(value: float) -> float:
    return round(value, 3)


def _shape(shape: Shape, value: Any, moment: Moment) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _shape(member, value[name], moment)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_shape(shape.member, item, moment) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shape(shape.value, item, moment) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return moment(float(value))
    return value
