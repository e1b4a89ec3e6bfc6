"""The penguins: the table, the fitted preprocessing, the script that trains and the handlers that answer."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import joblib
import numpy as np
import pytest

from .conftest import WORKLOADS, Prepare, Prepared, runner_python
from .scripts import Answer, Request, ask, train

FEATURES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"]
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
SPLITS = ("train", "validation", "test")


def rows_of(prepared: Prepared, split: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(prepared.file(split, f"{split}.csv").read_text())))


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("penguins")
    assert prepared.code == 0, prepared.log
    return prepared


@pytest.fixture(scope="module")
def splits(sample: Prepared) -> dict[str, list[list[str]]]:
    return {name: rows_of(sample, name) for name in SPLITS}


def test_every_penguin_of_the_table_is_in_one_split(splits: dict[str, list[list[str]]]) -> None:
    table = list(csv.DictReader((WORKLOADS / "penguins" / "penguins.csv").open()))
    assert len(table) == 344

    def written(value: str) -> str:
        return "" if value == "NA" else value

    expected = sorted([str(SPECIES.index(row["species"])), *(written(row[name]) for name in FEATURES)] for row in table)
    assert sorted(row for rows in splits.values() for row in rows) == expected
    assert [len(splits[name]) for name in SPLITS] == [206, 69, 69]


def test_every_split_has_the_three_species_in_proportion(splits: dict[str, list[list[str]]]) -> None:
    shares = {name: np.bincount([int(row[0]) for row in rows]) / len(rows) for name, rows in splits.items()}
    for found in shares.values():
        assert found == pytest.approx([152 / 344, 68 / 344, 124 / 344], abs=0.02)


def test_about_says_that_the_penguins_are_real(sample: Prepared) -> None:
    assert sample.about["origin"] == "real"
    assert "CC0" in sample.about["source"]
    assert sample.about["features"] == FEATURES
    assert sample.about["classes"] == SPECIES


def test_the_same_bytes_come_out_every_time(sample: Prepared, prepare: Prepare) -> None:
    assert prepare("penguins").contents() == sample.contents()


def test_the_preprocessing_is_fitted_to_the_training_rows_alone(
    sample: Prepared, splits: dict[str, list[list[str]]]
) -> None:
    import pandas as pd

    fitted = joblib.load(sample.file("train", "preprocessor.joblib"))
    numbers = [[float(row[2]) if row[2] else math.nan for row in rows] for rows in splits.values()]
    imputer, scaler = (step for _, step in fitted.named_transformers_["numbers"].steps)
    assert imputer.statistics_[0] == pytest.approx(np.nanmedian(numbers[0]))
    filled = np.where(np.isnan(numbers[0]), np.nanmedian(numbers[0]), numbers[0])
    assert scaler.mean_[0] == pytest.approx(filled.mean())
    assert scaler.mean_[0] != pytest.approx(np.nanmean(np.concatenate(numbers)), rel=1e-6)
    rows = pd.DataFrame([["Atlantis", math.nan, 17.0, 190.0, 3700.0, ""]], columns=FEATURES)
    (numbered,) = fitted.transform(rows)
    assert np.isfinite(numbered).all()
    assert numbered[4:7].tolist() == [0, 0, 0], "an island that nobody knows is none of the three"


@pytest.fixture(scope="module")
def model(sample: Prepared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a trained model, and the training's log."""
    folder = tmp_path_factory.mktemp("model")
    arguments = ("--regularization", "1.0", "--max_iter", "1000", "--_tuning_objective_metric", "validation:accuracy")
    return folder, train(runner_python(), "penguins", sample, folder, *arguments)


def test_training_reports_every_class_and_what_the_metrics_read(model: tuple[Path, str]) -> None:
    folder, log = model
    assert all(name in log for name in (*SPECIES, "support"))
    (accuracy,) = (line.split("=")[1] for line in log.splitlines() if line.startswith("val_accuracy="))
    assert float(accuracy) >= 0.95
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["code/inference.py", "code/table.py", "model.joblib"]


