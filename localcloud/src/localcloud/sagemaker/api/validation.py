"""Requests checked against the service model, with the texts that the service itself answers.

The service collects every violation of a request and reports them together: ``2 validation errors
detected: Value 'x' at 'trainingJobName' failed to satisfy constraint: Member must ...; Value null at ...``.
Paths are in lower camel case with list positions from one (``productionVariants.1.member.instanceType``);
lists and maps of plain values report all their constraints at once (texts seen in public reports of
SageMaker, DynamoDB and Lambda).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from localcloud.sagemaker import errors
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.patterns import compiled

_JSON_NAMES = {bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE"}


def check_request(operation: str, request: object) -> dict[str, Any]:
    """The request without its null members, when it satisfies the operation's input shape.

    Raises SerializationException (wrong JSON type) or ValidationException (unknown member: localcloud's own,
    AWS ignores it; missing, too long, out of range, not matching: AWS's texts).
    """
    shape = model.input_shape(operation)
    if not isinstance(request, dict):
        raise errors.serialization("Unexpected value: the request body must be a JSON object")
    _check_types(operation, shape, request, "")
    present: dict[str, Any] = _without_null(request)
    problems = list(_violations(shape, present, ""))
    if problems:
        plural = "error" if len(problems) == 1 else "errors"
        raise errors.validation(f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")
    return present


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(item) for name, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def _check_types(operation: str, shape: Shape, value: object, path: str) -> None:
    """Refuse a wrong JSON type or a member that the model does not have. null is the same as absent."""
    if value is None:
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, item in value.items():
            if name not in shape.members:
                where = f"{path}.{name}".lstrip(".")
                raise errors.validation(f"[localcloud] {operation}: unknown parameter {where!r}")
            _check_types(operation, shape.members[name], item, f"{path}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            _check_types(operation, shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            _check_types(operation, shape.value, item, f"{path}.{key}")
    elif not _has_type(shape, value):
        got = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY" if isinstance(value, list) else ""
        raise errors.serialization(
            f"{got or _JSON_NAMES[type(value)]} cannot be converted to {shape.type_name.capitalize()} "
            f"at {path.lstrip('.')}"
        )


def _has_type(shape: Shape, value: object) -> bool:
    if isinstance(value, bool):
        return shape.type_name == "boolean"
    if shape.type_name in ("integer", "long"):
        return isinstance(value, int)
    if shape.type_name in ("float", "double"):
        return isinstance(value, int | float)
    if shape.type_name == "timestamp":
        return isinstance(value, int | float) or (isinstance(value, str) and _is_iso(value))
    return shape.type_name in ("string", "blob") and isinstance(value, str)


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Every violation at and below ``path``."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            where = f"{path}.{_camel(name)}".lstrip(".")
            item = value.get(name)
            if item is not None:
                yield from _violations(member, item, where)
            elif name in shape.required_members:
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        return
    for text in _constraints(shape, value):
        yield _failed(shape, value, path, text)
    if isinstance(shape, ListShape):
        yield from _list_violations(shape, value, path)
    elif isinstance(shape, MapShape):
        yield from _map_violations(shape, value, path)


def _list_violations(shape: ListShape, value: list[Any], path: str) -> Iterator[str]:
    if isinstance(shape.member, StructureShape):
        for index, item in enumerate(value, start=1):
            yield from _violations(shape.member, item, f"{path}.{index}.member")
    elif any(True for item in value for _ in _constraints(shape.member, item)):
        text = f"Member must satisfy constraint: [{_all_constraints(shape.member)}]"
        yield _failed(shape, value, path, text)


def _map_violations(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    if any(True for key in value for _ in _constraints(shape.key, key)):
        text = f"Map keys must satisfy constraint: [{_all_constraints(shape.key)}]"
        yield _failed(shape, value, path, text)
    if any(True for item in value.values() for _ in _constraints(shape.value, item)):
        text = f"Map value must satisfy constraint: [{_all_constraints(shape.value)}]"
        yield _failed(shape, value, path, text)


def _constraints(shape: Shape, value: Any) -> Iterable[str]:
    """The constraints of one shape that ``value`` does not meet."""
    limits = shape.metadata
    if isinstance(value, str) or isinstance(shape, ListShape | MapShape):
        size, unit = len(value), "length"
    elif isinstance(value, bool):
        return
    else:
        size, unit = value, "value"
    if "max" in limits and size > limits["max"]:
        yield _at_most(unit, limits["max"])
    if "min" in limits and size < limits["min"]:
        yield _at_least(unit, limits["min"])
    if isinstance(shape, StringShape):
        if limits.get("pattern") and not compiled(limits["pattern"]).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {limits['pattern']}"
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _all_constraints(shape: Shape) -> str:
    """Every constraint of a list's or map's element, in the order the service names them."""
    limits = shape.metadata
    unit = "length" if shape.type_name == "string" else "value"
    texts = [_at_most(unit, limits["max"])] if "max" in limits else []
    texts += [_at_least(unit, limits["min"])] if "min" in limits else []
    if limits.get("pattern"):
        texts.append(f"Member must satisfy regular expression pattern: {limits['pattern']}")
    if isinstance(shape, StringShape) and shape.enum:
        texts.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return ", ".join(texts)


def _failed(shape: Shape, value: Any, path: str, constraint: str) -> str:
    return f"Value '{_shown(shape, value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _shown(shape: Shape, value: Any) -> str:
    """A value as Java prints it: ``[a, b]``, ``{k=v}``."""
    if isinstance(shape, ListShape):
        return f"[{', '.join(_shown(shape.member, item) for item in value)}]"
    if isinstance(shape, MapShape):
        return f"{{{', '.join(f'{key}={_shown(shape.value, item)}' for key, item in value.items())}}}"
    if isinstance(shape, StructureShape):
        pairs = (f"{name}={_shown(shape.members[name], item)}" for name, item in value.items())
        return f"{shape.name}({', '.join(pairs)})"
    return str(value)


def _at_most(unit: str, limit: int) -> str:
    return f"Member must have {unit} less than or equal to {limit}"


def _at_least(unit: str, limit: int) -> str:
    return f"Member must have {unit} greater than or equal to {limit}"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]
