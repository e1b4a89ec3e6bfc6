"""Environments that are made at first use, for real: a small one, from a package that this file builds."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest

from localcloud.jobs import runner_environments
from localcloud.jobs.runner_environments import ENVIRONMENTS, Environment, RunnerUnavailable, ensure
from tests.localcloud.conftest import COMMAND, run_localcloud
from tests.localcloud.jobs.cloud import PYTORCH_TRAINING, Cloud


def wheel(folder: Path, name: str, version: str, content: str) -> Path:
    """A package of one module, with all that pip asks of a wheel."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        file: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for file, text in files.items()
    }
    record = "".join(f"{file},sha256={digest},{len(files[file])}\n" for file, digest in digests.items())
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(file, text)
    return path


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment of one package by exact version, which is nowhere yet; no package index is asked."""
    monkeypatch.setenv("LOCALCLOUD_RUNNERS", str(tmp_path / "runners"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "none.txt").write_text("")
    environment = Environment("small", str(tmp_path / "none.txt"), ("tinytorch==1.0+cpu",), "file:///nowhere")
    monkeypatch.setitem(ENVIRONMENTS, "small", environment)
    return environment


def test_the_first_job_makes_it_and_says_so(
    cloud: Cloud,
    small: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "pytorch", small)
    wheel(tmp_path, "tinytorch", "1.0+cpu", "ANSWER = 42\ndef main(): print(ANSWER)\n")
    killed = tmp_path / "runners" / ".small.part" / "lib"
    killed.mkdir(parents=True)
    (killed / "half a package").touch()
    assert not small.ready
    code = "import tinytorch; print('answer', tinytorch.ANSWER)"
    job = cloud.processing(cloud.full_role(), code, image=PYTORCH_TRAINING)
    with caplog.at_level("INFO", "localcloud.jobs"):
        outcome, _ = cloud.run(job)
    lines = cloud.log_lines("/aws/sagemaker/ProcessingJobs", job.name)
    assert outcome.status == "Completed", lines
    assert lines[0].startswith("[localcloud] runner environment small: making it, once")
    assert any("tinytorch-1.0+cpu" in line for line in lines)
    assert lines[-2].startswith("[localcloud] runner environment small: ready after")
    assert lines[-1] == "answer 42"
    assert (
        f"job {job.name}: runner environment small: making it, once" in caplog.text
    )  # in server.log, while it goes on
    assert small.ready
    # its scripts name the folder it is in, not the one it was made in, which is gone with all that it was made from
    script = subprocess.run([small.python.parent / "tinytorch"], capture_output=True, text=True, check=True)
    assert script.stdout == "42\n"
    assert sorted(each.name for each in (tmp_path / "runners").iterdir()) == [".small.lock", "small"]
    assert not (small.folder / "lib" / "half a package").exists()

    again = cloud.processing(cloud.full_role(), code, image=PYTORCH_TRAINING)
    cloud.run(again)
    assert cloud.log_lines("/aws/sagemaker/ProcessingJobs", again.name) == ["answer 42"]
    # other requirements: not the same environment any more
    Path(small.requirements).write_text("# changed\n")
    assert not small.ready


@pytest.mark.exhaustive
def test_a_package_that_is_nowhere_ends_with_the_words_of_pip(small: Environment, tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(RunnerUnavailable) as caught:
        ensure("small", told.append)
    assert "the runner environment small could not be made" in str(caught.value)
    assert "No matching distribution found for tinytorch==1.0+cpu" in str(caught.value)
    assert any("looking at file:///nowhere" in line for line in told)  # and the second index was asked
    assert not small.ready
    assert not small.folder.exists()
    # nobody holds the lock now
    with (tmp_path / "runners" / ".small.lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_one_makes_it_and_the_others_wait_until_they_are_told_to_stop(small: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "runners"
    folder.mkdir()
    told: list[str] = []
    with (folder / ".small.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(RunnerUnavailable, match="stopped while"):
            ensure("small", told.append, cancelled=lambda: len(told) > 0)
    assert told == ["runner environment small: somebody is making it; waiting"]
    assert not small.folder.exists()


def test_changed_packages_and_versions_are_another_environment() -> None:
    digests = {
        Environment("x", "pytorch.txt").digest(),
        Environment("x", "requirements.txt").digest(),
        Environment("x", "pytorch.txt", ("torch==2.13.0+cpu",)).digest(),
        Environment("x", "pytorch.txt", ("torch==2.13.1+cpu",)).digest(),
    }
    assert len(digests) == 4


def test_pytorch_is_the_build_without_cuda() -> None:
    """Of the packages around it each has its hash, none is CUDA's, and torch comes by exact version."""
    text = (runner_environments.programs_dir() / "pytorch.txt").read_text()
    packages = [line.split("==")[0] for line in text.splitlines() if line[:1].isalpha()]
    assert {"filelock", "jinja2", "networkx", "numpy", "sympy"} <= set(packages)
    assert not [name for name in packages if name == "torch" or "cu" in name.split("-") or name.startswith("nvidia")]
    assert text.count("--hash=sha256:") >= len(packages)
    assert ENVIRONMENTS["pytorch"].unhashed == ("torch==2.13.0+cpu",)


@pytest.mark.skipif(not COMMAND.exists(), reason="localcloud is not installed")
def test_the_command_lists_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    here = {"LOCALCLOUD_RUNNERS": str(tmp_path)}
    (tmp_path / "classic").mkdir()
    (tmp_path / "classic" / ".installed").touch()
    shown = run_localcloud("runners", environment=here)
    assert shown.returncode == 0
    assert "classic    ready" in shown.stdout
    assert "pytorch    missing, made at first use" in shown.stdout
    asked = run_localcloud("runners", PYTORCH_TRAINING, "docker.io/library/python:3", "--json", environment=here)
    document = json.loads(asked.stdout)
    assert asked.returncode == 1
    assert [(each["name"], each["ready"]) for each in document["environments"]] == [("pytorch", False)]
    assert document["unknown"] == ["docker.io/library/python:3"]
    assert document["made"] == []


@pytest.mark.skipif(not COMMAND.exists(), reason="localcloud is not installed")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_when_it_is_interrupted_nothing_goes_on(tmp_path: Path, number: int, code: int) -> None:
    making = subprocess.Popen(
        [str(COMMAND), "runners", "--install", PYTORCH_TRAINING],
        env={**os.environ, "LOCALCLOUD_RUNNERS": str(tmp_path), "PIP_NO_INDEX": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert making.stderr is not None
    assert "making it, once" in making.stderr.readline()
    making.send_signal(number)
    making.communicate(timeout=30)
    assert making.returncode == code
    assert not (tmp_path / "pytorch").exists()
    with (tmp_path / ".pytorch.lock").open() as handle:  # what it had started holds the lock as long as it lives
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
