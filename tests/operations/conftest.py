"""A localcloud for what the command asks and removes, and a target that leads to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.target import Target
from tests.localcloud.conftest import Localcloud, started


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    """One localcloud for this folder, in which many jobs run at once and none takes long to stop."""
    settings = {"LOCALCLOUD_JOB_SLOTS": "24", "LOCALCLOUD_STOP_GRACE_SECONDS": "1"}
    with started(tmp_path_factory.mktemp("localcloud"), settings) as running:
        yield running


@pytest.fixture
def target(server: Localcloud, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The local target, as `sandcastle` would make it."""
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    return Target("local", "000000000000", "us-east-1", settings)
