"""A real localcloud for the tests below this folder, started by its own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
#: localcloud's own environment; the tests run in the product's
COMMAND = Path(os.environ.get("LOCALCLOUD_COMMAND") or ROOT / ".localcloud" / "venv" / "bin" / "localcloud")

# clock, meter and processes need nothing of that environment and are unit-tested in this one
sys.path.insert(0, str(ROOT / "localcloud" / "src"))


@dataclass(frozen=True)
class Localcloud:
    """A running server and what a test does with it."""

    endpoint: str
    state: Path
    pid: int

    def client(self, service: str, credentials: Mapping[str, str] | None = None, region: str = "us-east-1") -> Any:
        """A boto3 client as the account root, or with AccessKeyId/SecretAccessKey/SessionToken given."""
        given = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given.get("SessionToken"))
        return _client(self.endpoint, service, region, keys)

    def admin(self, method: str, name: str, document: Any = None) -> Any:
        """One ``/_localcloud/`` request: the decoded reply."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.endpoint}/_localcloud/{name}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)


@cache
def _client(endpoint: str, service: str, region: str, keys: tuple[str, str, str | None]) -> Any:
    """One client for each caller of a service: to make one takes longer than most calls."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2],
        config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=120),
    )


def run_localcloud(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command, with its output captured."""
    return subprocess.run(
        [str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environment or {})},
    )


@contextmanager
def started(state: Path, environment: Mapping[str, str] | None = None) -> Iterator[Localcloud]:
    """A server of its own for the time of the block."""
    done = run_localcloud("start", "--state", str(state), "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    try:
        yield Localcloud(facts["endpoint"], state, facts["pid"])
    finally:
        run_localcloud("stop", "--state", str(state))


@pytest.fixture(scope="session")
def localcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    """One server for the whole session; tests use names of their own and clean up nothing."""
    with started(tmp_path_factory.mktemp("localcloud")) as server:
        yield server
