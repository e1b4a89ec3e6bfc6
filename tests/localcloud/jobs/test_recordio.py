"""RecordIO-protobuf: bytes worked out by hand, round trips of anything, and refusals."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.localcloud.jobs.runner_modules import load

recordio = load("shared", "recordio")

# features [1.0, 2.0] and label [1.0], tag by tag from the message definition in recordio.py
_FEATURES = bytes.fromhex("0a160a0676616c756573120c120a0a080000803f00000040")
_LABEL = bytes.fromhex("12120a0676616c756573120812060a040000803f")
_FRAMED = bytes.fromhex("0a23d7ce2c000000") + _FEATURES + _LABEL


def test_float32_bytes() -> None:
    written = recordio.write_matrix(np.array([[1, 2]], np.float32), np.array([1], np.float32))
    assert written == _FRAMED


def test_integers_become_int32_as_in_the_sdk() -> None:
    # Value.int32_tensor is field 7 (tag 0x3a); -1 is ten bytes of 64-bit two's complement
    expected = bytes.fromhex("3a0d0a0b05ffffffffffffffffff01")
    assert recordio.encode_value(np.array([5, -1])) == expected
    decoded = recordio.decode(recordio.encode({"values": np.array([5, -1])}, {}))
    assert decoded.features["values"].values.tolist() == [5, -1]


def test_frames_are_padded_to_four_bytes() -> None:
    framed = recordio.frame(b"12345")
    assert framed == struct.pack("<II", 0xCED7230A, 5) + b"12345\0\0\0"
    assert list(recordio.frames(framed * 2)) == [b"12345", b"12345"]


def test_sparse_rows_become_dense() -> None:
    # float32 tensor: values 1.5 and 2.5, keys 3 and 0, shape 5
    tensor = bytes.fromhex("0a080000c03f00002040120203001a0105")
    value = bytes([0x12, len(tensor)]) + tensor
    entry = bytes.fromhex("0a0676616c756573") + bytes([0x12, len(value)]) + value
    matrix, labels = recordio.read_matrix(recordio.frame(bytes([0x0A, len(entry)]) + entry))
    assert matrix.tolist() == [[2.5, 0, 0, 1.5, 0]]
    assert labels is None


_floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=_floats), st.data())
def test_matrices_survive(matrix: np.ndarray, data: st.DataObject) -> None:
    labels = data.draw(st.none() | arrays.arrays(np.float32, len(matrix), elements=_floats))
    read, read_labels = recordio.read_matrix(recordio.write_matrix(matrix, labels))
    np.testing.assert_array_equal(read, matrix)
    if labels is None:
        assert read_labels is None
    else:
        np.testing.assert_array_equal(read_labels, labels)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        arrays.arrays(np.int32, st.integers(0, 6))
        | arrays.arrays(np.float64, st.integers(0, 6), elements=st.floats(allow_nan=False)),
        max_size=3,
    )
)
def test_records_survive(tensors: dict[str, np.ndarray]) -> None:
    record = recordio.decode(recordio.encode(tensors, tensors))
    for found in (record.features, record.label):
        assert set(found) == set(tensors)
        for name, values in tensors.items():
            np.testing.assert_array_equal(found[name].values, values)


@given(st.binary(max_size=80))
def test_garbage_is_refused_by_name(garbage: bytes) -> None:
    for read in (recordio.read_matrix, recordio.decode):
        with contextlib.suppress(recordio.RecordError):  # the one error a caller has to know
            read(garbage)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\0\0\0\0\0", "no RecordIO magic number at byte 0"),
        (_FRAMED[:6], "ends within a record header"),
        (_FRAMED[:-1], "ends within a record"),
        (recordio.frame(b""), "without features named values"),
        (recordio.frame(_FEATURES) + _FRAMED, "some records have a label and some do not"),
        (_FRAMED + recordio.write_matrix(np.ones((1, 3), np.float32)), "different numbers of features"),
        (recordio.frame(b"\x0a\xff"), "broken number"),
        (recordio.frame(b"\x0a\x10abc"), "ends within a field"),
        (recordio.frame(b"\x0b"), "unknown wire type"),
    ],
)
def test_refusals(data: bytes, message: str) -> None:
    with pytest.raises(recordio.RecordError, match=message):
        recordio.read_matrix(data)


def test_only_float32_where_asked() -> None:
    data = recordio.write_matrix(np.ones((1, 2), np.float64))
    assert recordio.read_matrix(data)[0].dtype == np.float32
    with pytest.raises(recordio.RecordError, match="float64 tensor where only float32"):
        recordio.read_matrix(data, only_float32=True)
