"""The RecordIO-protobuf writer against bytes of AWS's own, and against a reader written from the specification."""

from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from .conftest import load_program

recordio = load_program("shared/recordio.py")

# Made with sagemaker-training 5.1.4 (recordio._write_numpy_to_dense_tensor), which AWS's containers read.
FEATURES = np.array([[0.0, 1.0, -2.5], [0.25, 3e38, 1e-7]], dtype=np.float32)
LABELS = np.array([1.0, 0.0], dtype=np.float32)
LABELLED = (
    "0a23d7ce300000000a1a0a0676616c7565731210120e0a0c000000000000803f000020c0"
    "12120a0676616c756573120812060a040000803f"
    "0a23d7ce300000000a1a0a0676616c7565731210120e0a0c0000803ee6b1617f95bfd633"
    "12120a0676616c756573120812060a0400000000"
)
UNLABELLED = (
    "0a23d7ce1c0000000a1a0a0676616c7565731210120e0a0c000000000000803f000020c0"
    "0a23d7ce1c0000000a1a0a0676616c7565731210120e0a0c0000803ee6b1617f95bfd633"
)
PICTURES_SHA256 = "da2891fdbc18e808a8c0cca73974184bd89a411846b9883949fe271a3d9a1fa3"


def written(features: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> bytes:
    file = io.BytesIO()
    recordio.write_records(file, features, labels)
    return file.getvalue()


def test_the_bytes_are_those_of_the_reference_writer() -> None:
    assert written(FEATURES, LABELS).hex() == LABELLED
    assert written(FEATURES).hex() == UNLABELLED


def test_rows_as_long_as_pictures_need_longer_length_fields_and_match_too() -> None:
    pictures = np.random.RandomState(7).rand(50, 784).astype(np.float32)
    labels = (np.arange(50) % 3 == 0).astype(np.float32)
    assert hashlib.sha256(written(pictures, labels)).hexdigest() == PICTURES_SHA256


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """Decode a protobuf message that holds only length-delimited fields (protobuf encoding guide)."""
    found, position = [], 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        assert key & 7 == 2
        length = varint()
        found.append((key >> 3, message[position : position + length]))
        position += length
    return found


def read(data: bytes) -> list[dict[int, list[float]]]:
    """Return per record the numbers of its features (1) and label (2)."""
    records, position = [], 0
    while position < len(data):
        magic, length = struct.unpack_from("<II", data, position)
        assert magic == 0xCED7230A
        payload = data[position + 8 : position + 8 + length]
        padded = length + (-length % 4)
        assert data[position + 8 + length : position + 8 + padded] == bytes(padded - length)
        position += 8 + padded
        record = {}
        for number, entry in fields(payload):
            name, value = fields(entry)
            assert name == (1, b"values")
            [(kind, tensor)] = fields(value[1])
            assert kind == 2  # Float32Tensor
            numbers = b"".join(content for _, content in fields(tensor))
            record[number] = list(np.frombuffer(numbers, "<f4"))
        records.append(record)
    return records


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 6), st.integers(1, 70)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    st.data(),
)
def test_what_is_written_can_be_read_back(features: np.ndarray, data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=len(features), max_size=len(features)))
    records = read(written(features, np.array(labels)))
    assert [record[1] for record in records] == features.tolist()
    assert [record[2] for record in records] == [[label] for label in labels]


def test_other_number_types_are_converted_and_other_layouts_too() -> None:
    as_float64_by_column = np.asfortranarray(FEATURES.astype(np.float64))
    assert written(as_float64_by_column, [1, 0]).hex() == LABELLED


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.zeros(3), None),
        (np.zeros((2, 2, 2)), None),
        (np.zeros((2, 3)), np.zeros(3)),
        (np.zeros((2, 3)), np.zeros((2, 1))),
        (np.array([[np.nan]]), None),
        (np.array([[0.0]]), np.array([np.inf])),
    ],
)
def test_wrong_shapes_and_numbers_that_are_not_finite_are_refused(
    features: npt.ArrayLike, labels: npt.ArrayLike | None
) -> None:
    with pytest.raises(ValueError, match=r"shape|finite"):
        written(features, labels)
