"""RecordIO-protobuf (application/x-recordio-protobuf), read and written without a protobuf library.

A file is a sequence of frames `<u32 0xCED7230A><u32 length><bytes><zero padding to 4>`, little endian; each holds
one `aialgs.data.Record`: features = map field 1, label = map field 2, of name -> Value. A Value holds one tensor:
float32 = field 2, float64 = 3, int32 = 7, each with packed values = 1, keys = 2 (present when sparse) and
shape = 3. Source: developer guide cdf-training. The writer gives the bytes of AWS's own
`write_numpy_to_dense_tensor` (SDK v2).
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAGIC = 0xCED7230A
_FLOAT32, _FLOAT64, _INT32 = 2, 3, 7
_FLOATS = {_FLOAT32: "<f4", _FLOAT64: "<f8"}
#: of a sparse tensor, made dense: its shape is a claim of whoever wrote it
_LARGEST_ROW = 1 << 26
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class RecordError(ValueError):
    """The bytes are not RecordIO-protobuf as SageMaker's algorithms read it."""


@dataclass(frozen=True)
class Tensor:
    """Values in row-major order; `keys` are the positions of the values when it is sparse."""

    values: NDArray[Any]
    keys: NDArray[np.uint64] | None = None
    shape: tuple[int, ...] = ()

    def dense(self) -> NDArray[Any]:
        """All values in a row, zeros included."""
        if self.keys is None:
            return self.values
        if not self.shape:
            raise RecordError("a sparse tensor without a shape")
        size = math.prod(self.shape)
        if size > _LARGEST_ROW:
            raise RecordError(f"a sparse tensor of {size} numbers where {_LARGEST_ROW} is the most")
        if len(self.keys) != len(self.values):
            raise RecordError(f"a sparse tensor with {len(self.keys)} keys and {len(self.values)} values")
        if len(self.keys) and int(self.keys.max()) >= size:
            raise RecordError(f"a sparse tensor of {size} numbers with the key {int(self.keys.max())}")
        row = np.zeros(size, self.values.dtype)
        row[self.keys.astype(np.int64)] = self.values
        return row


@dataclass(frozen=True)
class Record:
    """One example."""

    features: dict[str, Tensor]
    label: dict[str, Tensor]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(payload)) + payload


def encode_value(values: ArrayLike) -> bytes:
    """A dense Value: floats keep their width, integers become an int32 tensor."""
    array = np.asarray(values)
    if np.issubdtype(array.dtype, np.integer):
        # protobuf writes a negative int32 as the 64-bit two's complement
        number, packed = _INT32, b"".join(_varint(int(each) & 0xFFFF_FFFF_FFFF_FFFF) for each in array.ravel())
    elif array.dtype == np.float64:
        number, packed = _FLOAT64, array.astype("<f8").tobytes()
    else:
        number, packed = _FLOAT32, array.astype("<f4").tobytes()
    return _field(number, _field(1, packed))


def encode(features: Mapping[str, ArrayLike], label: Mapping[str, ArrayLike]) -> bytes:
    """One Record message, without its frame."""
    return b"".join(
        _field(number, _field(1, name.encode()) + _field(2, encode_value(values)))
        for number, tensors in ((1, features), (2, label))
        for name, values in tensors.items()
    )


def frame(record: bytes) -> bytes:
    """One message in its RecordIO frame."""
    return struct.pack("<II", MAGIC, len(record)) + record + b"\0" * (-len(record) % 4)


def frames(data: bytes) -> Iterator[bytes]:
    """The messages of a file. Raises RecordError at the first thing that is not a frame."""
    position = 0
    while position < len(data):
        if len(data) - position < 8:
            raise RecordError("the file ends within a record header")
        magic, length = struct.unpack_from("<II", data, position)
        if magic != MAGIC:
            raise RecordError(f"no RecordIO magic number at byte {position}")
        start = position + 8
        if start + length > len(data):
            raise RecordError("the file ends within a record")
        yield data[start : start + length]
        position = start + length + (-length % 4)


