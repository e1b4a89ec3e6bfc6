"""Several hosts of a job: how they put together what each has found, and algorithms on two of them."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.localcloud.jobs.runner_modules import load
from tests.localcloud.jobs.test_runner_programs import BINARY, LINEAR, command, prepare, train
from tests.localcloud.jobs.training_data import table

hosts = load("shared", "hosts")


def together(count: int) -> tuple[str, ...]:
    """Loopback addresses that no other test uses, for names."""
    return tuple(f"127.{os.getpid() % 250 + 1}.{uuid.uuid4().int % 250}.{number}" for number in range(1, count + 1))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_first_combines_and_all_learn_what_came_out(count: int) -> None:
    names = together(count)
    where: list[str] = []

    def run(name: str) -> bytes:
        def put_together(parts: list[bytes]) -> bytes:
            where.append(threading.current_thread().name)
            return b"|".join(parts)

        threading.current_thread().name = name
        found: bytes = hosts.Hosts(name, names).combine(f"part of {names.index(name)} ".encode() * 3, put_together)
        return found

    with ThreadPoolExecutor(count) as pool:
        results = list(pool.map(run, reversed(names)))  # the first host comes last
    assert set(results) == {b"|".join(f"part of {number} ".encode() * 3 for number in range(count))}
    assert where == [names[0]]


def test_a_host_that_is_left_alone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_LAST", 0)
    names = together(2)

    def fails(parts: list[bytes]) -> bytes:
        raise ValueError(f"{len(parts)} parts do not fit")

    def first() -> str:
        try:
            hosts.Hosts(names[0], names).combine(b"a", fails)
        except ValueError as error:
            return str(error)
        return "nothing was raised"

    with ThreadPoolExecutor(2) as pool:
        said = pool.submit(first)
        left_alone = pool.submit(hosts.Hosts(names[1], names).combine, b"b", fails)
        assert said.result(20) == "2 parts do not fit"
        with pytest.raises(ConnectionError):
            left_alone.result(20)


@pytest.mark.parametrize(
    ("program", "hyperparameters", "metric"),
    [
        ("linear_learner", LINEAR, "validation binary_classification_accuracy <score>="),
        pytest.param("xgboost", BINARY, "[2]\ttrain-error:", marks=pytest.mark.exhaustive),
    ],
)
def test_two_hosts_make_the_model_of_one_with_all_rows(
    tmp_path: Path, program: str, hyperparameters: dict[str, str], metric: str
) -> None:
    whole = table(11, 400).splitlines(keepends=True)
    validation = table(12, 100)
    shares = {"one": whole, "algo-1": whole[:250], "algo-2": whole[250:]}
    for name, rows in shares.items():
        resources = {"current_host": name, "hosts": ["algo-1", "algo-2"]} if name != "one" else {}
        channels: dict[str, tuple[str | None, str | bytes]] = {
            "train": ("text/csv", "".join(rows)),
            "validation": ("text/csv", validation),
        }
        prepare(tmp_path / name, hyperparameters, channels, resourceconfig=resources)
        path = tmp_path / name / "input" / "config" / "inputdataconfig.json"
        document = json.loads(path.read_text())
        document["train"]["S3DistributionType"] = "ShardedByS3Key"
        path.write_text(json.dumps(document))
    assert train(tmp_path / "one", program)[0] == 0
    job = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{uuid.uuid4().hex}"
    running = [
        subprocess.Popen(
            command(program),
            env={"SAGEMAKER_BASE_DIR": str(tmp_path / name), "OMP_NUM_THREADS": "1", "TRAINING_JOB_ARN": job},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("algo-1", "algo-2")
    ]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    assert not (tmp_path / "algo-2" / "model").exists()  # the first saves
    for file in (tmp_path / "one" / "model").iterdir():
        other = tmp_path / "algo-1" / "model" / file.name
        if program == "xgboost":
            assert other.read_bytes() == file.read_bytes()
            continue
        with np.load(file) as one, np.load(other) as two:
            for name in ("weights", "bias", "threshold"):
                np.testing.assert_array_equal(one[name], two[name])
    assert metric in outputs[0]
    assert metric not in outputs[1]
