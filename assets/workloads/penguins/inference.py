"""Serve the penguins' classifier: rows as they are, texts and gaps included, in; a species and how sure it is, out.

Handlers of AWS's scikit-learn image. A request is CSV, ``island,bill_length_mm,bill_depth_mm,flipper_length_mm,
body_mass_g,sex`` without a header and with nothing between two commas for what is missing, or JSON, a list of objects
with these keys. The answer is JSON, ``[{"prediction": "Adelie", "confidence": 0.98}]``, or CSV, ``Adelie,0.98``.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import joblib
import table

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # an image with another toolkit: the attributes are what a server may look at

    class BaseInferenceToolkitError(Exception):  # type: ignore[no-redef]
        """An error that the client shall see, with its HTTP status."""

        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            super().__init__(message)
            self.status_code, self.message, self.phrase = status_code, message, phrase


Answers = List[Dict[str, Any]]


def model_fn(model_dir: str) -> Any:
    """Return the pipeline that train.py saved."""
    return joblib.load(str(Path(model_dir) / "model.joblib"))


def input_fn(body: bytes | str, content_type: str) -> Any:
    """Return the request's rows; an error with status 400 or 415 says what is wrong with them."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    try:
        text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
        if kind == "text/csv":
            return table.rows_of_csv(text)
        if kind == "application/json":
            return table.rows_of_json(json.loads(text))
    except ValueError as error:  # also what is no UTF-8 or no JSON
        raise BaseInferenceToolkitError(400, str(error), "Bad Request") from error
    message = f"{content_type} is not understood; send text/csv or application/json"
    raise BaseInferenceToolkitError(415, message, "Unsupported Media Type")


def predict_fn(rows: Any, model: Any) -> Answers:
    """Return each row's most likely species and the model's probability of it."""
    chances = model.predict_proba(rows)
    return [
        {"prediction": table.SPECIES[int(model.classes_[best])], "confidence": round(float(row[best]), 6)}
        for row, best in zip(chances, chances.argmax(axis=1))
    ]


def output_fn(answers: Answers, accept: str) -> tuple[str, str]:
    """Return the answers as the client wants them, and their type; status 406 when it wants something else."""
    wanted = [kind.split(";")[0].strip().lower() for kind in (accept or "*/*").split(",")]
    if any(kind in ("application/json", "*/*", "application/*") for kind in wanted):
        return json.dumps(answers), "application/json"
    if "text/csv" in wanted:
        return "".join(f"{one['prediction']},{one['confidence']}\n" for one in answers), "text/csv"
    raise BaseInferenceToolkitError(
        406, f"{accept} is not offered; accept application/json or text/csv", "Not Acceptable"
    )
