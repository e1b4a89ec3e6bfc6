"""Serve the network: pictures in, for each the digit and how sure the network is of it.

Handlers of AWS's PyTorch image. A request is

* JSON, a list of samples or ``{"samples": [...]}``: 784 numbers each, from 0 (paper) to 1 (ink), or 28 rows of 28;
* JSON ``{"image": "https://..."}``: the address of a PNG or JPEG of one digit, fetched with care (fetch.py);
* CSV, one sample in each row.

The answer is JSON, ``[{"prediction": 7, "confidence": 0.98}]``, or CSV, ``7,0.98``.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import torch
from fetch import FetchError, fetch
from network import PIXELS, Network
from picture import PictureError, pixels_of
from sagemaker_inference.errors import BaseInferenceToolkitError  # the image's own server turns it into a status

Answers = List[Dict[str, Any]]

_BATCH = 500
"""Pictures that go through the network at a time."""


def model_fn(model_dir: str) -> Network:
    """Return the network with the weights that train.py saved."""
    network = Network()
    # Weights only: a model file can then hold no code.
    network.load_state_dict(torch.load(str(Path(model_dir) / "model.pt"), map_location="cpu", weights_only=True))
    network.eval()
    return network


def input_fn(body: bytes | str, content_type: str) -> torch.Tensor:
    """Return the request's pictures, (rows, 784); an error with status 400 or 415 says what is wrong with them."""
    return read_request(body, content_type, fetch)


def read_request(body: bytes | str, content_type: str, fetched: Callable[[str], bytes]) -> torch.Tensor:
    """Do what ``input_fn`` says; ``fetched`` returns the bytes at an address or raises FetchError."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    try:
        text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
        if kind == "text/csv":
            return _pictures([line for line in csv.reader(io.StringIO(text)) if line])
        if kind == "application/json":
            document = json.loads(text)
            if isinstance(document, dict) and "image" in document:
                return _pictures([pixels_of(_content(document, fetched))])
            return _pictures(document.get("samples") if isinstance(document, dict) else document)
    except (FetchError, PictureError, ValueError) as error:  # ValueError: also what is no UTF-8 or no JSON
        raise BaseInferenceToolkitError(400, str(error), "Bad Request") from error
    message = f"{content_type} is not understood; send application/json or text/csv"
    raise BaseInferenceToolkitError(415, message, "Unsupported Media Type")


def _content(document: dict[str, Any], fetched: Callable[[str], bytes]) -> bytes:
    if set(document) != {"image"} or not isinstance(document["image"], str):
        raise ValueError('expected {"image": "https://..."} and nothing beside it')
    return fetched(document["image"])


def _pictures(samples: Any) -> torch.Tensor:
    """Check and convert samples; raise ValueError naming the first one that is wrong."""
    if not isinstance(samples, list):
        raise ValueError('expected a list of samples, {"samples": [...]} or {"image": "https://..."}')
    if not samples:
        raise ValueError("there is no sample")
    rows = [_picture(sample, number) for number, sample in enumerate(samples, start=1)]
    return torch.from_numpy(np.stack(rows))


def _picture(sample: Any, number: int) -> Any:
    try:
        pixels = np.asarray(sample, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError):
        raise ValueError(f"sample {number} holds something that is no number") from None
    if pixels.size != PIXELS:
        raise ValueError(f"sample {number} has {pixels.size} pixels; a picture has {PIXELS}")
    # Written so that what is not a number fails too: every comparison with it is false.
    if not ((pixels >= 0) & (pixels <= 1)).all():
        raise ValueError(f"sample {number} has a pixel that is not between 0 (paper) and 1 (ink)")
    return pixels


def predict_fn(pictures: torch.Tensor, network: Network) -> Answers:
    """Return each picture's most likely digit and the network's probability of it."""
    answers = []
    with torch.no_grad():
        for part in pictures.split(_BATCH):
            confidence, digit = torch.softmax(network(part), dim=1).max(dim=1)
            answers += zip(digit.tolist(), confidence.tolist())
    return [{"prediction": digit, "confidence": round(confidence, 6)} for digit, confidence in answers]


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
