"""SAGEMAKER_INFERENCE_OUTPUT: the reply's fields chosen by the caller instead of the plain prediction.

Fields by objective as in AWS's open container (`algorithm_mode/serve_utils.py`); one that an objective does not
have comes back as NaN.
"""

import json
from typing import Any

import numpy as np
from recordio import encode, frame

_CLASS = ("predicted_label", "labels", "raw_score", "raw_scores")
_WITH_PROBABILITY = (*_CLASS, "probability", "probabilities")
FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("reg:squarederror", "reg:logistic", "reg:gamma", "reg:absoluteerror", "reg:tweedie"), ("predicted_score",)
    ),
    "binary:logistic": _WITH_PROBABILITY,
    "binary:logitraw": _CLASS,
    "binary:hinge": _CLASS,
    "multi:softmax": _CLASS,
    "multi:softprob": _WITH_PROBABILITY,
}


def _label(objective: str, value: Any) -> float:
    if objective == "multi:softprob":
        return int(np.argmax(value))
    if objective in ("binary:logistic", "binary:logitraw"):
        return int(value > (0.5 if objective == "binary:logistic" else 0))
    return float(value)


def _field(name: str, objective: str, value: Any, classes: int) -> Any:
    if name not in FIELDS[objective]:
        return float("nan")
    if name == "predicted_label":
        return _label(objective, value)
    if name == "labels":
        return list(range(classes)) if objective.startswith("multi:") else [0, 1]
    if name in ("probability", "raw_score", "predicted_score"):
        return float(np.max(value))
    if objective == "multi:softprob":
        return [float(each) for each in value]
    return [1.0 - float(value), float(value)]


def select(predictions: Any, names: list[str], objective: str, classes: int) -> list[dict[str, Any]]:
    """One dictionary per prediction, keys in the order asked for. Raises ValueError for an unknown objective."""
    if objective not in FIELDS:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    return [{name: _field(name, objective, value, classes) for name in names} for value in predictions]


def encode_selected(rows: list[dict[str, Any]], accept: str) -> bytes:
    """JSON, JSON lines, CSV (lists in quotes) or RecordIO-protobuf."""
    if accept == "application/json":
        return json.dumps({"predictions": rows}).encode()
    if accept == "application/jsonlines":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if accept == "application/x-recordio-protobuf":
        return b"".join(frame(encode({}, {name: np.float32(value) for name, value in row.items()})) for row in rows)
    lines = (
        ",".join(f'"{value}"' if isinstance(value, list) else str(value) for value in row.values()) for row in rows
    )
    return "\n".join(lines).encode()
