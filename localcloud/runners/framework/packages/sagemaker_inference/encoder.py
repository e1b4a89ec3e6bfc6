"""Predictions as reply bodies, by accept type."""

import io
import json
from typing import Any

import numpy as np

from sagemaker_inference import content_types, errors


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _json(value: Any) -> str:
    return json.dumps(value, default=_listed)


def _csv(value: Any) -> str:
    text = io.StringIO()
    np.savetxt(text, value, delimiter=",", fmt="%s")
    return text.getvalue()


def _npy(value: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, value)
    return content.getvalue()


_ENCODERS = {content_types.JSON: _json, content_types.CSV: _csv, content_types.NPY: _npy}
SUPPORTED_CONTENT_TYPES = set(_ENCODERS)


def encode(array_like: Any, content_type: str) -> Any:
    """Raises UnsupportedFormatError."""
    if content_type not in _ENCODERS:
        raise errors.UnsupportedFormatError(content_type)
    return _ENCODERS[content_type](array_like)
