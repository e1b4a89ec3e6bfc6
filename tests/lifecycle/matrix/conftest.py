"""One localcloud for each file of situations, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lifecycle.conftest import Cloud, running_localcloud

SETTLE_SECONDS = 0.02


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """A localcloud that settles at once, and its switches as they come."""
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SETTLE_MS="20") as running:
        yield running, running.admin("switches")


@pytest.fixture
def empty(quick: tuple[Cloud, dict[str, str]]) -> Cloud:
    """The file's localcloud with nothing in it, and everything as it comes."""
    cloud, switches = quick
    cloud.reset()
    cloud.post("switches", switches)
    cloud.post("clock", {"settle_seconds": SETTLE_SECONDS})
    return cloud
