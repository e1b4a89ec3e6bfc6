"""Notebook instances as state machines, on a clock that moves only when told."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.notebook_calls import ARN, CONFIG_ARN, act, create, describe, lines, status
from tests.localcloud.sagemaker.scripted_backend import ROLE, START, World


@pytest.fixture
def running(world: World) -> World:
    """A world with instance `Bench` InService."""
    create(world, Tags=[{"Key": "team", "Value": "a"}])
    world.clock.advance(durations.NOTEBOOK_START)
    assert status(world) == "InService"
    return world


@pytest.fixture
def stopped(running: World) -> World:
    act(running, "Stop")
    running.clock.advance(durations.NOTEBOOK_STOP)
    assert status(running) == "Stopped"
    return running


def test_pending_until_it_is_up(world: World) -> None:
    assert create(world) == {"NotebookInstanceArn": ARN}
    assert status(world) == "Pending"
    world.clock.advance(durations.NOTEBOOK_START - 1)
    assert status(world) == "Pending"
    world.clock.advance(1)
    found = describe(world)
    assert found["NotebookInstanceStatus"] == "InService"
    assert found["NotebookInstanceName"] == "Bench"
    assert (found["VolumeSizeInGB"], found["DirectInternetAccess"], found["RootAccess"]) == (5, "Enabled", "Enabled")
    assert found["PlatformIdentifier"] == "notebook-al2023-v1"
    assert found["Url"] == "bench.notebook.eu-west-1.sagemaker.aws"
    assert found["CreationTime"] == START
    assert "FailureReason" not in found


def test_the_instance_is_billed_while_in_service_and_the_volume_until_deleted(running: World) -> None:
    assert lines(running) == {
        "notebook volume": (5, durations.NOTEBOOK_START, True),
        "ml.t3.medium notebook": (1, 0.0, True),
    }
    running.clock.advance(3600)
    act(running, "Stop")  # "stops charging you for the ML compute instance when you call StopNotebookInstance"
    running.clock.advance(3600)
    assert lines(running)["ml.t3.medium notebook"] == (1, 3600.0, False)
    assert lines(running)["notebook volume"][2]
    act(running, "Delete")
    assert not any(running for _, _, running in lines(running).values())


def test_stop_start_and_delete(stopped: World) -> None:
    act(stopped, "Start")
    assert status(stopped) == "Pending"
    stopped.clock.advance(durations.NOTEBOOK_START)
    assert status(stopped) == "InService"
    act(stopped, "Stop")
    assert status(stopped) == "Stopping"
    stopped.clock.advance(durations.NOTEBOOK_STOP)
    act(stopped, "Delete")
    assert status(stopped) == "Deleting"
    stopped.clock.advance(durations.NOTEBOOK_DELETE)
    error = stopped.refusal("DescribeNotebookInstance", NotebookInstanceName="Bench")
    assert (error.code, error.message) == ("ValidationException", "RecordNotFound")
    assert create(stopped) == {"NotebookInstanceArn": ARN}, "the name is free again"


REFUSALS = [
    ("Pending", "Stop", "[InService]", "Stopping"),
    ("Pending", "Delete", "[Stopped, Failed]", "Deleting"),
    ("Pending", "Start", "[Stopped, Failed]", "Pending"),
    ("Pending", "Update", "[Stopped, Failed]", "Updating"),
    ("InService", "Start", "[Stopped, Failed]", "Pending"),
    ("InService", "Delete", "[Stopped, Failed]", "Deleting"),
    ("InService", "Update", "[Stopped, Failed]", "Updating"),
    ("Stopping", "Stop", "[InService]", "Stopping"),
    ("Stopping", "Start", "[Stopped, Failed]", "Pending"),
    ("Stopping", "Delete", "[Stopped, Failed]", "Deleting"),
    ("Stopped", "Stop", "[InService]", "Stopping"),
    ("Updating", "Start", "[Stopped, Failed]", "Pending"),
    ("Updating", "Delete", "[Stopped, Failed]", "Deleting"),
    ("Deleting", "Start", "[Stopped, Failed]", "Pending"),
    ("Deleting", "Delete", "[Stopped, Failed]", "Deleting"),
]


@pytest.mark.parametrize(("state", "verb", "allowed", "target"), REFUSALS)
def test_every_other_state_refuses(world: World, state: str, verb: str, allowed: str, target: str) -> None:
    reach(world, state)
    error = world.refusal(f"{verb}NotebookInstance", NotebookInstanceName="Bench")
    assert error.code == "ValidationException"
    assert error.message == (
        f"Status ({state}) not in ({allowed}). Unable to transition to ({target}) for Notebook Instance ({ARN})"
    )
    assert status(world) == state


def reach(world: World, state: str) -> None:
    """Bring `Bench` into a state."""
    create(world)
    if state == "Pending":
        return
    world.clock.advance(durations.NOTEBOOK_START)
    if state == "InService":
        return
    act(world, "Stop")
    if state == "Stopping":
        return
    world.clock.advance(durations.NOTEBOOK_STOP)
    if state != "Stopped":
        act(world, {"Updating": "Update", "Deleting": "Delete"}[state])


def test_an_update_changes_what_it_names(stopped: World) -> None:
    act(stopped, "Update", InstanceType="ml.m5.xlarge", VolumeSizeInGB=20)
    assert status(stopped) == "Updating"
    stopped.clock.advance(durations.NOTEBOOK_UPDATE)
    found = describe(stopped)
    assert (found["NotebookInstanceStatus"], found["InstanceType"]) == ("Stopped", "ml.m5.xlarge")
    assert found["VolumeSizeInGB"] == 20
    assert [line["quantity"] for line in stopped.meter.snapshot() if line["running"]] == [20]
    smaller = stopped.refusal("UpdateNotebookInstance", NotebookInstanceName="Bench", VolumeSizeInGB=10)
    assert "decreased from 20 to 10" in smaller.message


def test_a_name_is_taken_in_any_case(running: World) -> None:
    error = running.refusal(
        "CreateNotebookInstance", NotebookInstanceName="bENCH", InstanceType="ml.t3.medium", RoleArn=ROLE
    )
    assert (error.code, error.message) == (
        "ValidationException",
        f"Cannot create a duplicate Notebook Instance ({ARN})",
    )
    assert running.call("DescribeNotebookInstance", NotebookInstanceName="bench")["NotebookInstanceName"] == "Bench"


def test_its_interface_stays_in_the_subnet_until_it_is_gone(world: World) -> None:
    create(world, SubnetId="subnet-1", SecurityGroupIds=["sg-1", "sg-2"], DirectInternetAccess="Disabled")
    [(interface, (subnet, groups, description))] = world.backend.interfaces.items()
    assert (subnet, groups) == ("subnet-1", ("sg-1", "sg-2"))
    assert "SageMaker Notebook Instance" in description
    found = describe(world)
    assert (found["NetworkInterfaceId"], found["SecurityGroups"]) == (interface, ["sg-1", "sg-2"])
    world.clock.advance(durations.NOTEBOOK_START)
    act(world, "Stop")
    world.clock.advance(durations.NOTEBOOK_STOP)
    act(world, "Delete")
    assert world.backend.interfaces
    world.clock.advance(durations.NOTEBOOK_DELETE)
    assert not world.backend.interfaces


def test_a_subnet_that_is_not_there_leaves_nothing(world: World) -> None:
    error = world.refusal(
        "CreateNotebookInstance",
        NotebookInstanceName="Bench",
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        SubnetId="subnet-missing",
        SecurityGroupIds=["sg-1"],
    )
    assert "does not exist" in error.message
    assert world.call("ListNotebookInstances") == {"NotebookInstances": []}
    assert world.meter.snapshot() == []


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"DirectInternetAccess": "Disabled"},
            "DirectInternetAccess can be set to Disabled only when SubnetId is set.",
        ),
        ({"SecurityGroupIds": ["sg-1"]}, "SecurityGroupIds can be set only when SubnetId is set."),
        ({"KmsKeyId": "alias/x"}, "[localcloud] CreateNotebookInstance: KmsKeyId is not supported yet"),
        (
            {"DefaultCodeRepository": "https://example.com/x"},
            "[localcloud] CreateNotebookInstance: DefaultCodeRepository is not supported yet",
        ),
        (
            {"LifecycleConfigName": "hooks"},
            f"Unable to describe Notebook Instance Lifecycle Config '{CONFIG_ARN}'. "
            "(Details: Notebook Instance Lifecycle Config does not exist.)",
        ),
    ],
)
def test_refused_at_creation(world: World, members: dict[str, Any], text: str) -> None:
    error = world.refusal(
        "CreateNotebookInstance", NotebookInstanceName="Bench", InstanceType="ml.t3.medium", RoleArn=ROLE, **members
    )
    assert (error.code, error.message) == ("ValidationException", text)


def test_lists_are_sorted_by_name_and_filtered(world: World) -> None:
    world.call("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="hooks")
    create(world, "c")
    create(world, "a", LifecycleConfigName="HOOKS")
    world.clock.advance(durations.NOTEBOOK_START)
    create(world, "b")

    def names(**members: Any) -> list[str]:
        found = world.call("ListNotebookInstances", **members)["NotebookInstances"]
        return [item["NotebookInstanceName"] for item in found]

    assert names() == ["a", "b", "c"]
    assert names(StatusEquals="Pending") == ["b"]
    assert names(NotebookInstanceLifecycleConfigNameContains="hook") == ["a"]
    assert names(SortBy="CreationTime", SortOrder="Descending")[0] == "b"


def test_a_url_is_given_for_an_instance_in_service(running: World) -> None:
    url = running.call("CreatePresignedNotebookInstanceUrl", NotebookInstanceName="Bench")["AuthorizedUrl"]
    assert url.startswith("https://bench.notebook.eu-west-1.sagemaker.aws?authToken=")
    act(running, "Stop")
    error = running.refusal("CreatePresignedNotebookInstanceUrl", NotebookInstanceName="Bench")
    assert error.message.startswith("Status (Stopping) not in ([InService]).")


def test_tags(running: World) -> None:
    running.call("AddTags", ResourceArn=ARN, Tags=[{"Key": "more", "Value": "b"}])
    tags = running.call("ListTags", ResourceArn=ARN)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a", "more": "b"}


def test_a_reset_ends_what_was_starting(world: World) -> None:
    create(world)
    world.service.reset()
    world.clock.advance(durations.NOTEBOOK_START)
    assert world.call("ListNotebookInstances") == {"NotebookInstances": []}
    assert "ml.t3.medium notebook" not in lines(world)
