"""A localcloud of its own for the lifecycle tests, and the commands that a user types against it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from operations.cli import main
from tests import least_privilege
from tests.lifecycle.environments import written

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a lifecycle test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lifecycle)


@dataclass(frozen=True)
class Run:
    """A finished command: exit code, the JSON document it printed (if asked), and everything else it said."""

    code: int
    document: Any
    text: str


@dataclass(frozen=True)
class Cloud:
    """A running localcloud and the ways in which the tests reach it: the real command, the real CLI, boto3."""

    state: Path
    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        """A user's shell: the pinned tools first on PATH, and this localcloud."""
        path = f"{BIN}:{ROOT / 'node_modules' / '.bin'}:{os.environ['PATH']}"
        return {**os.environ, "LOCALCLOUD_STATE": str(self.state), "PATH": path}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``sandcastle ...`` in a process group of its own, so that a test can kill all of it."""
        return subprocess.Popen(
            ["sandcastle", *arguments],
            executable=BIN / "sandcastle", cwd=ROOT, env=self.environ, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def sandcastle(self, *arguments: str, expect: int = 0) -> Run:
        """Run ``sandcastle ... --json`` to its end and insist on its exit code."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=600)
        assert process.returncode == expect, f"sandcastle {' '.join(arguments)}: {process.returncode}\n{err}\n{out}"
        return Run(process.returncode, json.loads(out) if out.strip() else None, err)

    def here(self, *arguments: str, expect: int = 0) -> Any:
        """Run ``sandcastle ... --json`` in this process and return the document that it prints.

        To start a process takes longer than most commands. ``test_environment`` does, as a user does.
        """
        answer = io.StringIO()
        with patch.dict(os.environ, self.environ, clear=True), redirect_stdout(answer):
            code = main([*arguments, "--json"])
        assert code == expect, f"sandcastle {' '.join(arguments)}: {code}\n{answer.getvalue()}"
        return json.loads(answer.getvalue())

    def shell(self, line: str) -> str:
        """Run a line as a user would type it after ``eval "$(sandcastle env)"``."""
        script = f'set -euo pipefail; eval "$(sandcastle env)"; {line}'
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def client(self, service: str) -> Any:
        """A boto3 client as the account's root."""
        return _client(self.endpoint, service)

    def admin(self, path: str) -> Any:
        """One of localcloud's own pages."""
        with urllib.request.urlopen(f"{self.endpoint}/_localcloud/{path}", timeout=30) as reply:
            return json.load(reply)

    def stacks(self) -> dict[str, str]:
        """Status of every stack but CDK's own."""
        pages = self.client("cloudformation").get_paginator("list_stacks").paginate()
        found = [stack for page in pages for stack in page["StackSummaries"]]
        there = [one for one in found if one["StackStatus"] != "DELETE_COMPLETE" and one["StackName"] != "CDKToolkit"]
        return {stack["StackName"]: stack["StackStatus"] for stack in there}

    def jobs(self, kind: str = "training") -> list[str]:
        """Names of all jobs ever started, oldest first."""
        operation, result, name = {
            "training": ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
            "processing": ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"),
        }[kind]
        pages = self.client("sagemaker").get_paginator(operation).paginate(SortBy="CreationTime", SortOrder="Ascending")
        return [job[name] for page in pages for job in page[result]]

    def until(self, happened: Callable[[], Any], what: str, seconds: float = 240.0) -> Any:
        """Wait for something to become true in the cloud and return it."""
        deadline = time.monotonic() + seconds
        while not (answer := happened()):
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}; stacks: {self.stacks()}"
            time.sleep(0.1)
        return answer

    def assert_nothing_left(self, environment: str) -> None:
        """The audit finds nothing, and localcloud's own meter, which knows no tags, stands still."""
        audit = self.here("audit", "--environment", environment)
        assert audit["findings"] == []
        assert audit["clean"] is True
        assert self.stacks() == {}
        assert self.running_meters() == []

    def running_meters(self) -> list[str]:
        """What localcloud bills by the second right now, whatever tags it has."""
        return [line["arn"] for line in self.admin("meter")["readings"] if line["running"]]

    def advance(self, seconds: float) -> None:
        """Let modelled time pass."""
        self.post("clock", {"advance_seconds": seconds})

    def half_past(self) -> None:
        """Let time pass until the middle of an hour: what is captured now and what is done next fall into the same."""
        self.advance((1800 - self.admin("clock")["now"]) % 3600)

    def reset(self) -> None:
        """Empty it, and keep what it recorded."""
        least_privilege.leave(self.admin("calls"))
        self.post("reset", {})

    def post(self, path: str, document: Any) -> Any:
        """Tell localcloud something."""
        body = json.dumps(document).encode()
        request = urllib.request.Request(f"{self.endpoint}/_localcloud/{path}", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)


@cache
def _client(endpoint: str, service: str) -> Any:
    """One client for each service: to make one takes longer than most calls."""
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


@contextmanager
def running_localcloud(folders: pytest.TempPathFactory, **switches: str) -> Iterator[Cloud]:
    """A localcloud for the time of the block, with its own switches set."""
    state = folders.mktemp("localcloud")
    command = [str(ROOT / ".localcloud" / "venv" / "bin" / "localcloud")]
    started = subprocess.run(
        [*command, "start", "--state", str(state), "--json"],
        capture_output=True, text=True, check=True, env={**os.environ, **switches},
    )  # fmt: skip
    cloud = Cloud(state, json.loads(started.stdout)["endpoint"])
    try:
        yield cloud
        least_privilege.leave(cloud.admin("calls"))
    finally:
        subprocess.run([*command, "stop", "--state", str(state)], check=True, stdout=sys.stderr)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A localcloud for one module of tests."""
    with running_localcloud(tmp_path_factory) as running:
        yield running


@pytest.fixture
def environment_file() -> Callable[..., str]:
    """Writes an environment file with the workload bank and returns its path."""

    def write(name: str, **settings: Any) -> str:
        usual = {"notify": ["team@example.com"], "workloads": {"bank": {}}, "data": "sample"}
        return written(name, **{**usual, **settings})

    return write
