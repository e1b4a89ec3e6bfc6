"""What concerns all tests: those that take minutes begin first, no example is too slow, a matrix has its figures."""

from __future__ import annotations

import gc
import json
import shutil

import pytest
from hypothesis import settings

from tests.synthesis import ROOT

# What tests import are millions of objects that live until the end: to look through them for garbage at Python's own
# thresholds takes a fifth of a worker's time. In front of the collection of tests, which makes most of them.
gc.set_threshold(200_000, 20, 1000)

# Hypothesis fails an example that takes 200 ms, which on a loaded machine says nothing about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MATRIX = ROOT / ".localcloud" / "matrix"
"""Where each situation of the matrix leaves its figures: workers are processes of their own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lifecycle tests first, so that workers side by side end together; the others in the order of their folders."""
    items.sort(key=lambda item: "tests/lifecycle/" not in item.path.as_posix())


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget the figures of the last run; of several processes only the first does."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(MATRIX, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the matrix came to."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(MATRIX.glob("*.json"))]
    if found:
        sums = {key: sum(one[key] for one in found) for key in ("calls", "retries", "left", "running")}
        attempts = sum(one["attempts"] - 1 for one in found)
        terminalreporter.write_line(
            f"teardown matrix: {len(found)} situations, {sums['calls']} calls, {sums['retries']} of them repeated, "
            f"{attempts} further attempts, {sums['left']} things left, {sums['running']} meters running"
        )
