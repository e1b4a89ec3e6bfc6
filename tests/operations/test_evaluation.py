"""A test split through a model: batches, replies, the verdict and how it is shown."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from operations.evaluation import (
    About,
    Binary,
    Confusion,
    Evaluation,
    EvaluationError,
    describe_prediction,
    evaluate,
    parse_predictions,
    sample_row,
    spec_of,
)
from operations.evaluation.rows import batches, labelled_rows
from sandcastle.config.workload import EvaluateSpec

WORKLOADS = Path(__file__).parents[2] / "assets" / "workloads"


def block(workload: str) -> Binary:
    """Return the ``evaluate`` block of a workload that ships."""
    written = yaml.safe_load((WORKLOADS / workload / "workload.yaml").read_text())["evaluate"]
    spec = spec_of(EvaluateSpec.model_validate(written))
    assert isinstance(spec, Binary)
    return spec


BANK = block("bank")
ZERO = block("mnist-linear")
TWO_COLUMNS = About(origin="generated", source="invented rows", features=("a", "b"))


def score_is_a(body: bytes) -> bytes:
    """A model that answers the first feature of each row, as built-in XGBoost writes it."""
    return b"".join(line.split(b",")[0] + b"\n" for line in body.splitlines())


def table(rows: list[tuple[int, float]]) -> bytes:
    return "".join(f"{label},{score},7\n" for label, score in rows).encode()


# --- a real model -------------------------------------------------------------------------------------------------


def test_a_real_model_gets_the_verdict_that_scikit_learn_gives() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

    digits = load_digits()
    features, labels = digits.data, (digits.target == 0).astype(int)
    model = LogisticRegression(max_iter=500).fit(features[:900], labels[:900])

    def endpoint(body: bytes) -> bytes:
        scores = model.predict_proba(np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2))[:, 1]
        answers = [{"score": float(score), "predicted_label": int(score > 0.5)} for score in scores]
        return json.dumps({"predictions": answers}).encode()

    rows = "".join(
        ",".join(f"{number:g}" for number in (label, *row)) + "\n"
        for label, row in zip(labels[900:], features[900:], strict=True)
    )
    about = About("real", "scikit-learn", tuple(f"pixel_{number}" for number in range(64)))
    verdict = evaluate("mnist-linear", rows.encode(), about, ZERO, endpoint)
    assert isinstance(verdict, Evaluation)

    scores = model.predict_proba(features[900:])[:, 1]
    (tn, fp), (fn, tp) = confusion_matrix(labels[900:], scores >= 0.5)
    assert verdict.confusion == Confusion(tn, fp, fn, tp)
    assert verdict.confusion.f1 == pytest.approx(f1_score(labels[900:], scores >= 0.5))
    assert verdict.auc == pytest.approx(roc_auc_score(labels[900:], scores))
    assert verdict.requests == 9  # 897 rows, 100 a request


# --- rows and batches ---------------------------------------------------------------------------------------------


@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10**6)), min_size=1, max_size=50),
    batch_rows=st.integers(1, 12),
    max_bytes=st.integers(1, 60),
)
def test_every_row_is_sent_once_in_order_and_no_request_is_too_large(
    rows: list[tuple[int, int]], batch_rows: int, max_bytes: int
) -> None:
    lines = [(label, str(number).encode()) for label, number in rows]
    packed = list(batches(iter(lines), batch_rows, max_bytes))
    together = [pair for batch in packed for pair in zip(batch.labels, batch.body.split(b"\n"), strict=True)]
    assert together == lines
    for batch in packed:
        assert len(batch.labels) <= batch_rows
        assert len(batch.body) <= max_bytes or len(batch.labels) == 1


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100).map(lambda n: n / 100)), min_size=1, max_size=40))
def test_the_size_of_a_request_does_not_change_the_verdict(rows: list[tuple[int, float]]) -> None:
    small, large = (
        evaluate("bank", table(rows), TWO_COLUMNS, replace(BANK, batch_rows=count), score_is_a) for count in (3, 1000)
    )
    assert isinstance(small, Evaluation)
    assert isinstance(large, Evaluation)
    assert small.confusion == large.confusion
    assert small.auc == large.auc
    assert (small.requests, large.requests) == (-(-len(rows) // 3), 1)


def test_the_label_never_reaches_the_endpoint() -> None:
    seen: list[bytes] = []

    def endpoint(body: bytes) -> bytes:
        seen.append(body)
        return score_is_a(body)

    evaluate("bank", b"1,0.25,8\n0,0.75,9\n", TWO_COLUMNS, BANK, endpoint)
    assert seen == [b"0.25,8\n0.75,9"]


def test_rows_may_be_bytes_or_lines_with_any_line_end_and_blank_lines() -> None:
    expected = [(1, b"0.2,7"), (0, b"0.9,7")]
    assert list(labelled_rows(b"1,0.2,7\r\n\n0,0.9,7")) == expected
    assert list(labelled_rows([b"1,0.2,7\n", b"\n", b"0,0.9,7\n"])) == expected


def test_progress_is_told_after_every_request() -> None:
    told: list[int] = []
    spec = replace(BANK, batch_rows=2)
    evaluate("bank", table([(0, 0.1)] * 5), TWO_COLUMNS, spec, score_is_a, told.append)
    assert told == [2, 4, 5]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no rows"),
        (b"\n\n", "holds no rows"),
        (b"y_yes,a,b\n1,2,3\n", "row 1 of the test split starts with 'y_yes' where the label 0 or 1 belongs"),
        (b"0,1,2\n2,1,2\n", "row 2 of the test split starts with '2'"),
        (b"0,1,2\n1,1\n", "row 2 of the test split has 1 features, not 2"),
        (b"0,1,2,3\n", "row 1 of the test split has 3 features, not 2"),
        (b"0\n", "row 1 of the test split has 0 features, not 2"),
    ],
)
def test_a_damaged_test_split_is_named_by_its_row(content: bytes, says: str) -> None:
    with pytest.raises(EvaluationError) as error:
        evaluate("bank", content, TWO_COLUMNS, BANK, score_is_a)
    assert says in str(error.value)


def test_a_batch_of_no_rows_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at least 1"):
        evaluate("bank", b"0,1,2\n", TWO_COLUMNS, replace(BANK, batch_rows=0), score_is_a)


def test_a_row_can_be_picked_by_its_number() -> None:
    content = b"0,1,2\n1,3,4\n"
    assert sample_row(content, 1) == (b"1,2", 0)
    assert sample_row(content, 2) == (b"3,4", 1)
    for number in (0, 3, -1):
        with pytest.raises(EvaluationError, match=f"no test row {number}; the rows are numbered 1 to 2"):
            sample_row(content, number)


# --- replies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply", [b"0.25\n0.75\n", b"0.25,0.75", b"0.25\n0.75", b" 0.25 , 0.75 \n", b"0.25\r\n7.5e-1\r\n"]
)
def test_csv_replies_are_read_in_every_form_that_xgboost_has_used(reply: bytes) -> None:
    assert [answer.score for answer in parse_predictions(BANK, reply)] == [0.25, 0.75]


def test_json_replies_are_read_and_the_threshold_itself_is_positive() -> None:
    reply = json.dumps({"predictions": [{"score": score, "predicted_label": 1} for score in (0.4999, 0.5, 1)]})
    answers = parse_predictions(ZERO, reply.encode())
    assert [answer.text for answer in answers] == ["is not a zero", "is a zero", "is a zero"]
    assert [answer.positive for answer in answers] == [False, True, True]
    assert describe_prediction(ZERO, b'{"predictions": [{"score": 0.98765}]}') == "is a zero (score 0.988)"


@pytest.mark.parametrize(
    ("spec", "reply", "says"),
    [
        (BANK, b"0.5\nyes", "score 2 of the endpoint's reply is not a number: '0.5 yes'"),
        (BANK, b"nan", "is nan, which is not between 0 and 1"),
        (BANK, b"0.5\n1.5", "score 2 of the endpoint's reply is 1.5"),
        (BANK, b"-0.1", "is -0.1"),
        (BANK, b"<html>Bad gateway</html>", "is not a number"),
        (BANK, b"\xff\xfe", "is not a number"),
        (ZERO, b"0.5", "has no list of predictions: '0.5'"),
        (ZERO, b"oops", "is not JSON: 'oops'"),
        (ZERO, b'{"message": "x"}', "has no list of predictions"),
        (
            ZERO,
            b'{"predictions": [{"score": 0.1}, {"scores": 0.2}]}',
            "prediction 2 of the endpoint's reply has no 'score'",
        ),
        (ZERO, b'{"predictions": [0.3]}', "prediction 1 of the endpoint's reply has no 'score'"),
        (ZERO, b'{"predictions": [{"score": true}]}', "is not a number"),
        (ZERO, b'{"predictions": [{"score": [0.1, 0.9]}]}', "is not a number"),
        (replace(BANK, score="xml"), b"0.5", "score: 'xml' is not known; it must be 'csv' or 'json:<field>'"),
    ],
)
def test_replies_of_another_form_fail_with_a_sentence(spec: Binary, reply: bytes, says: str) -> None:
    with pytest.raises(EvaluationError) as error:
        parse_predictions(spec, reply)
    assert says in str(error.value)


def test_a_long_wrong_reply_is_cut() -> None:
    with pytest.raises(EvaluationError) as error:
        parse_predictions(BANK, b"x" * 100_000)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("endpoint", [lambda _: b"", lambda _: b"0.5", lambda body: score_is_a(body) + b"0.5\n"])
def test_answers_that_cannot_be_joined_to_rows_are_refused(endpoint: Callable[[bytes], bytes]) -> None:
    with pytest.raises(EvaluationError, match=r"the endpoint answered \d scores to 2 rows \(request 1\)"):
        evaluate("bank", table([(0, 0.1), (1, 0.9)]), TWO_COLUMNS, BANK, endpoint)


def test_a_reply_without_a_prediction_is_not_described() -> None:
    with pytest.raises(EvaluationError, match="without a single prediction"):
        describe_prediction(BANK, b"\n")


# --- about.json ---------------------------------------------------------------------------------------------------


def test_about_is_read_with_and_without_a_picture() -> None:
    document = {"origin": "real", "source": "s", "features": ["a"], "rows": {}, "label": "l", "classes": ["n", "y"]}
    plain = About.parse(json.dumps(document))
    assert (plain.origin, plain.features, plain.picture, plain.generated) == ("real", ("a",), None, False)
    shown = About.parse(json.dumps(document | {"picture": {"height": 2, "width": 3, "digits": "07"}}).encode())
    assert (shown.picture, shown.digits) == ((2, 3), "07")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"origin": "real", "source": "s", "features": 3}'])
def test_a_damaged_about_fails_with_a_sentence(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"about\.json of the data set is damaged"):
        About.parse(text)
