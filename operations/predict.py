"""``sandcastle predict WORKLOAD FILE|-|--sample N``: one request to an endpoint, and what its answer means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.evaluation import (
    Binary,
    Clusters,
    EvaluationError,
    Multiclass,
    describe_prediction,
    render_digit,
    sample_row,
)
from operations.served import ANY_ENDPOINT, ServedWorkload
from operations.target import Target


def predict_sample(target: Target, environment: str, workload: str, number: int, console: Console) -> dict[str, Any]:
    """Send row ``number`` (from 1) of the held-out test split and compare the answer with its label.

    Raises OperationError when the workload is not deployed, the endpoint refuses, or there is no such row.
    """
    served = ServedWorkload.find(target, environment, workload, ANY_ENDPOINT)
    about = served.test.about
    rows = served.test.rows
    try:
        features, label = sample_row(rows, number)
    except EvaluationError as error:
        raise UsageError(f"--sample {number}: {error}") from error
    if about.picture:
        console.show(render_digit(features, about.picture))
    document = _answer(served, features, console, origin=f"test row {number}")
    truth = _named(served, label)
    note = " (generated data)" if about.generated else ""
    hidden = "hidden " if isinstance(served.spec, Clusters) else ""
    console.say(f"  the {hidden}label of that row: {truth}{note}")
    return {**document, "sample": number, "label": label, "truth": truth, "origin": about.origin}


def predict_body(
    target: Target, environment: str, workload: str, body: bytes, origin: str, console: Console
) -> dict[str, Any]:
    """Send the bytes as they are; ``origin`` says where they come from.

    Raises UsageError when there are none, OperationError when the endpoint refuses.
    """
    served = ServedWorkload.find(target, environment, workload, ANY_ENDPOINT)
    if not body:
        raise UsageError(f"{origin} is empty; expected {served.content_type} rows without a label")
    return _answer(served, body, console, origin=origin)


def read_body(file: str) -> tuple[bytes, str]:
    """Return a request and where it comes from: a file's bytes, or with ``-`` those of standard input.

    Raises UsageError when it cannot be read.
    """
    if file == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return Path(file).read_bytes(), file
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error


def _answer(served: ServedWorkload, body: bytes, console: Console, *, origin: str) -> dict[str, Any]:
    reply = served.invoke(body)
    classes = served.test.about.classes if isinstance(served.spec, Multiclass) else ()
    meaning = describe_prediction(served.spec, reply, classes)
    console.say(f"{served.workload}: {origin} -> {meaning}")
    return {
        "workload": served.workload,
        "endpoint": served.endpoint,
        "request": origin,
        "reply": reply.decode("utf-8", "replace"),
        "meaning": meaning,
    }


def _named(served: ServedWorkload, label: int) -> str:
    """Return what a label of the test split means, in the workload's words."""
    if isinstance(served.spec, Binary):
        return served.spec.positive if label else served.spec.negative
    classes = served.test.about.classes
    return classes[label] if label < len(classes) else str(label)
