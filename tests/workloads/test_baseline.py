"""What a pipeline's prepare job leaves beside the splits: the training rows with a header, to compare requests with."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from .conftest import Prepare

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


@pytest.mark.parametrize(
    "workload",
    ["penguins", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("digits", "bank", "fraud"))],
)
def test_the_baseline_is_the_training_split_with_names(prepare: Prepare, workload: str) -> None:
    prepared = prepare(workload, version="1a2b3c4d5e6f", asked=True)
    assert prepared.code == 0, prepared.log
    header, *rows = csv.reader(prepared.file("baseline", "baseline.csv").open())
    assert header == [prepared.about["label"], *prepared.about["features"]]
    train = list(csv.reader(prepared.file("train", "train.csv").open()))
    if workload == "penguins":  # the endpoint answers names
        train = [[SPECIES[int(label)], *row] for label, *row in train]
    assert rows == train
    asked, *without = csv.reader(prepared.file("asked", "asked.csv").open())
    assert asked == prepared.about["features"]
    assert without == [row[1:] for row in rows]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("workload", "label", "rows"), [("mnist-linear", ["is_zero"], 1078), ("mnist-kmeans", [], 1438)]
)
def test_pictures_that_train_in_binary_have_a_baseline_in_text(
    prepare: Prepare, workload: str, label: list[str], rows: int
) -> None:
    prepared = prepare(workload, version="1a2b3c4d5e6f", asked=True)
    path = prepared.file("baseline", "baseline.csv")
    assert path.open().readline().rstrip().split(",") == [*label, *prepared.about["features"]]
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    assert table.shape == (rows, len(label) + 784)
    assert prepared.about["rows"]["train"] == rows
    assert 0 <= table[:, 1:].min() <= table[:, 1:].max() == 1
    if label:
        assert set(table[:, 0]) == {0, 1}
    else:  # there is none to leave out
        assert prepared.file("asked", "asked.csv").read_bytes() == path.read_bytes()


def test_without_a_pipeline_nobody_pays_for_one(prepare: Prepare) -> None:
    prepared = prepare("penguins")
    assert not prepared.file("baseline", "baseline.csv").exists()
    assert not prepared.file("asked", "asked.csv").exists()


def test_without_a_baseline_there_are_no_rows_to_ask(prepare: Prepare) -> None:
    prepared = prepare("penguins", asked=True)
    assert prepared.code == 1
    assert "SANDCASTLE_ASKED needs a baseline" in prepared.exit_message
