"""Every environment of the project, synthesised once."""

from __future__ import annotations

import sys

import pytest

from sandcastle.config import load_environment
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, synthesise

sys.path.insert(0, str(ROOT / "assets" / "functions"))  # a template's input is tried on the function that gets it

WITH_STUDIO = [name for name in ENVIRONMENTS if load_environment(name, ROOT).studio]
WITH_BANK = [
    name for name in ENVIRONMENTS if any(one.stack == "workload-bank" for one in load_environment(name, ROOT).workloads)
]
WITH_PIPELINES = [name for name in ENVIRONMENTS if any(one.pipeline for one in load_environment(name, ROOT).workloads)]


@pytest.fixture(params=ENVIRONMENTS)
def each(request: pytest.FixtureRequest) -> Synthesis:
    """Each environment in turn."""
    return synthesise(request.param)


@pytest.fixture
def local() -> Synthesis:
    """The default environment."""
    return synthesise("local")


@pytest.fixture(params=WITH_STUDIO)
def with_studio(request: pytest.FixtureRequest) -> Synthesis:
    """Each environment that has Studio."""
    return synthesise(request.param)


@pytest.fixture(params=WITH_BANK)
def with_bank(request: pytest.FixtureRequest) -> Synthesis:
    """Each environment with a stack of the workload ``bank``."""
    return synthesise(request.param)


@pytest.fixture(params=WITH_PIPELINES)
def with_pipelines(request: pytest.FixtureRequest) -> Synthesis:
    """Each environment in which a workload has a pipeline."""
    return synthesise(request.param)