class _Reader:
    """Walks over the fields of one protobuf message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def varint(self) -> int:
        shift = value = 0
        while True:
            if self._at >= len(self._data) or shift > 63:
                raise RecordError("a broken number in a record")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def more(self) -> bool:
        return self._at < len(self._data)

    def fields(self) -> Iterator[tuple[int, int, bytes, int]]:
        """(field number, wire type, bytes, number): bytes for all types but varint."""
        while self.more():
            key = self.varint()
            number, wire = key >> 3, key & 7
            if wire == _VARINT:
                yield number, wire, b"", self.varint()
                continue
            if wire == _BYTES:
                length = self.varint()
            elif wire in (_FIXED32, _FIXED64):
                length = 4 if wire == _FIXED32 else 8
            else:
                raise RecordError(f"a field of unknown wire type {wire}")
            payload = self._data[self._at : self._at + length]
            if len(payload) != length:
                raise RecordError("a record ends within a field")
            self._at += length
            yield number, wire, payload, 0


def _integers(wire: int, payload: bytes, number: int) -> list[int]:
    """A repeated integer field, packed or not."""
    if wire == _VARINT:
        return [number]
    reader = _Reader(payload)
    found = []
    while reader.more():
        found.append(reader.varint())
    return found


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _tensor(kind: int, data: bytes) -> Tensor:
    floats: list[bytes] = []
    integers: list[int] = []
    keys: list[int] = []
    shape: list[int] = []
    sparse = False
    for number, wire, payload, value in _Reader(data).fields():
        if number == 1 and kind in _FLOATS:
            floats.append(payload)
        elif number == 1:
            integers += [_signed(each) for each in _integers(wire, payload, value)]
        elif number == 2:
            sparse = True
            keys += _integers(wire, payload, value)
        elif number == 3:
            shape += _integers(wire, payload, value)
    if kind in _FLOATS:
        packed = b"".join(floats)
        if len(packed) % np.dtype(_FLOATS[kind]).itemsize:
            raise RecordError("a tensor ends within a number")
        values: NDArray[Any] = np.frombuffer(packed, _FLOATS[kind])
    else:
        values = np.array(integers, np.int64).astype(np.int32)
    return Tensor(values, np.array(keys, np.uint64) if sparse else None, tuple(shape))


def _value(data: bytes) -> Tensor:
    for number, _, payload, _ in _Reader(data).fields():
        if number in (_FLOAT32, _FLOAT64, _INT32):
            return _tensor(number, payload)
    raise RecordError("a value that holds no float32, float64 or int32 tensor")


def decode(record: bytes) -> Record:
    """One Record message. Raises RecordError."""
    maps: dict[int, dict[str, Tensor]] = {1: {}, 2: {}}
    for number, _, payload, _ in _Reader(record).fields():
        if number in maps:
            entry = {field: content for field, _, content, _ in _Reader(payload).fields()}
            if 2 not in entry:
                raise RecordError("a map entry without a value")
            maps[number][entry.get(1, b"").decode("utf-8", "replace")] = _value(entry[2])
    return Record(maps[1], maps[2])


def read_matrix(data: bytes, *, only_float32: bool = False) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """The `values` features of all records as rows, and their labels (None when no record has one).

    Raises RecordError, which names the record, also when rows differ in length or only some have a label, and for
    other tensors than float32 when `only_float32`.
    """
    rows: list[NDArray[Any]] = []
    labels: list[float] = []
    messages = frames(data)
    while True:
        try:
            message = next(messages, None)
            if message is None:
                break
            features, label = _row(message, only_float32)
            if rows and features.size != rows[0].size:
                raise RecordError(f"records with different numbers of features: {features.size} and {rows[0].size}")
            if rows and (label is None) == bool(labels):
                raise RecordError("some records have a label and some do not")
        except RecordError as error:
            raise RecordError(f"record {len(rows) + 1}: {error}") from error
        rows.append(features)
        if label is not None:
            labels.append(label)
    matrix = np.stack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)
    return matrix, np.array(labels, np.float32) if labels else None


def _row(message: bytes, only_float32: bool) -> tuple[NDArray[Any], float | None]:
    """Features and label of one record. Raises RecordError."""
    record = decode(message)
    if "values" not in record.features:
        raise RecordError("a record without features named values")
    features, label = record.features["values"], record.label.get("values")
    for tensor in (features, label) if only_float32 else ():
        if tensor is not None and tensor.values.dtype != np.float32:
            raise RecordError(f"a {tensor.values.dtype} tensor where only float32 is supported")
    return features.dense(), float(label.values[0]) if label is not None and label.values.size else None


def write_matrix(features: NDArray[Any], labels: NDArray[Any] | None = None) -> bytes:
    """Rows (and their labels) as frames."""
    return b"".join(
        frame(encode({"values": row}, {} if labels is None else {"values": labels[index : index + 1]}))
        for index, row in enumerate(features)
    )
