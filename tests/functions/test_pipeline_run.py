"""Portable monitors of a pipeline's endpoint: which baseline a run has, when there is none, and what the step says."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import monitor_run
import pipeline_run
import pipeline_watched
import pytest
from pipeline_schedules import ScheduleError

from tests.functions.pipeline_deploying import config, package
from tests.functions.pipeline_world import ENDPOINT, PACKAGES, World
from tests.functions.test_monitor_run import EVENT
from tests.functions.test_pipeline_schedules import baselines, serve, world_of

CALL: dict[str, Any] = {**EVENT, "endpoint": ENDPOINT, "packages": PACKAGES}
JUDGES = {**CALL, "request": {"ProcessingInputs": [], "Environment": {"analysis_type": "MODEL_QUALITY"}}}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Events that ``monitor_run`` was given."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(pipeline_run, "run", lambda event: found.append(event) or "job")
    return found


def run(monkeypatch: pytest.MonkeyPatch, world: World, event: dict[str, Any]) -> str:
    monkeypatch.setattr(pipeline_run, "client", lambda _: world.client())
    return pipeline_run.handler(event, None)


@pytest.mark.parametrize(("event", "part"), [(CALL, "ModelDataQuality"), (JUDGES, "ModelQuality")])
def test_a_run_compares_with_the_version_that_serves(
    monkeypatch: pytest.MonkeyPatch, started: list[dict[str, Any]], event: dict[str, Any], part: str
) -> None:
    world = world_of(1)
    serve(world, 2)
    for version in (2, 1):
        world.endpoints[ENDPOINT]["EndpointConfigName"] = config(version)
        assert run(monkeypatch, world, event) == "job"
        *before, added = started[-1]["request"]["ProcessingInputs"]
        assert before == event["request"]["ProcessingInputs"]
        assert added["S3Input"]["S3Uri"] == f"s3://reports/e{version}/{part}/"
        request = monitor_run.request_of(started[-1], datetime(2026, 3, 1, 15, tzinfo=UTC), [("s3://a/b", "/c")], [])
        assert [one["InputName"] for one in request["ProcessingInputs"]][-2:] == ["baseline", "captured-1"]


def test_nothing_is_started_while_no_version_of_the_pipeline_serves(
    monkeypatch: pytest.MonkeyPatch, started: list[dict[str, Any]]
) -> None:
    assert run(monkeypatch, World(), CALL) == ""
    world = world_of(1)
    world.endpoints[ENDPOINT]["EndpointConfigName"] = "by-hand"
    assert run(monkeypatch, world, CALL) == ""
    world = world_of(1)
    world.packages[package(1)].pop("DriftCheckBaselines")
    assert run(monkeypatch, world, CALL) == ""
    assert started == []


def test_the_step_gives_slack_to_the_version_that_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Any, int]] = []
    world = world_of(1)
    serve(world, 2)
    monkeypatch.setattr(os, "environ", {"SCHEDULES": "a b", "WINDOW_ROWS": "50"})
    monkeypatch.setattr(pipeline_watched, "client", lambda _: world.client())
    monkeypatch.setattr(pipeline_watched, "give_slack_to_package", lambda _, found, rows: given.append((found, rows)))
    event = {"package": package(1), "endpoint": ENDPOINT}
    assert pipeline_watched.handler(event, None) == {"endpoint": ENDPOINT, "version": 2, "schedules": "a b"}
    assert given == [(baselines("e2"), 50)]
    world.packages[package(2)]["DriftCheckBaselines"].pop("ModelQuality")
    with pytest.raises(ValueError, match="no ModelQuality in its DriftCheckBaselines"):
        pipeline_watched.handler(event, None)
    world.endpoints[ENDPOINT]["EndpointConfigName"] = "by-hand"
    with pytest.raises(ScheduleError, match="which no pipeline deployed"):
        pipeline_watched.handler(event, None)
