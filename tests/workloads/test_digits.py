"""The network of digits: what is prepared, what the script trains, and what the handlers answer.

The scripts run on localcloud's PyTorch runner, which is made at first use: where it has not been made yet, `make
matrix` makes it and `make test` leaves them out.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import REPOSITORY, Prepare, Prepared
from .scripts import Answer, Request, ask, train

PIXELS = 28 * 28
RUNNERS = Path(os.environ.get("LOCALCLOUD_RUNNERS", REPOSITORY / ".localcloud" / "runners"))
PYTHON = RUNNERS / "pytorch" / "bin" / "python"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.10.0-cpu-py313"
WITH_PYTORCH = [] if PYTHON.exists() else [pytest.mark.exhaustive]


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("digits")
    assert prepared.code == 0, prepared.log
    return prepared


def test_a_fifth_of_the_training_pictures_validates(sample: Prepared) -> None:
    splits = {name: sample.table(name) for name in ("train", "validation", "test")}
    assert {name: rows.shape for name, rows in splits.items()} == {
        "train": (1151, 1 + PIXELS),
        "validation": (287, 1 + PIXELS),
        "test": (359, 1 + PIXELS),
    }
    assert sample.about["rows"] == {"train": 1151, "validation": 287, "test": 359}
    assert len(np.unique(np.concatenate(list(splits.values())), axis=0)) == 1797, "no picture is in two splits"
    for rows in splits.values():
        assert np.bincount(rows[:, 0].astype(int)) / len(rows) == pytest.approx(0.1, abs=0.02)
        assert 0 <= rows[:, 1:].min() <= rows[:, 1:].max() <= 1


def test_about_names_ten_classes_and_shows_the_test_pictures(sample: Prepared) -> None:
    assert sample.about["classes"] == [str(digit) for digit in range(10)]
    labels = sample.table("test")[:, 0].astype(int)
    assert "".join(map(str, labels)) == sample.about["picture"]["digits"]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the PyTorch runner; makes the runner when there is none."""
    if not PYTHON.exists():
        localcloud = REPOSITORY / ".localcloud" / "venv" / "bin" / "localcloud"
        subprocess.run([str(localcloud), "runners", "--install", IMAGE], check=True, capture_output=True)
    return PYTHON


