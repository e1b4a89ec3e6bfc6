"""Jobs behind stacks: they are stopped with the stack that waits for them; a failed change leaves what there was."""

from __future__ import annotations

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import written
from tests.lifecycle.stand import Stand, stand

LONG = {"num_round": 100000}


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Stand:
    """An environment whose training would take too long, deployed up to its workload."""
    found = stand(cloud, written("jobs", workloads={"bank": {"hyperparameters": LONG}}))
    found.deploy(until="foundation")
    return found


def _begun(place: Stand, kind: str) -> str:
    """Begin to create the workload's stack and return its first job of a kind as soon as there is one."""
    before = place.cloud.jobs(kind)
    place.deploy(until="workload-bank", leave=True)
    new: list[str] = place.cloud.until(lambda: [one for one in place.cloud.jobs(kind) if one not in before], kind)
    return new[0]


def _deleted(place: Stand) -> None:
    place.client("cloudformation").delete_stack(StackName=place.stack("workload-bank"))
    place.settle([place.stack("workload-bank")])
    assert place.stack("workload-bank") not in place.cloud.stacks()


def test_a_preparation_is_stopped_with_its_stack(place: Stand) -> None:
    name = _begun(place, "processing")
    _deleted(place)
    job = place.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Stopped"


@pytest.mark.exhaustive
def test_a_training_is_stopped_with_its_stack(place: Stand) -> None:
    name = _begun(place, "training")
    _deleted(place)
    job = place.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Stopped"


@pytest.mark.exhaustive
def test_data_that_cannot_be_had_leave_everything_as_it_was(place: Stand, cloud: Cloud) -> None:
    """Nobody has put the public objects into this account."""
    usual = stand(cloud, written("jobs", workloads={"bank": {}})).up()
    public = stand(cloud, written("jobs", workloads={"bank": {}}, data="full"))
    assert public.deploy()[place.stack("workload-bank")] == "UPDATE_ROLLBACK_COMPLETE"
    (endpoint,) = usual.client("sagemaker").list_endpoints()["Endpoints"]
    assert endpoint["EndpointStatus"] == "InService"
    assert usual.destroy()["clean"] is True
