"""The monitors of a pipeline's endpoint: made, brought up to date, left alone, whatever happens in between."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pipeline_schedules
import pytest
from pipeline_monitors import KINDS, Monitors
from pipeline_schedules import ScheduleError

from tests.functions.conftest import Context
from tests.functions.pipeline_deploying import config, package
from tests.functions.pipeline_world import ENDPOINT, Crash, World

pytestmark = pytest.mark.usefixtures("pauses")

VARIABLES = {
    "TAGS": '{"sandcastle:environment": "test"}',
    "MONITOR_IMAGE": "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer",
    "MONITOR_ROLE": "arn:aws:iam::000000000000:role/monitor",
    "REPORTS_URI": "s3://reports/monitoring/penguins/",
    "PROBLEM_TYPE": "MulticlassClassification",
    "CONTENT_TYPE": "text/csv",
    "ACCEPT": "application/json",
}
DATA, QUALITY = f"{ENDPOINT}-data", f"{ENDPOINT}-quality"


def baselines(run: str) -> dict[str, Any]:
    def files(part: str) -> dict[str, Any]:
        names = {"Statistics": "statistics", "Constraints": "constraints"}
        return {
            name: {"ContentType": "application/json", "S3Uri": f"s3://reports/{run}/{part}/{file}.json"}
            for name, file in names.items()
        }

    return {part: files(part) for part in ("ModelDataQuality", "ModelQuality")}


def world_of(version: int) -> World:
    """Return a world whose endpoint serves the version."""
    world = World()
    serve(world, version)
    return world


def serve(world: World, version: int) -> None:
    world.packages[package(version)] = {
        "ModelApprovalStatus": "Approved",
        "DriftCheckBaselines": baselines(f"e{version}"),
    }
    world.endpoints[ENDPOINT] = {"EndpointStatus": "InService", "EndpointConfigName": config(version)}


Watch = Callable[..., dict[str, Any]]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    def run(world: World, version: int, context: Context | None = None, **variables: str) -> dict[str, Any]:
        monkeypatch.setattr(os, "environ", VARIABLES | variables)
        monkeypatch.setattr(pipeline_schedules, "client", lambda _: world.client())
        return pipeline_schedules.handler({"package": package(version), "endpoint": ENDPOINT}, context or Context())

    return run


def test_both_monitors_run_every_hour_with_the_packages_baselines(watch: Watch) -> None:
    world = world_of(1)
    assert watch(world, 1) == {"endpoint": ENDPOINT, "version": 1, "schedules": f"{DATA} {QUALITY}"}
    assert sorted(world.schedules) == [DATA, QUALITY]
    for name, kind in ((DATA, "DataQuality"), (QUALITY, "ModelQuality")):
        plan = world.schedules[name]["MonitoringScheduleConfig"]
        assert world.schedules[name]["MonitoringScheduleStatus"] == "Scheduled"
        assert plan["ScheduleConfig"] == {"ScheduleExpression": "cron(0 * ? * * *)"}
        assert plan["MonitoringType"] == kind
        definition = world.definitions[plan["MonitoringJobDefinitionName"]]
        assert definition["RoleArn"] == VARIABLES["MONITOR_ROLE"]
        assert definition[f"{kind}AppSpecification"]["ImageUri"] == VARIABLES["MONITOR_IMAGE"]
        assert definition[f"{kind}JobInput"]["EndpointInput"]["EndpointName"] == ENDPOINT
        for made in (definition, world.schedules[name]):
            assert made["Tags"] == [{"Key": "sandcastle:environment", "Value": "test"}]
    quality = next(one for one in world.definitions.values() if "ModelQualityJobInput" in one)
    assert quality["ModelQualityBaselineConfig"] == {
        "ConstraintsResource": {"S3Uri": "s3://reports/e1/ModelQuality/constraints.json"}
    }
    assert quality["ModelQualityJobInput"]["GroundTruthS3Input"] == {
        "S3Uri": "s3://reports/monitoring/penguins/ground-truth"
    }
    assert quality["ModelQualityJobInput"]["EndpointInput"]["InferenceAttribute"] == "prediction"


def test_the_baselines_get_slack_before_anything_compares_with_them(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, given = world_of(1), []
    monkeypatch.setattr(
        pipeline_schedules,
        "give_slack_to_package",
        lambda _, baselines, rows: given.append((baselines, rows, list(world.definitions))),
    )
    watch(world, 1, WINDOW_ROWS="300")
    assert given == [(baselines("e1"), 300, [])]
    assert len(world.definitions) == 2
    watch(world, 1)
    assert len(given) == 1, "what a package's constraints say is nobody's business without the variable"


def test_the_same_content_again_changes_nothing(watch: Watch) -> None:
    world = world_of(1)
    watch(world, 1)
    before = len(world.effects)
    watch(world, 1)
    assert [one for one in world.effects[before:] if not one.startswith(("Describe", "List"))] == []


def test_another_version_updates_the_schedules_and_deletes_the_old_definitions(watch: Watch) -> None:
    world = world_of(1)
    watch(world, 1)
    old = set(world.definitions)
    serve(world, 2)
    watch(world, 2)
    assert len(world.definitions) == 2
    assert not old & set(world.definitions)
    assert world.made.count("CreateMonitoringSchedule") == world.made.count("UpdateMonitoringSchedule") == 2


def test_of_two_versions_the_one_that_serves_is_watched(watch: Watch) -> None:
    world = world_of(1)
    serve(world, 2)
    watch(world, 2)
    before = len(world.made)
    assert watch(world, 1) == {"endpoint": ENDPOINT, "version": 2, "schedules": f"{DATA} {QUALITY}"}
    assert world.made[before:] == []


def test_an_endpoint_of_somebody_else_is_not_watched(watch: Watch) -> None:
    world = world_of(1)
    world.endpoints[ENDPOINT]["EndpointConfigName"] = "by-hand"
    with pytest.raises(ScheduleError, match="serves by-hand, which no pipeline deployed"):
        watch(world, 1)


def test_a_binary_model_is_watched_by_its_score(watch: Watch) -> None:
    world = world_of(1)
    watch(world, 1, PROBLEM_TYPE="BinaryClassification", ACCEPT="text/csv", THRESHOLD="0.4")
    quality = next(one for one in world.definitions.values() if "ModelQualityJobInput" in one)
    given = quality["ModelQualityJobInput"]["EndpointInput"]
    assert (given["ProbabilityAttribute"], given["ProbabilityThresholdAttribute"]) == ("0", 0.4)
    assert "InferenceAttribute" not in given


def test_a_job_that_runs_is_waited_for(watch: Watch) -> None:
    world = world_of(1)
    watch(world, 1)
    serve(world, 2)
    world.running[DATA] = 3
    watch(world, 2)
    assert world.schedules[DATA]["MonitoringScheduleStatus"] == "Scheduled"
    serve(world, 3)
    world.running[DATA] = 1000
    with pytest.raises(ScheduleError, match=f"{DATA} has a job that runs and cannot be changed: try again later"):
        watch(world, 3, Context([60_000, 60_000, 1_000]))


def test_a_schedule_that_somebody_stopped_stays_stopped(watch: Watch) -> None:
    world = world_of(1)
    watch(world, 1)
    world.schedules[DATA] |= {"MonitoringScheduleStatus": "Stopped", "then": "Stopped"}
    serve(world, 2)
    watch(world, 2)
    assert world.schedules[DATA]["MonitoringScheduleStatus"] == "Stopped"
    assert len(world.definitions) == 2


def test_a_package_without_baselines_is_refused_by_what_is_missing(watch: Watch) -> None:
    world = world_of(1)
    del world.packages[package(1)]["DriftCheckBaselines"]["ModelQuality"]
    with pytest.raises(ValueError, match=r"the package has no ModelQuality\.Constraints in its DriftCheckBaselines"):
        watch(world, 1)


def test_a_function_that_dies_at_any_call_goes_on_where_it_ended(watch: Watch) -> None:
    whole = world_of(1)
    watch(whole, 1)
    serve(whole, 2)
    first = len(whole.calls)
    watch(whole, 2)
    for number in range(1, len(whole.calls) - first + 1):
        for before in (True, False):
            world = world_of(1)
            watch(world, 1)
            serve(world, 2)
            world.calls.clear()
            world.at_call, world.before, world.event = number, before, die
            with pytest.raises(Crash):
                watch(world, 2)
            watch(world, 2)
            assert world.definitions == whole.definitions, (number, before)
            assert sorted(world.made) == sorted(whole.made), (number, before)


def test_a_call_whose_answer_is_lost_is_made_again_and_harms_nothing(watch: Watch) -> None:
    whole = world_of(1)
    watch(whole, 1)
    for lost in range(1, len(whole.calls) + 1):
        world = world_of(1)
        world.lost = lost
        watch(world, 1)
        assert (world.definitions, world.made) == (whole.definitions, whole.made), lost


def test_the_version_that_serves_in_the_end_is_the_one_that_is_watched(watch: Watch) -> None:
    """Another execution deploys and watches its version while this one makes any of its calls."""

    def begun() -> World:
        world = world_of(3)
        watch(world, 3)
        serve(world, 1)
        world.calls.clear()
        return world

    whole = begun()
    watch(whole, 1)
    for number in range(1, len(whole.calls) + 1):
        for before in (True, False):
            world = begun()

            def other(world: World = world) -> None:
                serve(world, 2)
                watch(world, 2)

            world.at_call, world.before, world.event = number, before, other
            watch(world, 1)
            used = {one["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] for one in world.schedules.values()}
            wanted = Monitors.of(VARIABLES, ENDPOINT)
            names = {wanted.definition(kind, baselines("e2"))["JobDefinitionName"] for kind in KINDS}
            if number < len(whole.calls) or before:  # after the last look nothing is looked at
                assert used == names, (number, before)
            assert names == set(world.definitions), (number, before)


def die() -> None:
    raise Crash


def test_names_of_definitions_stand_for_their_content_and_fit() -> None:
    monitors = Monitors.of(VARIABLES, ENDPOINT)
    one, same, other = (monitors.definition("DataQuality", baselines(run)) for run in ("e1", "e1", "e2"))
    assert one == same
    assert one["JobDefinitionName"] != other["JobDefinitionName"]
    long = Monitors.of(VARIABLES, "e" * 60).definition("ModelQuality", baselines("e1"))["JobDefinitionName"]
    assert len(long) == 63
    assert json.dumps(one)
