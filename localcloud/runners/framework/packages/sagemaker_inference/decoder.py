"""Request bodies as arrays, by content type."""

import io
import json
from typing import Any

import numpy as np

from sagemaker_inference import content_types, errors


def _json(text: str | bytes) -> Any:
    return np.array(json.loads(text))


def _csv(text: str) -> Any:
    return np.genfromtxt(io.StringIO(text), delimiter=",", dtype=None)


def _npy(content: bytes) -> Any:
    return np.load(io.BytesIO(content), allow_pickle=True)  # as AWS's; whoever may invoke the endpoint sends it


def _npz(content: bytes) -> Any:
    import scipy.sparse  # only this case needs it

    return scipy.sparse.load_npz(io.BytesIO(content))


_DECODERS = {content_types.JSON: _json, content_types.CSV: _csv, content_types.NPY: _npy, content_types.NPZ: _npz}


def decode(obj: Any, content_type: str) -> Any:
    """Raises UnsupportedFormatError, and ValueError for what is not of its type."""
    if content_type not in _DECODERS:
        raise errors.UnsupportedFormatError(content_type)
    return _DECODERS[content_type](obj)
