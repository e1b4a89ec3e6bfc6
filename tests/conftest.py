"""The order of all tests: those that take minutes begin first, so that workers side by side end together."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lifecycle tests first, everything else in the order of its folders."""
    items.sort(key=lambda item: "tests/lifecycle/" not in item.path.as_posix())
