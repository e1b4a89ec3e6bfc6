"""``sandcastle invoke WORKLOAD FILE|--sample N``: one request to an endpoint, and what its answer means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.evaluation import describe_prediction, sample_row
from operations.served import ServedWorkload
from operations.target import Target


def invoke_sample(target: Target, environment: str, workload: str, number: int, console: Console) -> dict[str, Any]:
    """Send row ``number`` (0-based) of the held-out test split and compare the answer with its label.

    Raises OperationError when the workload is not deployed or the endpoint refuses, UsageError when there is
    no such row.
    """
    served = ServedWorkload.find(target, environment, workload)
    try:
        features, label = sample_row(served.test_rows(), number)
    except IndexError as error:
        raise UsageError(f"--sample {number}: {error}") from error
    document = _answer(served, features.encode(), console, origin=f"test row {number}")
    console.say(f"{'':2}label in the test split: {served.class_name(label)}")
    return {**document, "sample": number, "label": label}


def invoke_file(target: Target, environment: str, workload: str, path: Path, console: Console) -> dict[str, Any]:
    """Send the file's bytes as they are.

    Raises UsageError when the file cannot be read, OperationError when the endpoint refuses.
    """
    served = ServedWorkload.find(target, environment, workload)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if not body:
        raise UsageError(f"{path} is empty; expected {served.outputs['ContentType']} rows without a label")
    return _answer(served, body, console, origin=str(path))


def _answer(served: ServedWorkload, body: bytes, console: Console, *, origin: str) -> dict[str, Any]:
    reply = served.invoke(body)
    try:
        meaning = describe_prediction(served.spec, reply)
    except ValueError as error:
        raise OperationError(f"Endpoint {served.endpoint} answered something unexpected: {error}") from error
    console.say(f"{served.workload}: {origin} -> {meaning}")
    return {
        "workload": served.workload,
        "endpoint": served.endpoint,
        "request": origin,
        "reply": reply.decode("utf-8", "replace"),
        "meaning": meaning,
    }
