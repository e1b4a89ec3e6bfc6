"""What `sandcastle traffic` sends and what `sandcastle truth` says: rows, changes and labels, without an endpoint."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from statistics import fmean, pstdev

import pytest

from operations import cli
from operations.errors import OperationError, UsageError
from operations.evaluation import Binary, Clusters, Multiclass
from operations.traffic import amounts
from operations.traffic.capture import Event
from operations.traffic.changes import UNSEEN, Changes
from operations.traffic.labels import Labeller, Without
from operations.traffic.samples import Split, requests
from operations.traffic.send import Tally

FEATURES = ("age", "height", "island", "constant")
ROWS = [[str(20 + n % 50), f"{1.5 + n % 7 / 10:.2f}", "ABC"[n % 3], "3"] for n in range(300)]
SPLIT = Split.of("\n".join(f"{n % 2},{','.join(row)}" for n, row in enumerate(ROWS)).encode())
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def sent(changes: Changes, count: int = 1200, seed: int = 1) -> list[list[str]]:
    """The cells of so many requests."""
    found = requests(SPLIT, changes, seed=seed, run=1, count=count)
    return [request.body.decode().split(",") for request in found]


def column(rows: list[list[str]], place: int) -> list[float]:
    return [float(row[place]) for row in rows]


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (amounts.rate, "20", 20.0),
        (amounts.rate, "90/m", 1.5),
        (amounts.rate, "1800/h", 0.5),
        (amounts.length, "2h", 7200.0),
        (amounts.length, "0s", 0.0),
        (amounts.some_time, "1.5d", 129600.0),
        (amounts.share, "80%", 0.8),
        (amounts.share, "0.25", 0.25),
    ],
)
def test_amounts_are_read_as_people_write_them(read: Callable[[str], float], text: str, value: float) -> None:
    assert read(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "text"),
    [(amounts.rate, "0"), (amounts.rate, "20/d"), (amounts.length, "2"), (amounts.some_time, "0m"),
     (amounts.share, "120%"), (amounts.share, "-1"), (amounts.share, "much")],
)  # fmt: skip
def test_other_amounts_are_refused(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=text):
        read(text)


def test_every_row_comes_once_before_any_comes_again() -> None:
    assert set(Counter(map(tuple, sent(Changes(), 3 * len(ROWS)))).values()) == {
        3 * n for n in set(Counter(map(tuple, ROWS)).values())
    }
    assert sent(Changes(), 50) != sent(Changes(), 100)[50:]


def test_a_seed_gives_the_same_requests_and_another_one_others() -> None:
    changes = Changes.read(FEATURES, ROWS, drift=["age=+1sd"], missing=["island=20%"], broken=0.1)
    assert sent(changes, seed=4) == sent(changes, seed=4)
    assert sent(changes, seed=4) != sent(changes, seed=5)


def test_drift_in_percent_and_in_deviations_moves_the_mean_as_far_and_nothing_else() -> None:
    rows = sent(Changes.read(FEATURES, ROWS, drift=["height=-30%", "age=+1sd"]))
    age, height = column(ROWS, 0), column(ROWS, 1)
    assert fmean(column(rows, 1)) == pytest.approx(0.7 * fmean(height), rel=0.001)
    assert fmean(column(rows, 0)) == pytest.approx(fmean(age) + pstdev(age), rel=0.005)
    assert all(cell.isdigit() for cell in (row[0] for row in rows)), "whole numbers stay whole"
    assert Counter(tuple(row[2:]) for row in rows) == {(name, "3"): 400 for name in "ABC"}


def test_small_numbers_are_written_out() -> None:
    """Model Monitor would read 5e-05 as a text."""
    rows = sent(Changes.read(FEATURES, ROWS, drift=["height=-99.997%"]), 50)
    assert all(cell.startswith("0.0000") and float(cell) > 0 for cell in (row[1] for row in rows))


def test_a_star_names_features_and_bounds_hold() -> None:
    rows = sent(Changes.read(FEATURES, ROWS, drift=["*eig*=+500%"], bounds=(0.0, 2.0)), 50)
    assert set(column(rows, 1)) == {2.0}


def test_values_go_missing_and_categories_appear_as_often_as_asked() -> None:
    rows = sent(Changes.read(FEATURES, ROWS, missing=["age=0.1"], new_category=["island=30%"]))
    assert sum(not row[0] for row in rows) == pytest.approx(120, abs=40)
    assert sum(row[2] == UNSEEN for row in rows) == pytest.approx(360, abs=60)


def test_broken_rows_are_counted_and_really_broken() -> None:
    found = list(requests(SPLIT, Changes(broken=0.2), seed=1, run=1, count=1000))
    whole = {",".join(row) for row in ROWS}
    assert all((request.body.decode() in whole) is not bool(request.broken) for request in found)
    assert sum(request.broken for request in found) == pytest.approx(200, abs=50)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"drift": ["aeg=+1sd"]}, "no feature aeg. There are: age"),
        ({"drift": ["age"]}, "expected FEATURE=AMOUNT"),
        ({"drift": ["age=much"]}, "such as +30%, -5% or +1sd"),
        ({"drift": ["island=+1sd"]}, "island holds texts"),
        ({"drift": ["constant=+1sd"]}, "constant is 3 in all test rows"),
        ({"missing": ["age=200%"]}, "expected a share"),
        ({"new_category": ["age=5%"]}, "age holds numbers; columns of texts: island"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(given: dict[str, list[str]], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Changes.read(FEATURES, ROWS, **given)  # type: ignore[arg-type]  # one option at a time
    assert said in str(error.value)


def test_a_request_is_known_again_by_its_id_and_by_no_other_data() -> None:
    (request,) = requests(SPLIT, Changes(), seed=1, run=1_800_000_000, count=1)
    assert request.inference_id is not None
    assert len(request.inference_id) <= 64  # botocore's model of InvokeEndpoint
    cells = request.body.decode().split(",")
    assert SPLIT.label(request.inference_id) in {n % 2 for n, row in enumerate(ROWS) if row == cells}
    assert Split.of(b"0,1,2\n").label(request.inference_id) is None
    assert SPLIT.label("somebody-elses") is None
    (several,) = requests(SPLIT, Changes(), seed=1, run=1, rows=3, count=1)
    assert (several.inference_id, len(several.body.splitlines())) == (None, 3)


def test_a_model_that_refuses_all_that_is_whole_ends_the_traffic() -> None:
    tally, (request,) = Tally(), requests(SPLIT, Changes(), seed=1, run=1, count=1)
    for _ in range(19):
        tally.add(request, "Feature size of csv inference data 58")
    with pytest.raises(OperationError, match=r"refused all 20 requests.*It says: Feature size"):
        tally.add(request, "Feature size of csv inference data 58")
    answered = Tally()
    answered.add(request, None)
    for _ in range(50):
        answered.add(request, "no")
    assert (answered.sent, answered.answered, answered.refused) == (51, 1, 50)


def events(reply: str, count: int = 1000) -> list[Event]:
    """Events of this answer, in which the rows of the split come one after the other."""
    return [Event(SPLIT.identifier(n % len(ROWS), 1, n), NOW, reply.encode()) for n in range(count)]


BINARY = Binary("yes", "no", "csv", 0.5)


def test_true_labels_are_those_of_the_rows_and_noise_makes_so_many_wrong() -> None:
    true = [Labeller(BINARY, (), SPLIT, 1).label(event) for event in events("0.9")]
    assert true == [str(n % len(ROWS) % 2) for n in range(1000)]
    noisy = [Labeller(BINARY, (), SPLIT, 1, noise=0.3).label(event) for event in events("0.9")]
    assert sum(a != b for a, b in zip(true, noisy, strict=True)) == pytest.approx(300, abs=60)


def test_an_accuracy_makes_so_many_answers_right_whoever_asked_in_whatever_order() -> None:
    labeller = Labeller(BINARY, (), SPLIT, 3, accuracy=0.8)
    asked = [Event(f"anybody-{n}", NOW, b"0.7\n") for n in range(1000)]
    labels = {event.identifier: labeller.label(event) for event in asked}
    assert Counter(labels.values())["1"] == pytest.approx(800, abs=60)
    Random(1).shuffle(asked)  # noqa: S311
    assert {event.identifier: labeller.label(event) for event in asked} == labels


@pytest.mark.parametrize(
    ("answer", "labels"),
    [('[{"prediction": "Adelie"}]', {"Adelie", "Gentoo, or so"}), ('[{"prediction": 0}]', {"0", "1"}),
     ('[{"prediction": "1.0"}]', {"0.0", "1.0"})],
)  # fmt: skip
def test_a_label_is_written_as_the_model_writes_its_answers(answer: str, labels: set[str]) -> None:
    labeller = Labeller(Multiclass("json:prediction"), ("Adelie", "Gentoo, or so"), SPLIT, 1)
    said = {str(labeller.label(event)) for event in events(answer, 10)}
    assert said == {f'"{one}"' if "," in one else one for one in labels}


def test_what_has_no_label_says_why() -> None:
    labeller = Labeller(BINARY, (), SPLIT, 1)
    assert labeller.label(Event("foreign", NOW, b"0.5")) is Without.FOREIGN
    assert labeller.label(Event(SPLIT.identifier(1, 1, 1), NOW, b"0.5\n0.6\n")) is Without.SEVERAL
    assert labeller.label(Event(SPLIT.identifier(1, 1, 1), NOW, json.dumps({"a": 1}).encode())) is Without.UNREADABLE
    assert labeller.label(Event(SPLIT.identifier(1, 1, 1), NOW, b"")) is Without.UNREADABLE
    with pytest.raises(UsageError, match="clusters"):
        Labeller(Clusters("json:closest_cluster"), (), SPLIT, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["traffic", "bank", "--rate", "fast"], "--rate: fast"),
        (["traffic", "bank", "--noise", "10%"], "add --truth"),
        (["truth", "bank", "--noise", "10%", "--accuracy", "80%"], "not allowed with"),
    ],
)
def test_a_wrong_command_line_is_refused_at_once(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err
