"""The built-in Linear Learner's `serve` (developer guide, LL-in-formats and cdf-inference)."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import numpy as np
from model import Floats, LinearModel
from recordio import encode, frame, read_matrix
from sagemaker_io import MODEL, media_type
from serving import Reply, Request, serve
from tabular import parse_csv

JSON, LINES, RECORDIO, CSV = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)


def _features(instance: Any) -> list[float]:
    """`{"features": [...]}`, or the long form `{"data": {"features": {"values": [...]}}}`."""
    found = instance["data"]["features"] if "data" in instance else instance["features"]
    values = found["values"] if isinstance(found, dict) else found
    return [float(each) for each in values]


def read_features(kind: str, body: bytes) -> Floats | None:
    """Rows of features; None for a content type that is not offered. Raises ValueError and its kin."""
    if kind == CSV:
        return parse_csv(body.decode())
    if kind == RECORDIO:
        return read_matrix(body)[0]
    if kind == JSON:
        return np.array([_features(each) for each in json.loads(body)["instances"]], np.float32)
    if kind == LINES:
        lines = (line for line in body.decode().splitlines() if line.strip())
        return np.array([_features(json.loads(line)) for line in lines], np.float32)
    return None


def predictions(model: LinearModel, features: Floats) -> list[dict[str, Any]]:
    """`score` and, for a classifier, `predicted_label` of each row."""
    scores = model.scores(features)
    labels = model.labels(scores)
    rows: Iterable[Any] = scores.tolist()
    if labels is None:
        return [{"score": score} for score in rows]
    return [{"score": score, "predicted_label": int(label)} for score, label in zip(rows, labels, strict=True)]


def encode_predictions(found: list[dict[str, Any]], accept: str) -> Reply:
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


def main() -> None:
    """Load the model, then answer."""
    model = LinearModel.load(MODEL)

    def invoke(request: Request) -> Reply:
        kind, _ = media_type(request.content_type)
        try:
            features = read_features(kind, request.body)
        except (ValueError, KeyError, TypeError) as error:
            return Reply(400, f"unable to parse the request body as {kind}: {error}".encode())
        if features is None:
            return Reply(415, f"Content type {request.content_type} is not supported".encode())
        if features.ndim != 2 or features.shape[1] != model.features:
            width = features.shape[-1] if features.size else 0
            return Reply(400, f"each row must have {model.features} features, not {width}".encode())
        unusable = np.argwhere(~np.isfinite(features))
        if unusable.size:
            row, column = unusable[0] + 1
            return Reply(400, f"NaN or infinite value in row {row}, column {column}: no features".encode())
        return encode_predictions(predictions(model, features), media_type(request.accept)[0])

    serve(invoke)


if __name__ == "__main__":
    main()
