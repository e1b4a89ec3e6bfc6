"""The train programs by themselves: content types, bad data, early stopping, SIGTERM. No server involved."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.localcloud.jobs.cloud import RUNNERS
from tests.localcloud.jobs.runner_modules import RUNNERS as PROGRAMS
from tests.localcloud.jobs.runner_modules import load
from tests.localcloud.jobs.training_data import table

recordio = load("shared", "recordio")
PYTHON = RUNNERS / "classic" / "bin" / "python"
ROWS = np.loadtxt(table(11, 200).splitlines(), delimiter=",").astype(np.float32)
BINARY = {"num_round": "3", "objective": "binary:logistic", "eval_metric": "error"}
LINEAR = {"predictor_type": "binary_classifier", "mini_batch_size": "20"}


def libsvm(first_index: int, weights: bool = False) -> str:
    return "\n".join(
        f"{row[0]:g}{':1' if weights else ''} "
        + " ".join(f"{index}:{value:.5f}" for index, value in enumerate(row[1:], first_index))
        for row in ROWS
    )


def prepare(
    base: Path, hyperparameters: dict[str, str], channels: dict[str, tuple[str | None, str | bytes]], **config: Any
) -> None:
    folder = base / "input" / "config"
    folder.mkdir(parents=True)
    (folder / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    described = {}
    for name, (content_type, content) in channels.items():
        data = base / "input" / "data" / name
        data.mkdir(parents=True)
        (data / "part-0").write_bytes(content if isinstance(content, bytes) else content.encode())
        (data / "_SUCCESS").touch()  # Spark leaves one; it is no data
        described[name] = {"TrainingInputMode": "File"} | ({"ContentType": content_type} if content_type else {})
    (folder / "inputdataconfig.json").write_text(json.dumps(described))
    for name, content in config.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def command(program: str) -> list[str]:
    return [str(PYTHON), str(PROGRAMS / program / "train.py")]


def train(base: Path, program: str) -> tuple[int, str, str]:
    """Exit code, output, failure file."""
    done = subprocess.run(
        command(program),
        env={"SAGEMAKER_BASE_DIR": str(base), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    failure = base / "output" / "failure"
    return done.returncode, done.stdout + done.stderr, failure.read_text() if failure.exists() else ""


def scores(output: str) -> list[str]:
    """The metric of every round, as printed."""
    return [line.split(":")[1] for line in output.splitlines() if "\ttrain-error:" in line]


@pytest.fixture(scope="module")
def csv_scores(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    base = tmp_path_factory.mktemp("csv")
    prepare(base, BINARY, {"train": ("text/csv", table(11, 200))})
    found = scores(train(base, "xgboost")[1])
    assert len(found) == 3
    assert 0 < float(found[-1]) < 0.1
    return found


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("csv;label_size=1", table(11, 200).replace(",", ";")),
        ("text/libsvm", libsvm(0)),
        ("libsvm", libsvm(1)),
        (None, libsvm(1, weights=True)),
        ("application/x-recordio-protobuf", recordio.write_matrix(ROWS[:, 1:], ROWS[:, 0])),
    ],
)
def test_xgboost_reads_the_same_rows_from_every_format(
    tmp_path: Path, csv_scores: list[str], content_type: str | None, content: str | bytes
) -> None:
    prepare(tmp_path, BINARY, {"train": (content_type, content)})
    code, output, failure = train(tmp_path, "xgboost")
    assert (code, failure) == (0, ""), output
    assert "Train matrix has 200 rows and 4 columns" in output
    assert scores(output) == csv_scores
    assert (tmp_path / "model" / "xgboost-model").stat().st_size > 0


def test_csv_weights_are_the_second_column(tmp_path: Path) -> None:
    weighted = np.insert(ROWS, 1, np.where(ROWS[:, 0] > 0, 0.0, 1.0), axis=1)
    text = "\n".join(",".join(f"{value:.5f}" for value in row) for row in weighted)
    prepare(tmp_path, {**BINARY, "csv_weights": "1"}, {"train": ("text/csv", text)})
    code, output, _ = train(tmp_path, "xgboost")
    assert code == 0
    assert "200 rows and 4 columns" in output
    assert "[2]\ttrain-error:0.00000" in output  # only rows of one class have any weight


def test_early_stopping_keeps_the_best_rounds(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).permutation(ROWS[:, 0])
    shuffled = np.column_stack([noise, ROWS[:, 1:]])
    text = "\n".join(",".join(f"{value:.5f}" for value in row) for row in shuffled)
    prepare(
        tmp_path,
        {**BINARY, "num_round": "50", "early_stopping_rounds": "3", "eval_metric": "logloss"},
        {"train": ("text/csv", text[: len(text) // 2].rsplit("\n", 1)[0]), "validation": ("text/csv", table(1, 100))},
    )
    code, output, _ = train(tmp_path, "xgboost")
    assert code == 0, output
    assert 3 < sum("\ttrain-logloss" in line for line in output.splitlines()) < 50


@pytest.mark.parametrize(
    ("program", "hyperparameters", "channels", "code", "failure"),
    [
        ("xgboost", BINARY, {}, 1, "framework error: \nMissing required channel: train"),
        (
            "xgboost",
            BINARY,
            {"train": ("text/csv", "1,2"), "extra": ("text/csv", "1,2")},
            1,
            "framework error: \nExtraneous channel found: extra",
        ),
        (
            "xgboost",
            BINARY,
            {"train": ("image/png", "x")},
            1,
            "framework error: \nimage/png is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf,",
        ),
        (
            "xgboost",
            BINARY,
            {"train": ("text/csv;label_size=2", "1,2")},
            1,
            "framework error: \ntext/csv;label_size=2 is not an accepted csv ContentType. Optional parameter",
        ),
        (
            "xgboost",
            BINARY,
            {"train": ("text/csv", "label,age\n1,2\n")},
            1,
            "framework error: \nFailed to load csv data with exception:\n",
        ),
        (
            "xgboost",
            BINARY,
            {"train": (None, "1,2,3\n")},
            1,
            "framework error: \nFirst line '1,2,3...' of file 'part-0' is not 'LIBSVM' format.",
        ),
        (
            "xgboost",
            BINARY,
            {"train": ("text/csv", "7,2,3\n5,1,1\n")},
            1,
            "framework error: \n",  # and then XGBoost's own text about labels
        ),
        (
            "xgboost",
            BINARY,
            {"train": ("application/x-recordio-protobuf", b"12345678")},
            1,
            "framework error: \nFailed to load recordio-protobuf data with exception:\n",
        ),
        (
            "linear_learner",
            LINEAR,
            {"train": ("image/png", "x")},
            2,
            "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by "
            "ValidationError)\n\nCaused by: 'image/png' is not one of",
        ),
        (
            "linear_learner",
            LINEAR,
            {"train": ("text/csv", table(1, 50)), "training": ("text/csv", "1")},
            2,
            "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by "
            "ValidationError)\n\nCaused by: Additional properties are not allowed ('training' was unexpected)",
        ),
        (
            "linear_learner",
            LINEAR,
            {"train": ("application/x-recordio-protobuf", "not records")},
            2,
            "Unable to read data channel 'train'. Requested content-type is 'application/x-recordio-protobuf'. Please "
            "verify the data matches the requested content-type. (caused by RecordError)",
        ),
        (
            "linear_learner",
            LINEAR,
            {
                "train": (
                    "application/x-recordio-protobuf",
                    recordio.write_matrix(ROWS[:, 1:].astype(float), ROWS[:, 0]),
                )
            },
            2,
            "Unable to read data channel 'train'.",
        ),
        (
            "linear_learner",
            LINEAR,
            {"train": ("text/csv", table(1, 50).replace("1.00000,", "3,"))},
            2,
            "The labels of channel 'train' must be whole numbers from 0 to 1 for a binary_classifier.",
        ),
        (
            "linear_learner",
            LINEAR,
            {"train": ("text/csv", table(1, 50)), "validation": ("text/csv", ",1,2,3,4\n")},
            2,
            "The data of channel 'validation' contains values that are missing or not finite: part-0, row 1.",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    tmp_path: Path,
    program: str,
    hyperparameters: dict[str, str],
    channels: dict[str, tuple[str | None, str | bytes]],
    code: int,
    failure: str,
) -> None:
    prepare(tmp_path, hyperparameters, channels)
    found, output, reason = train(tmp_path, program)
    assert found == code, output
    assert reason.startswith(failure), reason
    assert not (tmp_path / "model" / "xgboost-model").exists()


@pytest.mark.parametrize(("keep", "code"), [("true", 0), ("false", -15)])
def test_xgboost_and_sigterm(tmp_path: Path, keep: str, code: int) -> None:
    """With save_model_on_termination the model of the last round is there and the exit is clean."""
    prepare(
        tmp_path,
        {**BINARY, "num_round": "1000000", "save_model_on_termination": keep},
        {"train": ("text/csv", table(11, 200))},
    )
    running = subprocess.Popen(
        command("xgboost"), env={"SAGEMAKER_BASE_DIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    (tmp_path / "model").mkdir(exist_ok=True)
    for line in running.stdout:
        if line.startswith("[3]"):
            break
    running.terminate()
    running.stdout.read()
    running.stdout.close()
    assert running.wait(20) == code
    assert (tmp_path / "model" / "xgboost-model").exists() == (keep == "true")


def test_training_twice_gives_the_same_model(tmp_path: Path) -> None:
    for program, hyperparameters, name in (
        ("xgboost", {**BINARY, "subsample": "0.5"}, "xgboost-model"),
        ("linear_learner", LINEAR, "model_algo-1"),
    ):
        found = []
        for attempt in range(2):
            base = tmp_path / f"{program}{attempt}"
            prepare(base, hyperparameters, {"train": ("text/csv", table(11, 200))})
            assert train(base, program)[0] == 0
            if program == "xgboost":
                found.append((base / "model" / name).read_bytes())
            else:
                with np.load(base / "model" / name) as stored:
                    found.append(stored["weights"].tobytes() + stored["bias"].tobytes())
        assert found[0] == found[1]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"positive_example_weight_mult": "balanced"}, True),
        ({"positive_example_weight_mult": "0.01"}, False),
    ],
)
def test_positive_examples_can_weigh_more(tmp_path: Path, extra: dict[str, str], expected: bool) -> None:
    """Of 200 rows 20 are positive and only half-way separable: their weight decides what wins at score 0.5."""
    random = np.random.default_rng(0)
    labels = (np.arange(200) < 20).astype(float)
    features = labels + random.normal(0, 1, 200)
    text = "\n".join(f"{label},{feature:.5f}" for label, feature in zip(labels, features, strict=True))
    criteria = {"binary_classifier_model_selection_criteria": "loss_function", "epochs": "30", **extra}
    prepare(tmp_path, {**LINEAR, **criteria}, {"train": ("text/csv", text)})
    code, output, _ = train(tmp_path, "linear_learner")
    assert code == 0, output
    recall = float(output.split("train recall <score>=")[1].split()[0])
    assert (recall > 0.5) == expected
