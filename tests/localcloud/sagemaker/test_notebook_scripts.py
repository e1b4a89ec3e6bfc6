"""Lifecycle configurations of notebook instances: their scripts, who keeps them, what fails when a script fails."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.lifecycle_script import LIMIT_SECONDS, ScriptOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.notebook_calls import ARN, CONFIG_ARN, act, create, describe, lines, script, status
from tests.localcloud.sagemaker.scripted_backend import ROLE, World


def config(world: World, verb: str, **members: Any) -> dict[str, Any]:
    return world.call(f"{verb}NotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="Hooks", **members)


def test_a_lifecycle_configuration_keeps_its_scripts(world: World) -> None:
    first = script("echo once")
    assert config(world, "Create", OnCreate=first) == {"NotebookInstanceLifecycleConfigArn": CONFIG_ARN}
    world.clock.advance(60)
    config(world, "Update", OnStart=script("echo always"))
    found = config(world, "Describe")
    assert (found["OnCreate"], found["OnStart"]) == (first, script("echo always"))
    assert found["LastModifiedTime"] - found["CreationTime"] == 60
    listed = world.call("ListNotebookInstanceLifecycleConfigs", SortBy="LastModifiedTime")
    assert [c["NotebookInstanceLifecycleConfigName"] for c in listed["NotebookInstanceLifecycleConfigs"]] == ["Hooks"]


def test_a_script_is_limited_and_base64(world: World) -> None:
    name = {"NotebookInstanceLifecycleConfigName": "Hooks"}
    long = world.refusal("CreateNotebookInstanceLifecycleConfig", **name, OnStart=[{"Content": "x" * 16385}])
    assert "Member must have length less than or equal to 16384" in long.message
    plain = world.refusal("CreateNotebookInstanceLifecycleConfig", **name, OnStart=[{"Content": "#!/bin/bash"}])
    assert "base64" in plain.message


@pytest.mark.parametrize("verb", ["Describe", "Update", "Delete"])
def test_a_lifecycle_configuration_that_is_not_there(world: World, verb: str) -> None:
    error = world.refusal(f"{verb}NotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="Hooks")
    assert (error.code, error.message) == (
        "ValidationException",
        f"Unable to {verb.lower()} Notebook Instance Lifecycle Config '{CONFIG_ARN}'. "
        "(Details: Notebook Instance Lifecycle Config does not exist.)",
    )


def test_a_lifecycle_configuration_in_use_stays(world: World) -> None:
    config(world, "Create")
    assert (
        "already exists"
        in world.refusal("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="hooks").message
    )
    create(world, LifecycleConfigName="Hooks")
    world.clock.advance(durations.NOTEBOOK_START)
    act(world, "Stop")
    world.clock.advance(durations.NOTEBOOK_STOP)
    error = world.refusal("DeleteNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="Hooks")
    assert (error.code, error.message) == (
        "ValidationException",
        f"Unable to delete Notebook Instance Lifecycle Config '{CONFIG_ARN}'. "
        f"(Details: It is in use by Notebook Instance '{ARN}'.)",
    )
    act(world, "Update", DisassociateLifecycleConfig=True)
    config(world, "Delete")


def test_a_deleted_instance_lets_its_lifecycle_configuration_go(world: World) -> None:
    config(world, "Create")
    create(world, LifecycleConfigName="Hooks")
    world.clock.advance(durations.NOTEBOOK_START)
    act(world, "Stop")
    world.clock.advance(durations.NOTEBOOK_STOP)
    act(world, "Delete")
    world.clock.advance(durations.NOTEBOOK_DELETE)
    config(world, "Delete")


def scripted(world: World, outcome: ScriptOutcome | None = None) -> None:
    """An instance with both scripts, up to the point where they have run."""
    config(world, "Create", OnCreate=script("echo once"), OnStart=script("echo always"))
    if outcome:
        world.backend.script_outcome = outcome
    create(world, LifecycleConfigName="hooks")
    world.clock.advance(durations.NOTEBOOK_START)
    if world.backend.script_outcome.succeeded:
        world.wait_until(lambda: status(world) == "InService")
    else:
        world.wait_until(lambda: world.clock.pending("settle") == 1)


def test_it_is_in_service_when_its_scripts_have_ended(world: World) -> None:
    scripted(world)
    assert [(machine, run.text, run.log_group, run.log_stream) for machine, run in world.backend.scripts] == [
        (ARN, "echo once", "/aws/sagemaker/NotebookInstances", "Bench/LifecycleConfigOnCreate"),
        (ARN, "echo always", "/aws/sagemaker/NotebookInstances", "Bench/LifecycleConfigOnStart"),
    ]
    first = world.backend.scripts[0][1]
    assert (first.role_arn, first.keeps_running) == (ROLE, True)
    assert first.metadata == {"ResourceArn": ARN, "ResourceName": "Bench"}
    assert world.backend.renewed == [(ARN, "SageMaker")]


def test_a_start_runs_the_start_script_as_it_is_now_and_a_stop_ends_what_runs(world: World) -> None:
    scripted(world)
    config(world, "Update", OnStart=script("echo changed"))
    act(world, "Stop")
    world.wait_until(lambda: world.backend.ended == [ARN])
    world.clock.advance(durations.NOTEBOOK_STOP)
    act(world, "Start")
    world.clock.advance(durations.NOTEBOOK_START)
    world.wait_until(lambda: status(world) == "InService")
    assert [run.text for _, run in world.backend.scripts] == ["echo once", "echo always", "echo changed"]
    act(world, "Stop")
    world.clock.advance(durations.NOTEBOOK_STOP)
    act(world, "Delete")
    world.clock.advance(durations.NOTEBOOK_DELETE)
    world.wait_until(lambda: world.backend.forgotten == [ARN])


@pytest.mark.parametrize(
    "outcome",
    [
        ScriptOutcome(1, "it ended with exit code 1"),
        ScriptOutcome(None, "it ran for more than 300 seconds"),
    ],
)
def test_a_script_that_fails_is_waited_for_and_fails_the_instance(world: World, outcome: ScriptOutcome) -> None:
    scripted(world, outcome)
    world.clock.advance(LIMIT_SECONDS - 1)
    assert status(world) == "Pending"
    world.clock.advance(1)
    failed = describe(world)
    assert failed["NotebookInstanceStatus"] == "Failed"
    assert failed["FailureReason"] == (
        f"Notebook Instance Lifecycle Config '{CONFIG_ARN}' for Notebook Instance '{ARN}' took longer than 5 minutes. "
        "Please check your CloudWatch logs for more details if your Notebook Instance has Internet access."
    )
    assert lines(world) == {"notebook volume": (5, durations.NOTEBOOK_START + LIMIT_SECONDS, True)}
    assert world.backend.ended == [ARN]
    error = world.refusal("StopNotebookInstance", NotebookInstanceName="Bench")
    assert error.message.startswith("Status (Failed) not in ([InService]).")
    act(world, "Update", DisassociateLifecycleConfig=True)
    world.clock.advance(durations.NOTEBOOK_UPDATE)
    act(world, "Start")
    world.clock.advance(durations.NOTEBOOK_START)
    assert status(world) == "InService"
    assert "FailureReason" not in describe(world)


def test_a_failed_instance_frees_its_quota_and_can_be_deleted(world: World) -> None:
    scripted(world, ScriptOutcome(1, "it ended with exit code 1"))
    world.clock.advance(LIMIT_SECONDS)
    world.quotas.set({"ml.t3.medium for notebook instance usage": 1})
    create(world, "another")
    act(world, "Delete")
    world.clock.advance(durations.NOTEBOOK_DELETE)
    assert world.refusal("DescribeNotebookInstance", NotebookInstanceName="Bench").message == "RecordNotFound"
