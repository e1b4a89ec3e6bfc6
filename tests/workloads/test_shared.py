"""What both prepare jobs share, and the promise that they run on the older Python of AWS's image."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from .conftest import WORKLOADS, load_program

splits = load_program("shared/splits.py")
job = load_program("shared/job.py")


@given(
    classes=st.lists(st.integers(0, 3), min_size=1, max_size=200),
    shares=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_a_split_holds_every_row_once_and_each_class_in_proportion(
    classes: list[int], shares: list[int], seed: int
) -> None:
    fractions = [share / sum(shares) for share in shares]
    parts = splits.stratified_split(classes, fractions, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(classes)))
    for name in set(classes):
        for part, fraction in zip(parts, fractions, strict=True):
            found = sum(classes[row] == name for row in part)
            assert abs(found - fraction * classes.count(name)) <= 1


def test_a_split_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    classes = [0, 1] * 50
    one, same, other = (splits.stratified_split(classes, [0.5, 0.5], seed) for seed in (1, 1, 2))
    assert [part.tolist() for part in one] == [part.tolist() for part in same]
    assert [part.tolist() for part in one] != [part.tolist() for part in other]


@pytest.mark.parametrize("fractions", [[0.5, 0.4], [1.2, -0.2], [0.0, 1.0]])
def test_fractions_that_are_none_are_refused(fractions: list[float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        splits.stratified_split([0, 1], fractions, 1)


def test_numbers_are_written_short_and_never_in_powers_of_ten(tmp_path: Path) -> None:
    """Model Monitor reads 9e-06 as a text: one such value, and no drift of its column is found any more."""
    path = tmp_path / "rows.csv"
    features = [[9e-06, 1234567.0, 3.0], [-6.5e-10, 0.25, 1 / 3]]
    assert job.write_csv(path, [1, 0], features, ["label", "a1e-05", "b", "c"]) == 2
    assert path.read_text().splitlines() == [
        "label,a1e-05,b,c",
        "1,0.000009,1234570,3",
        "0,-0.00000000065,0.25,0.333333",
    ]


PROGRAMS = sorted(WORKLOADS.glob("*/*.py"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_programs_of_jobs_are_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    lazy = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    assert lazy, "newer type notations are only safe when annotations are not evaluated"


def test_a_workload_and_shared_have_no_module_of_the_same_name() -> None:
    """Both folders are on the module path of a job; a common name would hide one of the two."""
    shared = {path.name for path in (WORKLOADS / "shared").glob("*.py")}
    for path in PROGRAMS:
        assert path.parent.name == "shared" or path.name not in shared


NAMES = sorted(path.parent.name for path in WORKLOADS.glob("*/workload.yaml"))


def described(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((WORKLOADS / name / "workload.yaml").read_text())
    return document


def test_there_are_the_six() -> None:
    assert NAMES == ["bank", "digits", "fraud", "mnist-kmeans", "mnist-linear", "penguins"]


@pytest.mark.parametrize("name", NAMES)
def test_the_traps_of_the_originals_are_not_in_it(name: str) -> None:
    workload = described(name)
    assert "silent" not in workload["train"].get("hyperparameters", {}), "current versions refuse it"
    instances = [workload[part]["instance"] for part in ("prepare", "train", "serve")]
    assert not [one for one in instances if one.split(".")[1] in ("m4", "c4")], "of a past generation"
    assert (WORKLOADS / name / "README.md").read_text().startswith(f"# {name}: ")


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("bank", {"train": "text/csv"}),
        ("digits", {"train": "text/csv", "validation": "text/csv"}),
        ("fraud", {"train": "text/csv", "validation": "text/csv"}),
        ("mnist-kmeans", {"train": "application/x-recordio-protobuf"}),
        ("mnist-linear", dict.fromkeys(("train", "validation"), "application/x-recordio-protobuf")),
        ("penguins", {"train": "text/csv", "validation": "text/csv"}),
    ],
)
def test_training_reads_what_the_prepare_job_writes(name: str, channels: dict[str, str]) -> None:
    train = described(name)["train"]
    assert train["channels"] == channels
    if name.startswith("mnist"):
        assert train["hyperparameters"]["feature_dim"] == 784
    if name == "bank":
        assert train["max_wait_minutes"] >= train["max_runtime_minutes"]


def test_fraud_is_tuned_as_in_its_tutorial_and_the_others_only_when_asked() -> None:
    assert {name: described(name)["train"].get("tune", False) for name in NAMES} == {
        name: name == "fraud" for name in NAMES
    }
    tuning = described("fraud")["train"]["tuning"]
    assert (tuning["objective"], tuning["goal"]) == ("validation:auc", "Maximize")
    assert (tuning["max_jobs"], tuning["parallel_jobs"]) == (9, 3)
    assert set(tuning["ranges"]) == {"eta", "min_child_weight", "alpha", "max_depth"}
    assert set(described("digits")["train"]["tuning"]["ranges"]) == {"learning_rate"}
    assert "tuning" in described("mnist-linear")["train"]