KNOWN = b"Torgersen,39.1,18.7,181,3750,male"
REQUESTS = {
    "a row": Request(KNOWN, "text/csv"),
    "two rows as csv": Request(KNOWN + b"\nBiscoe,,,230,6000,\n", "text/csv; charset=utf-8", "text/csv"),
    "objects": Request(b'[{"island": "Biscoe", "flipper_length_mm": 230, "sex": null}]'),
    "lists": Request(b'{"samples": [["Dream", 50, 19, 200, 3800, "female"]]}', accept="*/*"),
    "too short": Request(KNOWN + b"\nTorgersen,39.1", "text/csv"),
    "no number": Request(b"Torgersen,long,18.7,181,3750,male", "text/csv"),
    "not finite": Request(b'[{"body_mass_g": NaN}]'),
    "another key": Request(b'[{"wingspan": 3}]'),
    "a number for a text": Request(b'[{"island": 3}]'),
    "no row": Request(b"", "text/csv"),
    "no list": Request(b'{"penguin": 1}'),
    "no json": Request(b"{"),
    "no utf-8": Request(b"\xff\xfe", "text/csv"),
    "another type": Request(KNOWN, "image/png"),
    "another accept": Request(KNOWN, "text/csv", "image/png"),
}


@pytest.fixture(scope="module")
def answers(model: tuple[Path, str], splits: dict[str, list[list[str]]]) -> dict[str, Answer]:
    """All requests, and the test split, to one process that has the model loaded."""
    whole = Request("\n".join(",".join(row[1:]) for row in splits["test"]).encode(), "text/csv")
    requests = REQUESTS | {"the test split": whole}
    return dict(zip(requests, ask(runner_python(), model[0], list(requests.values())), strict=True))


def test_rows_with_texts_and_gaps_are_answered(answers: dict[str, Answer]) -> None:
    (one,) = json.loads(answers["a row"].text)
    assert one["prediction"] == "Adelie"
    assert 0.9 < one["confidence"] <= 1
    lines = answers["two rows as csv"]
    assert lines.content_type == "text/csv"
    assert [line.split(",")[0] for line in lines.text.splitlines()] == ["Adelie", "Gentoo"]
    assert json.loads(answers["objects"].text)[0]["prediction"] == "Gentoo"
    assert json.loads(answers["lists"].text)[0]["prediction"] == "Chinstrap"


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ("too short", 400, "row 2 has 2 values; a row has 6: island, bill_length_mm"),
        ("no number", 400, "bill_length_mm of row 1 is 'long', which is no finite number"),
        ("not finite", 400, "body_mass_g of row 1 is nan, which is no finite number"),
        ("another key", 400, "row 1 has the key 'wingspan'; known: island"),
        ("a number for a text", 400, "island of row 1 is 3, which is no text"),
        ("no row", 400, "there is no row"),
        ("no list", 400, "expected a list of penguins"),
        ("no json", 400, "Expecting property name"),
        ("no utf-8", 400, "can't decode byte"),
        ("another type", 415, "image/png is not understood; send text/csv or application/json"),
        ("another accept", 406, "image/png is not offered"),
    ],
)
def test_a_wrong_request_is_answered_with_the_reason(
    answers: dict[str, Answer], request_: str, status: int, says: str
) -> None:
    assert answers[request_].status == status
    assert says in answers[request_].text


def test_the_test_split_is_told_apart(
    answers: dict[str, Answer], splits: dict[str, list[list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = [one["prediction"] for one in json.loads(answers["the test split"].text)]
    right = [name == SPECIES[int(row[0])] for name, row in zip(found, splits["test"], strict=True)]
    with capsys.disabled():
        print(f"\npenguins, own script on the test split: accuracy {np.mean(right):.4f}")
    assert np.mean(right) >= 0.95
