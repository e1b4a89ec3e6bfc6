"""Makes ``constructs/sandcastle/pipeline/request_shapes.json``: what SageMaker takes where a pipeline's steps ask it.

Synth checks pipelines against it. The whole service model takes botocore a sixth of a second to load, this part of it
nothing: ``python -m operations.tools.request_shapes`` copies it from the installed botocore, without a network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[2] / "constructs" / "sandcastle" / "pipeline" / "request_shapes.json"

OPERATIONS = (
    "CreateHyperParameterTuningJob",
    "CreateModel",
    "CreateModelPackage",
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
)
"""Those that the types of steps come to that the product has."""

REPLIES = (
    "DescribeHyperParameterTuningJob",
    "DescribeModel",
    "DescribeModelPackage",
    "DescribeProcessingJob",
    "DescribeTrainingJob",
    "DescribeTransformJob",
    "ListTrainingJobsForHyperParameterTuningJob",
)
"""Those whose replies steps refer to as the properties of other steps."""

_KEPT = ("type", "required", "enum", "min", "max", "pattern")

_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Alnum}": "a-zA-Z0-9"}
"""Java's classes of characters, and Python's that stand for them inside brackets."""


def shapes() -> dict[str, Any]:
    """Return the operations with the shapes that they lead to, from the installed botocore."""
    import botocore
    from botocore.loaders import Loader

    model = Loader().load_service_model("sagemaker", "service-2")
    operations = {name: model["operations"][name]["input"]["shape"] for name in OPERATIONS}
    operations |= {name: model["operations"][name]["output"]["shape"] for name in REPLIES}
    found: dict[str, Any] = {}
    waiting = list(operations.values())
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _slim(model["shapes"][name])
            waiting += _parts(found[name])
    return {"botocore": botocore.__version__, "operations": operations, "shapes": dict(sorted(found.items()))}


def _slim(shape: dict[str, Any]) -> dict[str, Any]:
    """Return the shape without what is there for people and for the wire."""
    slim = {key: shape[key] for key in _KEPT if key in shape}
    if "pattern" in slim:
        slim["pattern"] = _python(slim["pattern"])
    if "members" in shape:
        slim["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    return slim | {key: shape[key]["shape"] for key in ("member", "key", "value") if key in shape}


def _python(pattern: str) -> str:
    """Return the pattern, written for Java, as Python reads it; one that lets everything through if it cannot."""
    for theirs, ours in _CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    pattern = re.sub(r"\$\{\d+,\d*\}", "$", pattern)  # two of them count the end of the text
    try:
        re.compile(pattern)
    except re.error:
        return r"[\s\S]*"
    return pattern


def _parts(slim: dict[str, Any]) -> Iterator[str]:
    yield from slim.get("members", {}).values()
    yield from (slim[key] for key in ("member", "key", "value") if key in slim)


def text() -> str:
    """Return the file's text: one shape a line, so that a change of botocore's is a small difference."""
    found = shapes()
    lines = [f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in found["shapes"].items()]
    head = {key: found[key] for key in ("botocore", "operations")}
    return json.dumps(head, indent=1)[:-2] + ',\n "shapes": {\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
