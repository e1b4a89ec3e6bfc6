"""Two workloads with pipelines, through a user's door: from the start of a run to a monitored endpoint, and to zero.

One environment for all of it, deployed by the real command from ``environments/pipelines.yaml``. The first runs train;
those after it find everything but the deployment done already, as nothing has changed that it depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
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


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_it_deployed_is_at_least_as_good_as_a_plain_model(
    first: dict[str, Any], cloud: Cloud, workload: str, tmp_path: Any
) -> None:
    assert first
    report = cloud.here("evaluate", workload, "--environment", ENVIRONMENT, "--out", str(tmp_path))
    assert report["scikit_learn"]["at_least_as_good"] is True, report["scikit_learn"]


def test_everything_that_runs_made_is_tagged_or_named(penguins: Piped) -> None:
    """Else the audit, which asks for names and tags, would miss it: it is compared with what is billed."""
    audit = penguins.cloud.here("audit", "--environment", ENVIRONMENT, expect=1)
    found = {finding["name"] for finding in audit["findings"]}
    billed = {arn.rsplit("/", 1)[-1] for arn in penguins.cloud.running_meters() if "endpoint" in arn}
    assert billed
    assert billed <= found
    for names in penguins.made().values():
        assert all(name.startswith(f"sandcastle-{ENVIRONMENT}--") for name in names)


def test_an_hour_of_monitoring(penguins: Piped) -> None:
    cloud = penguins.cloud
    cloud.here("evaluate", "penguins", "--environment", ENVIRONMENT, "--no-baseline")
    cloud.advance(300)  # until what was asked is captured
    cloud.advance(2 * 3600)

    def ended() -> set[str]:
        runs = penguins.sagemaker.list_monitoring_executions(EndpointName=penguins.endpoint)
        states = {one["MonitoringType"]: one["MonitoringExecutionStatus"]
                  for one in runs["MonitoringExecutionSummaries"]}  # fmt: skip
        return set(states.values()) if set(states) == {"DataQuality", "ModelQuality"} else set()

    running = {"Pending", "InProgress", "Stopping"}
    cloud.until(lambda: ended() and not ended() & running, "the jobs of the hour")
    runs = penguins.sagemaker.list_monitoring_executions(
        EndpointName=penguins.endpoint, MonitoringTypeEquals="DataQuality"
    )
    states = [one["MonitoringExecutionStatus"] for one in runs["MonitoringExecutionSummaries"]]
    assert states[-1] in {"Completed", "CompletedWithViolations"}, runs["MonitoringExecutionSummaries"]


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


def test_a_run_that_broke_off_goes_on_and_makes_nothing_twice(penguins: Piped) -> None:
    cloud = penguins.cloud
    crash = {"function": "FunctionsDeploy", "effect": "crash", "when": "end", "calls": 6, "times": 1}
    cloud.post("faults", {"rules": [crash]})
    broken = penguins.run(expect=1)
    assert [step["name"] for step in broken["steps"] if step["state"] == "failed"] == ["Deploy"]
    cloud.post("faults", {"rules": []})
    made, versions = penguins.made(), penguins.versions()
    again = penguins.run("--retry")
    assert (again["status"], again["execution"]) == ("Succeeded", broken["execution"])
    assert penguins.versions() == versions
    assert penguins.serving()["status"] == "InService"
    after = penguins.made()
    for kind in ("list_endpoints", "list_transform_jobs", "list_monitoring_schedules"):
        assert after[kind] == made[kind]
    assert len(after["list_endpoint_configs"]) == len(after["list_models"]) == 2  # what serves, and the one before


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
