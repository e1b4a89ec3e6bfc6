"""Records of transform jobs: cut, filtered, joined, put together; examples of [DG] batch-transform-data-processing."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from localcloud.sagemaker.transform.paths import NoMatch, Path
from localcloud.sagemaker.transform.payloads import (
    AssembleWith,
    Malformed,
    SplitType,
    TooLarge,
    assemble,
    records,
    requests,
    separator,
)
from localcloud.sagemaker.transform.processing import Processing, Unreadable


def framed(data: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4)


def tf_record(data: bytes) -> bytes:
    return struct.pack("<QI", len(data), 0) + data + bytes(4)


@pytest.mark.parametrize(
    ("strategy", "limit", "expected"),
    [
        ("SingleRecord", 0, [b"aa", b"bb", b"cc"]),
        ("MultiRecord", 0, [b"aa\nbb\ncc"]),
        ("MultiRecord", 5, [b"aa\nbb", b"cc"]),
        ("MultiRecord", 4, [b"aa", b"bb", b"cc"]),
        ("MultiRecord", 2, [b"aa", b"bb", b"cc"]),
    ],
)
def test_lines(strategy: Any, limit: int, expected: list[bytes]) -> None:
    found = requests(records(b"aa\nbb\r\n\ncc\n", "Line"), "Line", strategy, limit)
    assert [separator("Line").join(batch) for batch in found] == expected


@pytest.mark.parametrize(("kind", "frame"), [("RecordIO", framed), ("TFRecord", tf_record)])
def test_frames(kind: SplitType, frame: Any) -> None:
    first, second = frame(b"abcde"), frame(b"")
    assert records(first + second, kind) == [first, second]
    assert list(requests([first, second], kind, "MultiRecord", 0)) == [[first, second]]
    assert list(requests([first, second], kind, "MultiRecord", len(first))) == [[first], [second]]
    assert separator(kind) == b""
    for cut in (first[:-1], first[:6], first + b"x"):
        with pytest.raises(Malformed):
            records(cut, kind)


def test_no_recordio() -> None:
    with pytest.raises(Malformed, match="no RecordIO magic number at byte 12"):
        records(framed(b"abcd") + bytes(8), "RecordIO")


def test_records_that_are_too_large() -> None:
    assert list(requests([b"aa\n"], "None", "MultiRecord", 3)) == [[b"aa\n"]]
    with pytest.raises(TooLarge, match="a payload of 4 bytes"):
        list(requests([b"aaaa"], "Line", "MultiRecord", 3))


@pytest.mark.parametrize(("how", "expected"), [("None", b"a\nb"), ("Line", b"a\nb\n")])
def test_replies_put_together(how: AssembleWith, expected: bytes) -> None:
    assert assemble([b"a\n", b"b"], how) == expected


@pytest.mark.parametrize(
    ("path", "record", "expected"),
    [
        ("$", [1, 2], [1, 2]),
        ("$.a", {"a": {"b": 1}}, {"b": 1}),
        ("$.a.b", {"a": {"b": 1}}, 1),
        ("$['a']", {"a": 1, "b": 2}, 1),
        ("$['a','b']", {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$[1]", [1, 2, 3], 2),
        ("$[-1]", [1, 2, 3], 3),
        ("$[0,-1]", [1, 2, 3], [1, 3]),
        ("$[1,3]", [0, 1, 2, 3], [1, 3]),
        ("$[2:5]", list(range(9)), [2, 3, 4]),
        ("$[1:]", [1, 2, 3], [2, 3]),
        ("$[:2]", [1, 2, 3], [1, 2]),
        ("$.a[0].b", {"a": [{"b": 5}]}, 5),
    ],
)
def test_paths(path: str, record: Any, expected: Any) -> None:
    assert Path(path).select(record) == expected


@pytest.mark.parametrize("path", ["", "a", "$a", "$..a", "$[?(@.a)]", "$[a]", "$.", "$[1:2:3]", "$[]"])
def test_paths_that_are_not_supported(path: str) -> None:
    with pytest.raises(ValueError, match=r"does not begin|is not supported"):
        Path(path)


@pytest.mark.parametrize(("path", "record"), [("$.a", {"b": 1}), ("$.a", [1]), ("$[3]", [1]), ("$[0]", "text")])
def test_paths_without_a_match(path: str, record: Any) -> None:
    with pytest.raises(NoMatch):
        Path(path).select(record)


def made(content_type: str, **config: str) -> Processing:
    found = Processing.of(config, content_type)
    assert found
    return found


def test_csv() -> None:
    joined = made("text/csv", InputFilter="$[1:]", JoinSource="Input")
    assert joined.prepare(b"id1,1,2") == b"1,2"
    assert joined.finish([b"id1,1,2", b"id2,3,4"], b"3.0\n7.0\n") == [b"id1,1,2,3.0", b"id2,3,4,7.0"]
    filtered = made("text/csv; charset=utf-8", JoinSource="Input", OutputFilter="$[0,-1]")
    assert filtered.finish([b'"a,b",1,2'], b"3.0\n") == [b'"a,b",3.0']
    assert made("text/csv", InputFilter="$[0]").prepare(b"a,b") == b"a"


@pytest.mark.parametrize(
    ("record", "reply", "expected"),
    [
        (b'{"key":1}', b'{"label":1}', b'{"key": 1, "SageMakerOutput": {"label": 1}}'),
        (b"[1, 2]", b'{"label":1}', b'{"SageMakerInput": [1, 2], "SageMakerOutput": {"label": 1}}'),
        (b'{"key":1}', b"0.5,1\n", b'{"key": 1, "SageMakerOutput": "0.5,1"}'),
    ],
)
def test_json(record: bytes, reply: bytes, expected: bytes) -> None:
    assert made("application/jsonlines", JoinSource="Input").finish([record], reply) == [expected]


def test_json_filters() -> None:
    both = made(
        "application/json", InputFilter="$.features", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']"
    )
    record = b'{"id": 7, "features": [1, 2]}'
    assert both.prepare(record) == b"[1, 2]"
    assert both.finish([record], b'{"score": 0.5}') == [b'{"id": 7, "SageMakerOutput": {"score": 0.5}}']


def test_what_cannot_be_processed() -> None:
    assert Processing.of({"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}, "image/png") is None
    with pytest.raises(Unreadable, match="a record is no JSON"):
        made("application/json", InputFilter="$.a").prepare(b"{")
    with pytest.raises(Unreadable, match=r"\$\.a selects nothing of the record"):
        made("application/json", InputFilter="$.a").prepare(b"{}")
    with pytest.raises(Unreadable, match="the model gave 1 predictions for 2 records"):
        made("text/csv", JoinSource="Input").finish([b"1", b"2"], b"3\n")
