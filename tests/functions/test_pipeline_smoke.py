"""What a model answers in its smoke test beside what it answered when it was evaluated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pipeline_smoke import WrongAnswer, alike, check, rows_of

from tests.functions.pipeline_deploying import Objects

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "assets" / "pipeline"))

import evaluate_replies

ANSWERS = [
    ('[{"prediction": 7}, {"prediction": 1}]', 2, [{"prediction": 7}, {"prediction": 1}]),
    ('{"predictions": [{"score": 0.5}]}', 1, [{"score": 0.5}]),
    ("Adelie,0.98\nGentoo,1\n", 2, [["Adelie", 0.98], ["Gentoo", 1]]),
    ("0.25\n0.5\n", 2, [[0.25], [0.5]]),
    ("0.25,0.5", 2, [[0.25], [0.5]]),
    ("0.25", 1, [[0.25]]),
    ("", 0, []),
]


@pytest.mark.parametrize(("text", "rows", "found"), ANSWERS)
def test_a_reply_is_read_as_the_evaluation_reads_it(text: str, rows: int, found: list[object]) -> None:
    assert rows_of(text, rows) == found
    assert evaluate_replies.rows_of(text, rows) == found


def test_replies_to_several_requests_stand_one_after_the_other() -> None:
    assert rows_of('[{"a": 1}, {"a": 2}]\n[{"a": 3}]\n', 3) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert rows_of('{"predictions": [{"a": 1}]}{"predictions": [{"a": 2}]}', 2) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"prediction": 7, "confidence": 0.5}, {"prediction": 7, "confidence": 0.5009}, True),
        ({"prediction": 7, "confidence": 0.5}, {"prediction": 7, "confidence": 0.5011}, False),
        ({"prediction": 7}, {"prediction": 8}, False),
        ({"prediction": 7}, {"prediction": 7, "more": 1}, False),
        ({"prediction": 7}, {"prediction": "7"}, False),
        ({"prediction": 1}, {"prediction": True}, False),
        (["Adelie", 1.0], ["Adelie", 1], True),
        (["Adelie", 1.0], ["Adelie"], False),
        ([0.1], [float("nan")], False),
        ([None], [None], True),
    ],
)
def test_answers_are_alike_but_for_the_last_digits_of_numbers(one: object, other: object, same: bool) -> None:
    assert alike(one, other) is same


def objects(rows: str, expected: str, given: str) -> Objects:
    return Objects(
        {"s3://b/f/smoke/input.csv": rows, "s3://b/f/smoke/expected.jsonl": expected, "s3://b/a/input.csv.out": given}
    )


def test_every_row_is_compared() -> None:
    assert check(objects("1,2\n3,4\n", "[0.5]\n[0.25]\n", "0.5\n0.25\n"), "s3://b/f/", "s3://b/a") == 2


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("", "", ""), "expects no answer: nothing would be tested"),
        (("1,2\n3,4\n", "[0.5]\n", "0.5\n"), "2 rows were asked about, 1 answers expected, 1 given"),
        (("1,2\n", "[0.5]\n", "0.5\n0.5\n"), "1 rows were asked about, 1 answers expected, 2 given"),
        (
            ("1,2\n", "[0.5]\n", "0.9\n"),
            r"row 1 of 1 \(1,2\): expected \[0.5\], the model that is to be deployed answers",
        ),
        ((f"{'9,' * 300}9\n", "[0.5]\n", "0.9\n"), r"row 1 of 1 \((9,){100}\.\.\.\)"),
    ],
)
def test_what_differs_is_shown(files: tuple[str, str, str], says: str) -> None:
    with pytest.raises(WrongAnswer, match=says):
        check(objects(*files), "s3://b/f", "s3://b/a/")
