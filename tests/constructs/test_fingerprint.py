"""Fingerprints change with what can change a result, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sandcastle.code import NOT_CODE
from sandcastle.fingerprint import LENGTH, data_fingerprint, hash_folder, training_fingerprint

DATA: dict[str, Any] = {"code": "1", "shared_code": "2", "source": "sample", "image": "i", "instance": "m"}
TRAINING: dict[str, Any] = {
    "data": "d",
    "image": "i",
    "instance": "m",
    "instances": 1,
    "channels": {"train": "text/csv"},
    "hyperparameters": {"a": "1"},
    "source": {"files": "f", "script": "train.py"},
    "tuning": {"goal": "Maximize"},
}


def test_the_same_parts_give_the_same_fingerprint_in_every_process() -> None:
    assert data_fingerprint(**DATA) == "7445a344e8e7975b"
    assert len(training_fingerprint(**TRAINING)) == LENGTH


@pytest.mark.parametrize("key", DATA)
def test_each_part_of_a_dataset_counts(key: str) -> None:
    assert data_fingerprint(**{**DATA, key: "other"}) != data_fingerprint(**DATA)


@pytest.mark.parametrize("key", TRAINING)
def test_each_part_of_a_training_counts(key: str) -> None:
    other = {"x": "y"} if isinstance(TRAINING[key], dict) else "other"
    assert training_fingerprint(**{**TRAINING, key: other}) != training_fingerprint(**TRAINING)


def test_order_of_hyperparameters_does_not_count() -> None:
    one, two = ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    assert training_fingerprint(**{**TRAINING, "hyperparameters": one}) == training_fingerprint(
        **{**TRAINING, "hyperparameters": two}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "prepare.py").write_text("print(1)")
    (tmp_path / "sub" / "more.py").write_text("x = 1")
    return tmp_path


def test_folder_hash_follows_names_and_bytes(folder: Path) -> None:
    seen = {hash_folder(folder, NOT_CODE)}
    (folder / "prepare.py").write_text("print(2)")
    seen.add(hash_folder(folder, NOT_CODE))
    (folder / "prepare.py").rename(folder / "other.py")
    seen.add(hash_folder(folder, NOT_CODE))
    (folder / "sub" / "more.py").write_text("x = 2")
    seen.add(hash_folder(folder, NOT_CODE))
    assert len(seen) == 4


@pytest.mark.parametrize("name", ["workload.yaml", "README.md", "tutorial.ipynb", "prepare.pyc", ".hidden"])
def test_folder_hash_ignores_what_is_not_code(folder: Path, name: str) -> None:
    before = hash_folder(folder, NOT_CODE)
    (folder / name).write_text("anything")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.py").write_text("cached")
    os.utime(folder / "prepare.py", (0, 0))
    (folder / "prepare.py").chmod(0o777)
    assert hash_folder(folder, NOT_CODE) == before