@pytest.fixture(scope="module")
def model(python: Path, sample: Prepared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a trained model, and the training's log."""
    folder = tmp_path_factory.mktemp("model")
    settings = ("--learning_rate", "0.02", "--epochs", "10", "--batch_size", "32", "--seed", "1")
    return folder, train(python, "digits", sample, folder, *settings, "--_tuning_objective_metric", "x")


@pytest.fixture(scope="module")
def answers(python: Path, model: tuple[Path, str], sample: Prepared) -> dict[str, Answer]:
    """Answers to all requests of this file, from one process that has the model loaded."""
    requests = wrong_requests() | {
        "csv": Request(rows(sample), "text/csv"),
        "as csv": Request(rows(sample), "text/csv", "text/csv"),
        "json": Request(json.dumps(samples(sample)[:3]).encode()),
        "below samples": Request(json.dumps({"samples": samples(sample)[:3]}).encode(), accept="*/*"),
        "picture": Request(b'{"image": "https://pictures.example/digit.png"}', fetched=enlarged(samples(sample)[0])),
        "28 x 28": Request(json.dumps(np.reshape(samples(sample)[:3], (3, 28, 28)).tolist()).encode()),
    }
    return dict(zip(requests, ask(python, model[0], list(requests.values())), strict=True))


def rows(sample: Prepared) -> bytes:
    lines = sample.file("test", "test.csv").read_text().splitlines()
    return "\n".join(line.split(",", 1)[1] for line in lines).encode()


def samples(sample: Prepared) -> list[list[float]]:
    found: list[list[float]] = sample.table("test")[:, 1:].tolist()
    return found


def enlarged(pixels: list[float]) -> bytes:
    """Return a PNG of the picture, ten times larger, dark on light paper as people write."""
    paper = 255 - (np.reshape(pixels, (28, 28)) * 255).round()
    file = io.BytesIO()
    Image.fromarray(np.kron(paper, np.ones((10, 10))).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def wrong_requests() -> dict[str, Request]:
    picture = [0.0] * PIXELS
    return {
        "no sample": Request(b"[]"),
        "empty body": Request(b""),
        "empty csv": Request(b"", "text/csv"),
        "too few pixels": Request(json.dumps([picture, picture[1:]]).encode()),
        "cut csv": Request(b"0,0,0.5", "text/csv"),
        "not a number": Request(json.dumps([["x", *picture[1:]]]).encode()),
        "nan": Request(json.dumps([[float("nan"), *picture[1:]]]).encode()),
        "too bright": Request(json.dumps([[255, *picture[1:]]]).encode()),
        "no list": Request(b'{"pictures": []}'),
        "no json": Request(b"{"),
        "another type": Request(b"x", "image/png"),
        "another accept": Request(json.dumps([picture]).encode(), accept="image/png"),
        "metadata": Request(b'{"image": "http://169.254.169.254/latest/meta-data/iam/security-credentials/"}'),
        "loopback": Request(b'{"image": "http://localhost/7.png"}'),
        "file": Request(b'{"image": "file:///opt/ml/model/model.pt"}'),
        "no address": Request(b'{"image": 7}'),
        "two things": Request(b'{"image": "https://pictures.example/7.png", "samples": []}'),
    }


class TestWithPyTorch:
    pytestmark = WITH_PYTORCH

    def test_training_prints_its_metric_after_every_epoch(self, model: tuple[Path, str]) -> None:
        folder, log = model
        found = [line.split("val_accuracy=")[1] for line in log.splitlines() if "val_accuracy=" in line]
        assert len(found) == 10
        assert float(found[-1]) >= 0.94
        assert float(found[-1]) > float(found[0])
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        assert files == ["code/fetch.py", "code/inference.py", "code/network.py", "code/picture.py", "model.pt"]

    def test_the_test_pictures_are_read(
        self, answers: dict[str, Answer], sample: Prepared, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = json.loads(answers["csv"].text)
        labels = sample.table("test")[:, 0].astype(int).tolist()
        accuracy = np.mean([one["prediction"] == label for one, label in zip(found, labels, strict=True)])
        with capsys.disabled():
            print(f"\ndigits, own network on the test split: accuracy {accuracy:.4f}")
        assert accuracy >= 0.95
        assert all(0.1 < one["confidence"] <= 1 for one in found)

    def test_every_form_of_a_request_gets_the_same_answer(self, answers: dict[str, Answer]) -> None:
        expected = json.loads(answers["csv"].text)
        for form in ("json", "below samples", "28 x 28"):
            found = json.loads(answers[form].text)
            assert [one["prediction"] for one in found] == [one["prediction"] for one in expected[:3]]
            assert [one["confidence"] for one in found] == pytest.approx([one["confidence"] for one in expected[:3]])
        lines = answers["as csv"].text.splitlines()
        assert answers["as csv"].content_type == "text/csv"
        assert [int(line.split(",")[0]) for line in lines] == [one["prediction"] for one in expected]

    @pytest.mark.parametrize(
        ("request_", "status", "says"),
        [
            ("no sample", 400, "there is no sample"),
            ("empty body", 400, "Expecting value"),
            ("empty csv", 400, "there is no sample"),
            ("too few pixels", 400, "sample 2 has 783 pixels; a picture has 784"),
            ("cut csv", 400, "sample 1 has 3 pixels; a picture has 784"),
            ("not a number", 400, "sample 1 holds something that is no number"),
            ("nan", 400, "sample 1 has a pixel that is not between 0 (paper) and 1 (ink)"),
            ("too bright", 400, "sample 1 has a pixel that is not between 0 (paper) and 1 (ink)"),
            ("no list", 400, "expected a list of samples"),
            ("no json", 400, "Expecting property name"),
            ("another type", 415, "image/png is not understood"),
            ("another accept", 406, "image/png is not offered"),
            ("metadata", 400, "169.254.169.254 is not a host of the public internet"),
            ("loopback", 400, "localhost is not a host of the public internet"),
            ("file", 400, "only http and https addresses are fetched"),
            ("no address", 400, 'expected {"image": "https://..."} and nothing beside it'),
            ("two things", 400, 'expected {"image": "https://..."} and nothing beside it'),
        ],
    )
    def test_a_wrong_request_is_answered_with_the_reason(
        self, answers: dict[str, Answer], request_: str, status: int, says: str
    ) -> None:
        assert answers[request_].status == status
        assert says in answers[request_].text

    def test_a_fetched_picture_is_read_like_its_pixels(self, answers: dict[str, Answer]) -> None:
        (fetched,), (first, *_) = (json.loads(answers[name].text) for name in ("picture", "csv"))
        assert fetched["prediction"] == first["prediction"]
        assert fetched["confidence"] == pytest.approx(first["confidence"], abs=0.05)
