"""RecordIO-protobuf (``application/x-recordio-protobuf``), the training format of the built-in algorithms.

Written with numpy alone, because the SageMaker SDK v3 no longer writes it and the scikit-learn image has no
protobuf. A file is a row of records, each framed as

    uint32 0xCED7230A | uint32 length of the payload | payload | zero bytes up to a multiple of four

(little endian). The payload is the message ``Record`` of the package ``aialgs.data`` (Amazon SageMaker
developer guide, "Common data formats for training"), here with one dense tensor named ``values`` in
``features`` and one in ``label``:

    Record { map<string, Value> features = 1; map<string, Value> label = 2; }
    Value  { Float32Tensor float32_tensor = 2; }
    Float32Tensor { repeated float values = 1 [packed]; }

Training accepts ``Float32Tensor`` only, so nothing else is written. The bytes are those of AWS's own writer
(``sagemaker-training`` 5.1.4, ``recordio.py``); the tests hold vectors made with it.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

CONTENT_TYPE = "application/x-recordio-protobuf"

_MAGIC = 0xCED7230A
_LENGTH_DELIMITED = 2  # protobuf wire type
_RECORD_FEATURES = 1
_RECORD_LABEL = 2
_VALUE_FLOAT32_TENSOR = 2


def write_records(file: BinaryIO, features: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> int:
    """Append one record per row of ``features`` to ``file`` and return how many there are.

    ``features`` has the shape (rows, columns) and ``labels``, when given, (rows,). Both are converted to
    float32. Raises ValueError on any other shape and on numbers that are not finite, which the algorithms
    refuse much later.
    """
    matrix = _float32(features)
    if matrix.ndim != 2:
        raise ValueError(f"features must have the shape (rows, columns), not {matrix.shape}")
    targets = None if labels is None else _float32(labels)
    if targets is not None and targets.shape != (matrix.shape[0],):
        raise ValueError(f"labels must have the shape ({matrix.shape[0]},), one per row, not {targets.shape}")
    for index in range(matrix.shape[0]):
        payload = _map_entry(_RECORD_FEATURES, matrix[index])
        if targets is not None:
            payload += _map_entry(_RECORD_LABEL, targets[index : index + 1])
        file.write(struct.pack("<II", _MAGIC, len(payload)))
        file.write(payload)
        file.write(b"\0" * (-len(payload) % 4))
    return int(matrix.shape[0])


def _float32(values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.ascontiguousarray(values, dtype="<f4")
    if not np.isfinite(array).all():
        raise ValueError("the data holds a number that is not finite, or too large for 32 bits")
    return array


def _map_entry(record_field: int, values: npt.NDArray[Any]) -> bytes:
    """One entry of a ``map<string, Value>``: in protobuf a map is a list of messages {key = 1, value = 2}."""
    tensor = _message(1, values.tobytes())
    value = _message(_VALUE_FLOAT32_TENSOR, tensor)
    return _message(record_field, _message(1, b"values") + _message(2, value))


def _message(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    """Protobuf's variable-length integer: seven bits a byte, lowest first; the high bit means more follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
