"""What a deployment in localcloud makes first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from operations import runners
from operations.console import Console
from operations.errors import OperationError
from operations.project import LOCALCLOUD, ROOT
from operations.target import Target
from sandcastle.config import Environment, load_environment

LOCAL = Target("local", "000000000000", "us-east-1", {})


@pytest.fixture(scope="module")
def environment() -> Environment:
    return load_environment("local", ROOT)


def with_pytorch(environment: Environment) -> Environment:
    """The same with one workload that runs a PyTorch script."""
    first = environment.workloads[0]
    train = replace(first.train, algorithm=None, framework="pytorch", script="train.py")
    return replace(environment, workloads=(replace(first, train=train),))


def command(folder: Path, script: str) -> Path:
    """Something that is called as localcloud is."""
    path = folder / "localcloud"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_images_are_those_of_all_steps(environment: Environment) -> None:
    found = {uri.split("/")[1].split(":")[0] for uri in runners.images_of(environment, "us-east-1")}
    assert found == {"sagemaker-scikit-learn", "sagemaker-xgboost", "linear-learner"}
    found = {uri.split("/")[1].split(":")[0] for uri in runners.images_of(with_pytorch(environment), "us-east-1")}
    assert found == {"sagemaker-scikit-learn", "pytorch-training", "pytorch-inference"}


@pytest.mark.skipif(not LOCALCLOUD.exists(), reason="localcloud is not installed")
def test_what_is_installed_costs_nothing(environment: Environment, capfd: pytest.CaptureFixture[str]) -> None:
    assert runners.make_runners(LOCAL, environment, Console()) == []
    assert capfd.readouterr() == ("", "")


def test_progress_is_passed_on(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script = 'echo "making it" >&2; echo "{\\"made\\": [\\"pytorch\\"], \\"asked\\": \\"$*\\"}"'
    monkeypatch.setattr(runners, "LOCALCLOUD", command(tmp_path, script))
    assert runners.make_runners(LOCAL, with_pytorch(environment), Console()) == ["pytorch"]
    assert "making it" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            'echo "{\\"failure\\": \\"no such package\\", \\"made\\": []}"; exit 1',
            "cannot run this environment: no such package",
        ),
        ("echo 'it broke' >&2; exit 1", "localcloud runners failed:\nit broke"),
    ],
)
def test_a_failure_has_its_reason(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, text: str
) -> None:
    monkeypatch.setattr(runners, "LOCALCLOUD", command(tmp_path, script))
    with pytest.raises(OperationError, match=text):
        runners.make_runners(LOCAL, environment, Console())


def test_aws_pulls_its_images_itself(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "LOCALCLOUD", command(tmp_path, "exit 1"))
    assert runners.make_runners(replace(LOCAL, name="aws"), environment, Console()) == []
