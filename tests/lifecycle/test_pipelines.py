"""Two workloads with pipelines, through a user's door: from the start of a run to a monitored endpoint, and to zero.

One environment for all of it, deployed by the real command from ``environments/pipelines.yaml``. The first runs train;
those after it find everything but the deployment done already, as nothing has changed that it depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.pipelines import Piped, at_once

ENVIRONMENT = "pipelines"
WORKLOADS = ("digits", "penguins")
NEVER = "1.01"
"""An accuracy that no model has."""


@pytest.fixture(scope="module")
def deployed(cloud: Cloud) -> Any:
    """What the deploy said, typed as a user types it."""
    return cloud.sandcastle("deploy", "--environment", ENVIRONMENT).document


@pytest.fixture(scope="module")
def first(deployed: Any, cloud: Cloud) -> dict[str, Any]:
    """What became of the first run of each workload, both at the same time."""
    assert deployed
    runs = (("pipeline", "run", workload, "--environment", ENVIRONMENT) for workload in WORKLOADS)
    return dict(zip(WORKLOADS, at_once(cloud, *runs), strict=True))


@pytest.fixture
def penguins(first: dict[str, Any], cloud: Cloud) -> Piped:
    """The smaller of the two, which has a deployed model."""
    assert first
    return Piped(cloud, ENVIRONMENT, "penguins")


@pytest.fixture
def unharmed(penguins: Piped) -> Iterator[dict[str, Any]]:
    """What serves before, and must serve after, with an answer."""
    before = penguins.serving()
    yield before
    assert penguins.serving() == before
    assert before["status"] == "InService"
    assert penguins.cloud.here("predict", "penguins", "--sample", "1", "--environment", ENVIRONMENT)


def test_a_deploy_trains_nothing_and_has_no_endpoint(deployed: Any, cloud: Cloud) -> None:
    assert deployed["predictions"] == {}
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_run_ends_with_a_monitored_endpoint(first: dict[str, Any], cloud: Cloud, workload: str) -> None:
    run, place = first[workload], Piped(cloud, ENVIRONMENT, workload)
    assert (run["status"], run["version"], run["approval"]) == ("Succeeded", 1, "Approved")
    assert float(run["accuracy"]) >= 0.9
    assert place.serving()["status"] == "InService"
    schedules = cloud.client("sagemaker").list_monitoring_schedules(EndpointName=place.endpoint)
    states = {
        one["MonitoringType"]: one["MonitoringScheduleStatus"] for one in schedules["MonitoringScheduleSummaries"]
    }
    assert states == {"DataQuality": "Scheduled", "ModelQuality": "Scheduled"}
    assert cloud.here("predict", workload, "--sample", "1", "--environment", ENVIRONMENT)


def test_what_it_deployed_is_at_least_as_good_as_a_plain_model(penguins: Piped, tmp_path: Path) -> None:
    report = penguins.cloud.here("evaluate", "penguins", "--environment", ENVIRONMENT, "--out", str(tmp_path))
    assert report["scikit_learn"]["at_least_as_good"] is True, report["scikit_learn"]


def test_everything_that_runs_made_is_tagged_or_named(penguins: Piped) -> None:
    """Else the audit, which asks for names and tags, would miss it: it is compared with what is billed."""
    audit = penguins.cloud.here("audit", "--environment", ENVIRONMENT, expect=1)
    found = {finding["name"] for finding in audit["findings"]}
    billed = {arn.split(":endpoint/")[1].split("/")[0] for arn in penguins.cloud.running_meters()}
    assert billed == {Piped(penguins.cloud, ENVIRONMENT, workload).endpoint for workload in WORKLOADS}
    assert billed <= found
    for names in penguins.made().values():
        assert all(name.startswith(f"sandcastle-{ENVIRONMENT}--") for name in names)


@pytest.mark.usefixtures("unharmed")
def test_data_of_an_hour_are_compared_with_what_the_model_learnt_from(penguins: Piped) -> None:
    cloud, which = penguins.cloud, {"EndpointName": penguins.endpoint, "MonitoringTypeEquals": "DataQuality"}
    cloud.half_past()
    cloud.here("predict", "penguins", "--sample", "1", "--environment", ENVIRONMENT)
    cloud.advance(300)  # until what was asked is captured
    hour = datetime.fromtimestamp(cloud.admin("clock")["now"], UTC)
    cloud.advance(3600)

    def ended() -> str:
        """How the job ended that looks at this hour: it is scheduled for the beginning of the next one."""
        listed = penguins.sagemaker.list_monitoring_executions(**which, ScheduledTimeAfter=hour)
        states = [one["MonitoringExecutionStatus"] for one in listed["MonitoringExecutionSummaries"]]
        return states[-1] if states and states[-1] not in {"Pending", "InProgress", "Stopping"} else ""

    ending = cloud.until(ended, "the job of the hour")
    assert ending in {"Completed", "CompletedWithViolations"}, penguins.sagemaker.list_monitoring_executions(**which)


def test_one_that_is_not_good_enough_to_be_deployed_unseen_waits_and_is_deployed_when_it_is_approved(
    penguins: Piped,
) -> None:
    before = penguins.serving()
    run = penguins.run("--set", f"ApproveAccuracy={NEVER}")
    assert (run["status"], run["approval"]) == ("Succeeded", "PendingManualApproval")
    assert penguins.serving() == before
    number = run["version"]
    approved = penguins.typed("approve", str(number), "--yes", "--comment", "looks right")
    assert approved["status"] == "Succeeded"
    assert penguins.versions()[number] == "Approved"
    after = penguins.serving()
    assert (after["status"], f"-{number}-" in after["config"]) == ("InService", True)
    assert after["model"] != before["model"]


def test_one_that_is_too_weak_fails_with_its_accuracy(penguins: Piped, unharmed: dict[str, Any]) -> None:
    versions = penguins.versions()
    run = penguins.run("--set", f"ReviewAccuracy={NEVER}", expect=1)
    (weak,) = [step for step in run["steps"] if step["name"] == "TooWeak"]
    assert run["status"] == "Failed"
    assert f"below the least that a person may approve, {NEVER}" in weak["reason"]
    assert "with an accuracy of 0.9" in weak["reason"] or "with an accuracy of 1.0" in weak["reason"]
    assert penguins.versions() == versions
    assert unharmed


def test_a_version_that_cannot_start_never_replaces_what_serves(penguins: Piped, unharmed: dict[str, Any]) -> None:
    number = penguins.registered_like(1, archive=penguins.archive_that_cannot_start(beside=1))
    run = penguins.typed("approve", str(number), "--yes", expect=1)
    assert run["status"] == "Failed"
    assert [step["name"] for step in run["steps"] if step["state"] == "failed"] == ["SmokeTest"]
    assert unharmed


def test_a_version_that_answers_wrongly_never_replaces_what_serves(penguins: Piped, unharmed: dict[str, Any]) -> None:
    number = penguins.registered_like(1, folder=penguins.folder_that_expects_otherwise(1))
    run = penguins.typed("approve", str(number), "--yes", expect=1)
    assert run["status"] == "Failed"
    (failed,) = [step for step in run["steps"] if step["state"] == "failed"]
    assert failed["name"] == "Deploy"
    assert "row 1" in failed["reason"]
    assert unharmed


BREAKS = {
    "ChooseBest": {"effect": "crash", "when": "start"},
    "Deploy": {"operation": "UpdateEndpoint", "effect": "crash-function", "when": "end"},
    "Confirm": {"operation": "DeleteEndpointConfig", "effect": "crash-function", "when": "end"},
    "Schedules": {"operation": "CreateDataQualityJobDefinition", "effect": "crash-function", "when": "end"},
}
"""By step, how its function dies: before anything, or after a call that took effect and that it does not know of."""


@pytest.mark.parametrize(
    "step", [pytest.param(one, marks=[] if one == "Deploy" else [pytest.mark.exhaustive]) for one in BREAKS]
)
def test_a_run_that_broke_off_goes_on_and_makes_nothing_twice(
    penguins: Piped, first: dict[str, Any], step: str
) -> None:
    cloud = penguins.cloud
    (made,) = [one["made"] for one in first["penguins"]["steps"] if one["name"] == step]
    function = made.rsplit(":", 1)[-1]
    whose = {"function": function} if BREAKS[step]["effect"] == "crash" else {"service": "sagemaker"}
    cloud.post("faults", {"rules": [{**BREAKS[step], **whose, "times": 1}]})
    broken = penguins.run(expect=1)
    assert [one["name"] for one in broken["steps"] if one["state"] == "failed"] == [step]
    cloud.post("faults", {"rules": []})
    versions = penguins.versions()
    again = penguins.run("--retry")
    assert (again["status"], again["execution"]) == ("Succeeded", broken["execution"])
    assert penguins.serving()["status"] == "InService"
    if step != "ChooseBest":  # before which nothing is registered
        assert penguins.versions() == versions
    run, now = broken["execution"].rsplit("/", 1)[-1], penguins.made()
    for kind in ("list_models", "list_transform_jobs"):
        assert len([name for name in now[kind] if run in name]) == 1
    assert len(now["list_endpoints"]) == 1
    assert len(now["list_endpoint_configs"]) == 2  # of what serves, and of what served before
    assert len(now["list_monitoring_schedules"]) == 2
    for kind in ("data", "model"):
        assert len(now[f"list_{kind}_quality_job_definitions"]) == 1


@pytest.mark.exhaustive
def test_two_runs_at_once_do_not_fight_over_the_endpoint(penguins: Piped) -> None:
    before = penguins.versions()
    run = ("pipeline", "run", "penguins", "--environment", ENVIRONMENT)
    runs = at_once(penguins.cloud, run, run)
    assert [one["status"] for one in runs] == ["Succeeded", "Succeeded"]
    numbers = {one["version"] for one in runs}
    assert numbers == set(penguins.versions()) - set(before)
    serving = penguins.serving()
    assert serving["status"] == "InService"
    assert any(f"-{number}-" in serving["config"] for number in numbers)
    assert len(penguins.made()["list_endpoints"]) == 1


def test_a_destroy_during_runs_reaches_zero(penguins: Piped) -> None:
    """Both pipelines run: one waits for its function, which no stop reaches, the other trains anew."""
    cloud, digits = penguins.cloud, Piped(penguins.cloud, ENVIRONMENT, "digits")
    assert len(penguins.versions()) >= 3
    training, deploying = digits.begin(DataVersion="another"), penguins.begin()
    digits.until(training, "Prepare", "Executing", "Succeeded")
    penguins.until(deploying, "Deploy", "Executing")
    report = cloud.here("destroy", "--environment", ENVIRONMENT)
    assert (report["clean"], report["attempts"], report["swept"]) == (True, 1, [])
    cloud.assert_nothing_left(ENVIRONMENT)
