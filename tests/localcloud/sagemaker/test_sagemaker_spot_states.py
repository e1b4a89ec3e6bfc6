"""Spot jobs that lose their instances, on a clock that moves only when told."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import World
from tests.localcloud.sagemaker.test_sagemaker_job_states import BILLED_BEFORE, describe, launch, training

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1000},
    "CheckpointConfig": {"S3Uri": "s3://bucket/check"},
}


def order(world: World, **members: Any) -> None:
    world.service.training_jobs.interruptions.order({"name": "job", "interrupt": True, **members})


def interrupted(seconds: float = 20, *metrics: float) -> JobOutcome:
    logged = [("auc", value, 1.0) for value in metrics]
    return JobOutcome("Interrupted", secondary_status="Interrupted", seconds_running=seconds, metrics=logged)


def again(world: World) -> Any:
    """Instances come back, and the process starts."""
    world.clock.advance(durations.JOB_STARTING)
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    return world.backend.jobs[-1]


def statuses(world: World) -> list[str]:
    return [each["Status"] for each in describe(world)["SecondaryStatusTransitions"]]


def test_an_interrupted_job_goes_on_when_there_are_instances_again(world: World) -> None:
    first = launch(world, **SPOT)
    first.on_status("Training", "")
    order(world, seconds=300, line="round 3")
    assert first.interrupted == ["round 3"]
    first.on_done(interrupted(20, 0.5, 0.6))
    assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == ("InProgress", "Interrupted")
    world.clock.advance(299)
    assert describe(world)["SecondaryStatus"] == "Interrupted"
    world.clock.advance(1)
    assert describe(world)["SecondaryStatus"] == "Starting"
    second = again(world)
    assert second is not first
    assert second.interrupted == []
    assert second.spec.checkpoint == first.spec.checkpoint
    # what the first attempt and the waiting took is not there any more
    assert second.spec.max_runtime_seconds == 580
    assert (first.spec.max_wait_seconds, second.spec.max_wait_seconds) == (1000, 680)
    for status in ("Downloading", "Training", "Uploading"):
        second.on_status(status, "")
    second.on_done(JobOutcome("Completed", secondary_status="Completed", seconds_running=30, metrics=[("auc", 0.7, 2)]))
    done = describe(world)
    assert done["TrainingJobStatus"] == "Completed"
    assert statuses(world) == [
        *["Starting", "Downloading", "Training", "Interrupted"],
        *["Starting", "Downloading", "Training", "Uploading", "Completed"],
    ]
    assert done["TrainingTimeInSeconds"] == 2 * BILLED_BEFORE + 50
    assert done["BillableTimeInSeconds"] == int((2 * BILLED_BEFORE + 50) * (1 - durations.SPOT_SAVING))
    assert [line["seconds"] for line in world.meter.snapshot()] == [done["BillableTimeInSeconds"]]
    assert [metric["Value"] for metric in done["FinalMetricDataList"]] == [0.7]


def test_whichever_spot_job_is_next(world: World) -> None:
    order(world, name="*", line="x")
    on_demand = launch(world)
    assert on_demand.interrupted == []
    on_demand.on_done(JobOutcome("Completed"))
    spots = [launch(world, **SPOT, TrainingJobName=f"spot-{number}") for number in (1, 2)]
    assert [job.interrupted for job in spots] == [["x"], []]
    assert world.service.training_jobs.interruptions.pending() == {"pending": []}


def test_a_job_that_is_not_there_yet(world: World) -> None:
    order(world)
    pending = {"name": "job", "line": None, "seconds": durations.SPOT_CAPACITY}
    assert world.service.training_jobs.interruptions.pending() == {"pending": [pending]}
    assert launch(world, **SPOT).interrupted == [None]


def test_waiting_too_long_ends_it(world: World) -> None:
    job = launch(world, **SPOT)
    job.on_status("Training", "")
    order(world, seconds=5000)
    job.on_done(interrupted(100))
    world.clock.advance(900)  # what is left of MaxWaitTimeInSeconds
    assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == ("Stopping", "Stopping")
    world.clock.advance(durations.JOB_STOP_EARLY)
    done = describe(world)
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert statuses(world)[-4:] == ["Training", "Interrupted", "Stopping", "MaxWaitTimeExceeded"]
    assert done["TrainingTimeInSeconds"] == BILLED_BEFORE + 100
    assert "ModelArtifacts" not in done


def test_a_stop_ends_an_interrupted_job(world: World) -> None:
    job = launch(world, **SPOT)
    job.on_done(interrupted())
    world.call("StopTrainingJob", TrainingJobName="job")
    world.clock.advance(durations.JOB_STOP_EARLY)
    assert describe(world)["SecondaryStatus"] == "Stopped"
    world.clock.advance(durations.SPOT_CAPACITY + durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == 1


def test_an_interruption_of_a_job_that_is_stopping_stops_it(world: World) -> None:
    job = launch(world, **SPOT)
    job.stop = lambda: None
    world.call("StopTrainingJob", TrainingJobName="job")
    job.on_done(interrupted())
    assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == ("Stopped", "Stopped")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"interrupt": False}, "interrupt must be true"),
        ({"line": "("}, "no regular expression"),
        ({"seconds": -1}, "must not be negative"),
        ({"when": "now"}, "there is no 'when'; there are interrupt, line, name, seconds"),
        ({"name": ""}, "name is the name of a training job"),
        ({}, "does not run on spot instances"),
    ],
)
def test_orders_that_cannot_be(world: World, members: dict[str, Any], text: str) -> None:
    world.call("CreateTrainingJob", **training())
    with pytest.raises(ValueError, match=text):
        order(world, **members)


def test_reset_forgets_orders(world: World) -> None:
    order(world, name="*")
    world.service.reset()
    assert launch(world, **SPOT).interrupted == []
