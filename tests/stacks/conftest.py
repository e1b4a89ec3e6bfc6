"""Every environment of the project, synthesised once."""

from __future__ import annotations

import pytest

from tests.synthesis import ENVIRONMENTS, Synthesis, synthesise


@pytest.fixture(params=ENVIRONMENTS)
def each(request: pytest.FixtureRequest) -> Synthesis:
    """Each environment in turn."""
    return synthesise(request.param)


@pytest.fixture
def local() -> Synthesis:
    """The default environment."""
    return synthesise("local")
