"""Warm pools of training jobs, on a clock that moves only when told."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import World
from tests.localcloud.sagemaker.test_sagemaker_quotas import training

KEEP = 1800
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
WARM = "ml.m5.large for training warm pool usage"


def start(world: World, name: str = "first", keep: int = KEEP, **members: Any) -> None:
    resources = {**RESOURCES, "KeepAlivePeriodInSeconds": keep}
    world.call("CreateTrainingJob", **training(name, ResourceConfig=resources, **members))


def run(world: World, starting: float = durations.JOB_STARTING) -> None:
    """Until the newest job's process runs."""
    number = len(world.backend.jobs)
    world.clock.advance(starting + durations.JOB_IMAGE_DOWNLOAD)
    world.wait_until(lambda: len(world.backend.jobs) > number)


def end(world: World, status: str = "Completed", reason: str = "") -> None:
    world.backend.jobs[-1].on_done(
        JobOutcome(status, failure_reason=reason or None, secondary_status=status, seconds_running=5)
    )


def pool(world: World, name: str = "first") -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.call("DescribeTrainingJob", TrainingJobName=name).get("WarmPoolStatus")
    return found


def billed(world: World) -> dict[str, Any]:
    [line] = [line for line in world.meter.snapshot() if line["kind"] == "training-warm-pool"]
    return {"quantity": line["quantity"], "seconds": line["seconds"], "running": line["running"]}


@pytest.fixture
def kept(world: World) -> World:
    """A world in which job `first` has left a pool."""
    start(world)
    run(world)
    end(world)
    return world


def test_a_pool_is_billed_until_its_time_is_over(kept: World) -> None:
    kept.clock.advance(600)
    assert pool(kept) == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 600}
    assert billed(kept) == {"quantity": 2, "seconds": 600.0, "running": True}
    kept.clock.advance(KEEP)
    assert pool(kept) == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": KEEP}
    assert billed(kept) == {"quantity": 2, "seconds": float(KEEP), "running": False}


def test_it_never_makes_time_jump(kept: World) -> None:
    assert (kept.clock.pending("settle"), kept.clock.pending("calendar")) == (0, 1)


def test_an_update_to_zero_ends_it(kept: World) -> None:
    kept.clock.advance(60)
    kept.call("UpdateTrainingJob", TrainingJobName="first", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    assert pool(kept) == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 60}
    assert not billed(kept)["running"]
    error = kept.refusal("UpdateTrainingJob", TrainingJobName="first", ResourceConfig={"KeepAlivePeriodInSeconds": 60})
    assert "has no warm pool in status Available" in error.message


def test_an_update_counts_from_the_end_of_the_job(kept: World) -> None:
    kept.clock.advance(60)
    kept.call("UpdateTrainingJob", TrainingJobName="first", ResourceConfig={"KeepAlivePeriodInSeconds": 100})
    kept.clock.advance(39)
    assert pool(kept) == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 99}
    kept.clock.advance(1)
    assert pool(kept) == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 100}


def test_a_job_with_a_pool_is_not_deleted(kept: World) -> None:
    error = kept.refusal("DeleteTrainingJob", TrainingJobName="first")
    assert error.code == "ResourceInUse"
    kept.call("UpdateTrainingJob", TrainingJobName="first", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    kept.call("DeleteTrainingJob", TrainingJobName="first")


def test_a_stopped_job_leaves_a_pool_when_its_instances_were_up(world: World) -> None:
    start(world)
    run(world)
    world.call("StopTrainingJob", TrainingJobName="first")
    assert pool(world) == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0}
    start(world, "early", VpcConfig=None, EnableNetworkIsolation=True)  # not alike: new instances
    world.call("StopTrainingJob", TrainingJobName="early")
    world.clock.advance(durations.JOB_STOP_EARLY)
    assert pool(world, "early") is None


@pytest.mark.parametrize(
    ("reason", "status"),
    [("AlgorithmError: ExecuteUserScriptError", "Available"), ("InternalServerError", "Terminated")],
)
def test_a_failure_leaves_a_pool_when_the_algorithm_failed(world: World, reason: str, status: str) -> None:
    start(world)
    run(world)
    end(world, "Failed", reason)
    found = pool(world)
    assert found
    assert found["Status"] == status


def test_without_a_quota_there_is_no_pool(world: World) -> None:
    world.quotas.set({WARM: 1})
    start(world)
    run(world)
    end(world)
    assert pool(world) == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 0}
    assert not [line for line in world.meter.snapshot() if line["running"]]


def test_a_pool_counts_as_training_instances(kept: World) -> None:
    kept.quotas.set({"ml.m5.large for training job usage": 2})
    other = {**RESOURCES, "VolumeSizeInGB": 50}
    error = kept.refusal("CreateTrainingJob", **training("second", ResourceConfig=other))
    assert "current utilization of 2 Instances" in error.message
    kept.call("CreateTrainingJob", **training("third"))  # it fits the pool


def test_a_matching_job_takes_the_pool_over(kept: World) -> None:
    kept.clock.advance(60)
    start(kept, "second", keep=600)
    assert pool(kept) == {
        "Status": "Reused",
        "ResourceRetainedBillableTimeInSeconds": 60,
        "ReusedByJob": "second",
    }
    assert pool(kept, "second") == {"Status": "InUse"}
    assert not billed(kept)["running"]
    run(kept, durations.JOB_WARM_START)
    end(kept)
    assert pool(kept, "second") == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0}
    kept.call("DeleteTrainingJob", TrainingJobName="first")


def test_a_pool_ends_with_a_job_that_does_not_keep_it(kept: World) -> None:
    start(kept, "second", keep=0)
    run(kept, durations.JOB_WARM_START)
    end(kept)
    found = pool(kept, "second")
    assert found
    assert found["Status"] == "Terminated"


def test_jobs_are_listed_by_the_status_of_their_pool(kept: World) -> None:
    kept.call("CreateTrainingJob", **training("plain", ResourceConfig={**RESOURCES, "VolumeSizeInGB": 50}))
    listed = kept.call("ListTrainingJobs", WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [(job["TrainingJobName"], job["WarmPoolStatus"]["Status"]) for job in listed] == [("first", "Available")]
    assert kept.call("ListTrainingJobs", WarmPoolStatusEquals="Reused")["TrainingJobSummaries"] == []


def test_spot_instances_are_not_kept(world: World) -> None:
    spot = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    resources = {**RESOURCES, "KeepAlivePeriodInSeconds": 60}
    error = world.refusal(
        "CreateTrainingJob",
        **training("spot", ResourceConfig=resources, EnableManagedSpotTraining=True, StoppingCondition=spot),
    )
    assert "managed spot training" in error.message


def test_other_updates_are_refused_by_name(kept: World) -> None:
    error = kept.refusal("UpdateTrainingJob", TrainingJobName="first", ProfilerConfig={"DisableProfiler": True})
    assert error.message == "[localcloud] UpdateTrainingJob: ProfilerConfig is not supported yet"


def test_a_reset_ends_every_pool(kept: World) -> None:
    kept.service.reset()
    assert kept.clock.pending() == 0
