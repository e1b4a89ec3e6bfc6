"""A test split through a model: batches, replies, the verdict and how it is shown."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

from operations import plots
from operations.evaluation import (
    About,
    Confusion,
    Evaluation,
    EvaluationError,
    describe_prediction,
    evaluate,
    parse_predictions,
    render_digit,
    render_terminal,
    sample_row,
    to_json,
)
from operations.evaluation.rows import batches, labelled_rows

WORKLOADS = Path(__file__).parents[2] / "assets" / "workloads"


@dataclass(frozen=True)
class Block:
    """An ``evaluate`` block."""

    positive: str
    negative: str
    score: str
    threshold: float
    batch_rows: int


def block(workload: str) -> Block:
    """Return the ``evaluate`` block of a workload that ships."""
    return Block(**yaml.safe_load((WORKLOADS / workload / "workload.yaml").read_text())["evaluate"])


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
def test_replies_of_another_form_fail_with_a_sentence(spec: Block, reply: bytes, says: str) -> None:
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


# --- how it is shown ----------------------------------------------------------------------------------------------


# The numbers that the tutorial prints for the public table.
TUTORIAL = Evaluation(
    workload="bank",
    positive="Purchase",
    negative="No Purchase",
    threshold=0.5,
    origin="public",
    source="UCI Bank Marketing",
    confusion=Confusion(true_negative=10785, false_positive=151, false_negative=1124, true_positive=297),
    auc=0.77,
    requests=25,
)


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(what)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_terminal_shows_the_tutorials_table() -> None:
    text = printed(render_terminal(TUTORIAL))
    assert "Overall Classification Rate: 89.7%" in text
    rows = {line.strip().split("  ")[0]: line.split() for line in text.splitlines() if line.strip()}
    lines = [line.split() for line in text.splitlines()]
    assert ["No", "Purchase", "90.6%", "(10,785)", "33.7%", "(151)", "10,936"] in lines
    assert ["Purchase", "9.4%", "(1,124)", "66.3%", "(297)", "1,421"] in lines
    assert rows["Precision"][1] == "66.3%"
    assert rows["Recall"][1] == "20.9%"
    assert rows["F1"][1] == "0.318"
    assert rows["AUC"][1] == "0.770"
    assert rows["Observed rate"][2] == "11.5%"
    assert rows["Baseline"][1] == "88.5%"
    assert "generated" not in text.lower()


def test_generated_data_is_named_in_the_title_and_beside_its_source() -> None:
    text = printed(render_terminal(replace(TUTORIAL, origin="generated", source="8,000 invented clients")))
    title, source, *_ = text.splitlines()
    assert title.strip().endswith("(generated data)")
    assert source.startswith("GENERATED DATA: 8,000 invented clients")


def test_rates_that_do_not_exist_are_shown_as_a_dash() -> None:
    empty = replace(TUTORIAL, confusion=Confusion(5, 0, 0, 0), auc=None)
    text = printed(render_terminal(empty))
    assert [line.split()[1] for line in text.splitlines() if line.strip().startswith(("Precision", "AUC"))] == [
        "-",
        "-",
    ]
    document = to_json(empty)
    assert (document["precision"], document["auc"], document["accuracy"]) == (None, None, 1.0)


def test_markup_in_class_names_is_shown_as_it_is() -> None:
    assert "[bold]yes" in printed(render_terminal(replace(TUTORIAL, positive="[bold]yes")))


def test_json_holds_counts_rates_and_the_origin() -> None:
    document = json.loads(json.dumps(to_json(replace(TUTORIAL, origin="generated"))))
    assert document["confusion"] == {
        "true_negative": 10785,
        "false_positive": 151,
        "false_negative": 1124,
        "true_positive": 297,
    }
    assert document["rows"] == 12357
    assert document["support"] == {"negative": 10936, "positive": 1421}
    assert document["accuracy"] == pytest.approx(0.8968, abs=1e-4)
    assert document["data"]["generated"] is True
    assert "generated data" in document["title"]


def drawn_text(monkeypatch: pytest.MonkeyPatch, result: Evaluation, path: Path) -> list[str]:
    """Draw, and return every text that the figure holds, by keeping the figure that is saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, target: Path) -> None:
        figures.append(figure)
        save(figure, target)

    monkeypatch.setattr(Figure, "savefig", keep)
    plots.write_png(result, path)
    texts = [text.get_text() for text in figures[0].texts]
    return texts + [text.get_text() for axes in figures[0].axes for text in axes.texts]


def test_the_png_shows_counts_and_says_when_data_is_generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "confusion.png"
    texts = drawn_text(monkeypatch, replace(TUTORIAL, origin="generated"), path)
    assert {"10,785", "151", "1,124", "297", "0.897", "0.209"} <= set(texts)
    assert any(text.startswith("generated data") for text in texts)
    with Image.open(path) as image:
        assert image.size == (960, 900)
        assert len(image.convert("L").getcolors(256) or []) > 20
    texts = drawn_text(monkeypatch, TUTORIAL, path)
    assert not any("generated" in text for text in texts)


def test_a_png_of_a_model_that_never_says_yes_can_be_drawn(tmp_path: Path) -> None:
    plots.write_png(replace(TUTORIAL, confusion=Confusion(90, 0, 10, 0), auc=None), tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 10_000


# --- pictures of digits -------------------------------------------------------------------------------------------

CROSS = b"1,0,1,0,1,0,1,0,1"


def test_a_picture_without_colours_uses_two_pixels_per_line() -> None:
    assert [line.rstrip() for line in printed(render_digit(CROSS, (3, 3))).splitlines()] == ["▀▄▀", "▀ ▀"]


def test_a_picture_with_colours_paints_both_halves_of_each_character() -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system="truecolor")
    console.print(render_digit(b"1,0,0.5,0", (2, 2)))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert file.getvalue().startswith("\x1b[38;2;255;255;255;48;2;128;128;128m▀")


def test_a_picture_can_be_written_as_png(tmp_path: Path) -> None:
    plots.write_digit_png(CROSS, (3, 3), tmp_path / "digit.png", "is a zero (score 0.99)")
    with Image.open(tmp_path / "digit.png") as image:
        grey = image.convert("L")
        width, height = grey.size
        assert grey.getpixel((width // 2, int(height * 0.57))) == 0  # the cross has ink in its middle
        assert grey.getpixel((width // 2, int(height * 0.32))) == 255  # and none above it


@pytest.mark.parametrize(
    ("row", "says"), [(b"1,2", "has 2 features; a picture has 3 x 3"), (b"a,b", "the row is not a picture")]
)
def test_a_row_that_is_no_picture_is_refused(row: bytes, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        render_digit(row, (3, 3))
