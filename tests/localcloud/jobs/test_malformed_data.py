"""Data that is not what it should be: how channels and requests are read, with file and row, and with status 400."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.localcloud.jobs.runner_modules import load

channels = load("shared", "channels")
payloads = load("shared", "payloads")
recordio = load("shared", "recordio")
sagemaker_io = load("shared", "sagemaker_io")
serving = load("shared", "serving")
RECORDIO, CSV = "application/x-recordio-protobuf", "text/csv"
GOOD = recordio.write_matrix(np.ones((3, 2), np.float32), np.zeros(3, np.float32))
UNREADABLE = "Unable to read data channel 'train'. Requested content-type is '{}'. Please verify the data matches the "


def sparse(size: int, keys: list[int]) -> bytes:
    """A record whose features are a sparse tensor of `size` numbers."""
    packed = b"".join(recordio._varint(key) for key in keys)
    tensor = recordio._field(1, np.ones(len(keys), "<f4").tobytes()) + recordio._field(2, packed)
    tensor += recordio._field(3, recordio._varint(size))
    entry = recordio._field(1, b"values") + recordio._field(2, recordio._field(2, tensor))
    framed: bytes = recordio.frame(recordio._field(1, entry))
    return framed


@pytest.mark.parametrize(
    ("files", "kind", "reason"),
    [
        ({"a": b"1,2,3\n0,1\n"}, CSV, "a: row 2 has 2 columns and the rows before it have 3"),  # cut off
        ({"a": b"1,2,3\n", "b": b"\n1,2,3\n1,2,x\n"}, CSV, "b: row 3: 'x' is not a number"),
        ({"a": b"1,2,3\n", "b": b"1,2\n"}, CSV, "b: it has 1 features and a has 2"),
        ({"a": b"label,age\n1,2\n"}, CSV, "a: row 1: 'label' is not a number"),
        ({"a": b"\xff\xfe1,2"}, CSV, "a: 'utf-8' codec can't decode"),
        ({"a": GOOD, "b": GOOD[:-5]}, RECORDIO, "b: record 3: the file ends within a record"),
        ({"a": GOOD + b"12345678"}, RECORDIO, "a: record 4: no RecordIO magic number at byte"),
        ({"a": GOOD + recordio.frame(b"\x0a\xff")}, RECORDIO, "a: record 4: a broken number in a record"),
        ({"a": recordio.write_matrix(np.ones((2, 2), np.float32))}, RECORDIO, "a: records without a label"),
        (
            {"a": GOOD + recordio.write_matrix(np.ones((1, 3), np.float32), np.zeros(1, np.float32))},
            RECORDIO,
            "a: record 4: records with different numbers of features: 3 and 2",
        ),
        ({"a": sparse(2, [5])}, RECORDIO, "a: record 1: a sparse tensor of 2 numbers with the key 5"),
        ({"a": sparse(1 << 40, [5])}, RECORDIO, "a: record 1: a sparse tensor of 1099511627776 numbers where"),
    ],
)
def test_a_channel_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], kind: str, reason: str
) -> None:
    text = failure_of(tmp_path, monkeypatch, files, kind)
    assert text.startswith(UNREADABLE.format(kind))
    assert f"\n\nCaused by: {reason}" in text


@pytest.mark.parametrize(
    ("files", "kind", "where"),
    [
        ({"a": b"1,2\n", "b": b"1,2\n1,\n"}, CSV, "b, row 2"),
        ({"a": b"1,nan\n"}, CSV, "a, row 1"),
        ({"a": b"inf,1\n"}, CSV, "a, row 1"),
        (
            {"a": recordio.write_matrix(np.array([[1, 2], [1, np.nan]], np.float32), np.zeros(2, np.float32))},
            RECORDIO,
            "a, row 2",
        ),
    ],
)
def test_numbers_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], kind: str, where: str
) -> None:
    text = failure_of(tmp_path, monkeypatch, files, kind)
    assert text == f"The data of channel 'train' contains values that are missing or not finite: {where}."


def failure_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], kind: str) -> str:
    (tmp_path / "train").mkdir()
    for name, content in files.items():
        (tmp_path / "train" / name).write_bytes(content)
    # the modules of the programs import each other by their plain names
    monkeypatch.setitem(channels.data_files.__globals__, "DATA", tmp_path)
    with pytest.raises(channels.UserError) as caught:
        channels.read("train", kind, labelled=True)
    return str(caught.value)


def test_files_that_are_empty_are_no_data_and_no_error_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a").touch()
    monkeypatch.setitem(channels.data_files.__globals__, "DATA", tmp_path)
    assert channels.read("train", CSV, labelled=True).features.shape == (0, 0)
    (tmp_path / "train" / "b").write_text("1,2\n")
    assert channels.read("train", CSV, labelled=True).features.tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("body", "kind", "status", "text"),
    [
        (b"", CSV, 400, "unable to evaluate payload provided: the request holds no rows"),
        (b"", RECORDIO, 400, "unable to evaluate payload provided: the request holds no rows"),
        (b"", "application/json", 400, "unable to parse the request body as application/json: Expecting value"),
        (b"1,2\n1\n", CSV, 400, "unable to parse the request body as text/csv: row 2 has 1 columns"),
        (b"1,x", CSV, 400, "unable to parse the request body as text/csv: row 1: 'x' is not a number"),
        (b"1,2,3", CSV, 400, "unable to evaluate payload provided: each row must have 2 features, not 3"),
        (b"1,2\n1,nan", CSV, 400, "unable to evaluate payload provided: row 2 contains a value that is missing or not"),
        (b"1,", CSV, 400, "unable to evaluate payload provided: row 1 contains a value that is missing or not finite"),
        (
            GOOD[:-3],
            RECORDIO,
            400,
            "unable to parse the request body as application/x-recordio-protobuf: record 3: the",
        ),
        (
            sparse(2, [9]),
            RECORDIO,
            400,
            "unable to parse the request body as application/x-recordio-protobuf: record 1",
        ),
        (
            b'{"instances": [{}]}',
            "application/json",
            400,
            "unable to parse the request body as application/json: 'features'",
        ),
        (b'{"instances": [1]}', "application/json", 400, "unable to parse the request body as application/json: "),
        (
            b'{"instances": [{"features": [1, 2]}, {"features": [1]}]}',
            "application/json",
            400,
            "unable to parse the request body as application/json: row 2 has 1 features and row 1 has 2",
        ),
        (
            b'{"features": [NaN, 1]}',
            "application/jsonlines",
            400,
            "unable to evaluate payload provided: row 1 contains",
        ),
        (b"\xff", CSV, 400, "unable to parse the request body as text/csv: 'utf-8' codec can't decode"),
        (b"1,2", "image/png", 415, "Content type image/png is not supported"),
        (b"1,2", CSV, 200, ""),
    ],
)
def test_an_endpoint_says_what_is_wrong_with_a_request(body: bytes, kind: str, status: int, text: str) -> None:
    """Linear Learner's and K-Means', which answer by the same function."""
    request = payloads.Request(body, kind, "application/json")
    reply = payloads.answer(request, 2, lambda rows: [{"sum": float(row.sum())} for row in rows])
    assert reply.status == status
    if status == 200:
        assert json.loads(reply.body) == {"predictions": [{"sum": 3.0}]}
    else:
        assert reply.body.decode().startswith(text)
