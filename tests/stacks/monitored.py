"""Environments whose workloads are monitored in more ways than in ``environments/``: each engine, and a pipeline."""

from __future__ import annotations

from tests.lifecycle.environments import written
from tests.synthesis import Synthesis, synthesise

WORKLOADS = {
    "bank": {"monitors": ["data-quality", "model-quality"]},
    "penguins": {"monitors": {"model-quality": {"every": "daily"}, "data-quality": {"every": "cron(0 2/6 ? * * *)"}}},
    "mnist-kmeans": {"monitors": ["data-quality"]},
    "mnist-linear": {"monitors": ["data-quality", "batch-data-quality"]},
    "digits": {"endpoint": {"kind": "none"}, "monitors": {"batch-data-quality": {"every": "daily"}}},
    "fraud": {},
}
ENGINES = {"model-monitor": "watched", "portable": "portable"}
"""Each with the name of its environment."""


def file_of(engine: str) -> str:
    """Return the file of the environment."""
    settings = {"monthly_budget_usd": 2000, "monitoring": {"engine": engine}}
    return written(ENGINES[engine], workloads=WORKLOADS, **settings)


def monitored(engine: str) -> Synthesis:
    """Five workloads that are monitored, one of them without an endpoint, and one that is not."""
    return synthesise(file_of(engine))


def piped() -> Synthesis:
    """One pipeline, of a workload whose monitors are portable."""
    settings = {"monthly_budget_usd": 900, "monitoring": {"engine": "portable", "rows": 77}}
    return synthesise(written("portable-pipe", workloads={"penguins": {"pipeline": True}}, **settings))
