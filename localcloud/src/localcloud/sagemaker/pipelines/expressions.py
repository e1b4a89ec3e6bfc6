"""Expressions of a pipeline definition: what they refer to, and what they come to.

{"Get": "Parameters.X"}   {"Get": "Execution.PipelineName"}   {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
{"Std:Join": {"On": "/", "Values": [...]}}
{"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "metrics.auc.value"}}
{"Std:JsonGet": {"S3Uri": {"Std:Join": ...}, "Path": "metrics.auc.value"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"
EXECUTION_VALUES = frozenset(
    {
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
    }
)
_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.?(.*)")
_PART = re.compile(r"""\.?([A-Za-z0-9_:-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
#: members by which the items of a list are named in property references
_NAMES = ("OutputName", "InputName", "MetricName", "ChannelName")


class Unresolvable(Exception):
    """An expression does not come to a value; the text says which and why."""


class Values(Protocol):
    """Where references lead."""

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter."""

    def execution(self, name: str) -> Any:
        """A value of the execution, such as PipelineName."""

    def properties(self, step: str) -> Any:
        """What a finished step left: the reply of its Describe. Raises Unresolvable."""

    def property_file(self, step: str, name: str) -> Any:
        """The JSON document of a property file. Raises Unresolvable."""

    def document(self, uri: str) -> Any:
        """A JSON document in S3. Raises Unresolvable."""


def references(value: Any) -> Iterator[str]:
    """Every text that a Get in ``value`` names."""
    if isinstance(value, dict):
        if set(value) == {GET} and isinstance(value[GET], str):
            yield value[GET]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def functions(value: Any) -> Iterator[str]:
    """Every function (``Std:...``) used in ``value``."""
    if isinstance(value, dict):
        yield from (key for key in value if isinstance(key, str) and key.startswith("Std:"))
        for item in value.values():
            yield from functions(item)
    elif isinstance(value, list):
        for item in value:
            yield from functions(item)


def malformed(value: Any) -> Iterator[str]:
    """What is wrong with the functions in ``value``."""
    if isinstance(value, dict):
        if JOIN in value and not _has(value[JOIN], {"On", "Values"}):
            yield f"{JOIN} needs On and Values"
        if JSON_GET in value:
            asked = value[JSON_GET]
            if not (_has(asked, {"PropertyFile", "Path"}) or _has(asked, {"S3Uri", "Path"})):
                yield f"{JSON_GET} needs Path, and PropertyFile or S3Uri"
            elif "PropertyFile" in asked and not _has(asked["PropertyFile"], {GET}):
                yield f"PropertyFile of {JSON_GET} needs {GET}"
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from malformed(item)


def _has(value: Any, members: set[str]) -> bool:
    return isinstance(value, dict) and members <= set(value)


def is_expression(value: Any) -> bool:
    """Whether a value is one Get or one function."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in (GET, JOIN, JSON_GET)


def step_of(reference: str) -> str | None:
    """The step that a reference leads to, None for parameters and values of the execution."""
    match = _STEP.fullmatch(reference)
    return match[1] if match else None


def resolve(value: Any, values: Values) -> Any:
    """``value`` with every expression replaced by what it comes to. Raises Unresolvable."""
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {GET}:
        return _get(value[GET], values)
    if set(value) == {JOIN}:
        on, parts = value[JOIN]["On"], value[JOIN]["Values"]
        return str(on).join(text(resolve(part, values)) for part in parts)
    if set(value) == {JSON_GET}:
        return _json_get(value[JSON_GET], values)
    return {key: resolve(item, values) for key, item in value.items()}


def text(value: Any) -> str:
    """A value inside a text: booleans as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get(reference: str, values: Values) -> Any:
    kind, _, name = reference.partition(".")
    if kind == "Parameters":
        return values.parameter(name)
    if kind == "Execution":
        return values.execution(name)
    match = _STEP.fullmatch(reference)
    if match is None:
        raise Unresolvable(f"{reference} is not a reference")
    return follow(values.properties(match[1]), match[2], reference)


def _json_get(asked: dict[str, Any], values: Values) -> Any:
    if "S3Uri" in asked:
        uri = text(resolve(asked["S3Uri"], values))
        return follow(values.document(uri), asked["Path"], f"{uri} {asked['Path']}")
    reference = asked["PropertyFile"][GET]
    match = re.fullmatch(r"Steps\.([A-Za-z0-9_-]+)\.PropertyFiles\.(.+)", reference)
    if match is None:
        raise Unresolvable(f"{reference} is not a property file")
    return follow(values.property_file(match[1], match[2]), asked["Path"], f"{reference} {asked['Path']}")


def follow(value: Any, path: str, reference: str) -> Any:
    """Walk ``.Member``, ``['name']`` and ``[0]``. Raises Unresolvable naming ``reference``."""
    position = 0
    while position < len(path):
        part = _PART.match(path, position)
        if part is None:
            raise Unresolvable(f"{reference}: {path[position:]!r} is not a path")
        position = part.end()
        member, index, single, double = part.groups()
        value = _item(value, int(index)) if index else _member(value, member or single or double)
        if value is None:
            raise Unresolvable(f"{reference}: there is no {part[0]}")
    return value


def _item(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, list) and index < len(value) else None


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        if name.isdigit():
            return _item(value, int(name))
        named = (item for item in value if isinstance(item, dict))
        return next((item for item in named if any(item.get(key) == name for key in _NAMES)), None)
    return None
