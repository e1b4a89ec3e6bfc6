"""Requests and replies of AWS's closed algorithms (developer guide, cdf-inference): rows in, dictionaries out."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recordio import encode, frame, read_matrix
from sagemaker_io import media_type
from serving import Reply, Request
from tabular import parse_csv, row_that_is_not_finite

JSON, LINES, RECORDIO, CSV = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)
Floats = NDArray[np.float32]
Predictions = list[dict[str, Any]]


def answer(request: Request, width: int, predict: Callable[[Floats], Predictions]) -> Reply:
    """The reply to a request whose rows must have `width` features; 400 names the row that is not as it must be."""
    kind, _ = media_type(request.content_type)
    try:
        features = read_features(kind, request.body)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        return Reply(400, f"unable to parse the request body as {kind}: {reason}".encode())
    if features is None:
        return Reply(415, f"Content type {request.content_type} is not supported".encode())
    wrong = _wrong(features, width)
    if wrong:
        return Reply(400, f"unable to evaluate payload provided: {wrong}".encode())
    return encode_predictions(predict(features), media_type(request.accept)[0])


def _wrong(features: Floats, width: int) -> str | None:
    if not features.size:
        return "the request holds no rows"
    if features.ndim != 2 or features.shape[1] != width:
        return f"each row must have {width} features, not {features.shape[-1]}"
    row = row_that_is_not_finite(features)
    return None if row is None else f"row {row} contains a value that is missing or not finite"


def _features(instance: Any) -> list[float]:
    """`{"features": [...]}`, or the long form `{"data": {"features": {"values": [...]}}}`."""
    found = instance["data"]["features"] if "data" in instance else instance["features"]
    values = found["values"] if isinstance(found, dict) else found
    return [float(each) for each in values]


def _matrix(instances: list[list[float]]) -> Floats:
    for number, row in enumerate(instances, 1):
        if len(row) != len(instances[0]):
            raise ValueError(f"row {number} has {len(row)} features and row 1 has {len(instances[0])}")
    return np.array(instances, np.float32)


def read_features(kind: str, body: bytes) -> Floats | None:
    """Rows of features; None for a content type that is not offered. Raises ValueError and its kin."""
    if kind == CSV:
        return parse_csv(body.decode())
    if kind == RECORDIO:
        return read_matrix(body)[0]
    if kind == JSON:
        return _matrix([_features(each) for each in json.loads(body)["instances"]])
    if kind == LINES:
        lines = (line for line in body.decode().splitlines() if line.strip())
        return _matrix([_features(json.loads(line)) for line in lines])
    return None


def encode_predictions(found: Predictions, accept: str) -> Reply:
    """The reply in the type that was asked for; CSV has the fields in the order of the JSON reply."""
    if accept in ("", "*/*", JSON):
        return Reply(200, json.dumps({"predictions": found}).encode(), JSON)
    if accept == LINES:
        return Reply(200, "".join(json.dumps(each) + "\n" for each in found).encode(), LINES)
    if accept == RECORDIO:
        records = ({name: np.atleast_1d(np.float32(value)) for name, value in each.items()} for each in found)
        return Reply(200, b"".join(frame(encode({}, each)) for each in records), RECORDIO)
    if accept == CSV:
        lines = (
            ",".join(str(part) for value in each.values() for part in (value if isinstance(value, list) else [value]))
            for each in found
        )
        return Reply(200, "".join(line + "\n" for line in lines).encode(), CSV)
    return Reply(406, f"Accept type {accept} is not supported".encode())
