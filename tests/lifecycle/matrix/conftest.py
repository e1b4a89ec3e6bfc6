"""One localcloud for each file of situations, emptied before each; and the figures of the whole matrix in the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.lifecycle.conftest import Cloud, running_localcloud
from tests.lifecycle.matrix.judge import FIGURES

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
    cloud.post("reset", {})
    cloud.post("switches", switches)
    cloud.post("clock", {"settle_seconds": SETTLE_SECONDS})
    return cloud


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget the figures of the last run; only the process that starts the others does."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(FIGURES, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the matrix came to."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FIGURES.glob("*.json"))]
    if found:
        sums = {key: sum(one[key] for one in found) for key in ("calls", "retries", "left", "running")}
        attempts = sum(one["attempts"] - 1 for one in found)
        terminalreporter.write_line(
            f"teardown matrix: {len(found)} situations, {sums['calls']} calls, {sums['retries']} of them repeated, "
            f"{attempts} further attempts, {sums['left']} things left, {sums['running']} meters running"
        )
