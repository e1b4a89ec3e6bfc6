"""Serve the penguins' classifier: rows as they are, texts and gaps included, in; a species and how sure it is, out.

Handlers of AWS's scikit-learn image. A request is CSV, ``island,bill_length_mm,bill_depth_mm,flipper_length_mm,
body_mass_g,sex`` without a header and with nothing between two commas for what is missing, or JSON, a list of objects
with these keys. The answer is JSON, ``[{"prediction": "Adelie", "confidence": 0.98}]``, or CSV, ``Adelie,0.98``.

The image's server (sagemaker-containers) tells a client nothing of an exception. So a request that is wrong goes
through the handlers as what it is, and becomes a reply with its status and reason at the end.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import joblib
import table
from sagemaker_containers.beta.framework import worker

Answers = List[Dict[str, Any]]


class Refused(NamedTuple):
    """A request that is not answered: the HTTP status and the reason."""

    status: int
    reason: str


def model_fn(model_dir: str) -> Any:
    """Return the pipeline that train.py saved."""
    return joblib.load(str(Path(model_dir) / "model.joblib"))


def input_fn(body: bytes | str, content_type: str) -> Any:
    """Return the request's rows, or what is wrong with them."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    try:
        text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
        if kind == "text/csv":
            return table.rows_of_csv(text)
        if kind == "application/json":
            return table.rows_of_json(json.loads(text))
    except ValueError as error:  # also what is no UTF-8 or no JSON
        return Refused(400, str(error))
    return Refused(415, f"{content_type} is not understood; send text/csv or application/json")


def predict_fn(rows: Any, model: Any) -> Answers | Refused:
    """Return each row's most likely species and the model's probability of it."""
    if isinstance(rows, Refused):
        return rows
    chances = model.predict_proba(rows)
    return [
        {"prediction": table.SPECIES[int(model.classes_[best])], "confidence": round(float(row[best]), 6)}
        for row, best in zip(chances, chances.argmax(axis=1))
    ]


def output_fn(answers: Answers | Refused, accept: str) -> worker.Response:
    """Return the answers as the client wants them; status 406 when it wants something else."""
    wanted = [kind.split(";")[0].strip().lower() for kind in (accept or "*/*").split(",")]
    if isinstance(answers, Refused):
        return worker.Response(answers.reason, status=answers.status, mimetype="text/plain")
    if any(kind in ("application/json", "*/*", "application/*") for kind in wanted):
        return worker.Response(json.dumps(answers), mimetype="application/json")
    if "text/csv" in wanted:
        lines = "".join(f"{one['prediction']},{one['confidence']}\n" for one in answers)
        return worker.Response(lines, mimetype="text/csv")
    reason = f"{accept} is not offered; accept application/json or text/csv"
    return worker.Response(reason, status=406, mimetype="text/plain")
