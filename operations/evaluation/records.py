"""Reading a training split in RecordIO-protobuf, as ``assets/workloads/shared/recordio.py`` writes and describes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from operations.evaluation.model import EvaluationError

if TYPE_CHECKING:
    import numpy.typing as npt

_MAGIC = 0xCED7230A
_FEATURES, _LABEL = 1, 2
_LENGTH_DELIMITED = 2  # protobuf wire type


def read_records(data: bytes, name: str) -> tuple[npt.NDArray[Any] | None, npt.NDArray[Any]]:
    """Return labels, None when the records have none, and inputs of dense float32 records; ``name`` is the file's.

    Raises EvaluationError when the file is cut off or holds something else.
    """
    import numpy as np

    labels: list[npt.NDArray[Any]] = []
    inputs: list[npt.NDArray[Any]] = []
    try:
        for payload in _payloads(data):
            for field, entry in _fields(payload):
                numbers = np.frombuffer(_tensor(entry), "<f4")
                (inputs if field == _FEATURES else labels).append(numbers)
        table = np.stack(inputs).astype(float)
        answers = np.concatenate(labels).astype(np.int64) if labels else None
    except (ValueError, IndexError, KeyError, struct.error) as error:
        raise EvaluationError(f"{name} is not a file of dense RecordIO-protobuf records: {error}") from error
    if answers is not None and len(answers) != len(table):
        raise EvaluationError(f"{name} has {len(answers)} labels for {len(table)} records")
    return answers, table


def _payloads(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        magic, length = struct.unpack_from("<II", data, position)
        payload = data[position + 8 : position + 8 + length]
        if magic != _MAGIC or len(payload) != length:
            raise ValueError(f"no whole record at byte {position}")
        yield payload
        position += 8 + length + (-length % 4)


def _tensor(entry: bytes) -> bytes:
    """Return the packed numbers of a map's entry: key, then Value, then Float32Tensor, then values."""
    value = dict(_fields(entry))[2]
    return dict(_fields(dict(_fields(value))[2]))[1]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and content of each field of a protobuf message that holds nothing but such fields."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        if key & 7 != _LENGTH_DELIMITED:
            raise ValueError(f"a field of wire type {key & 7}")
        length, position = _varint(message, position)
        yield key >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
