"""What the tests of pipelines do with an execution, and what they read of it."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import World


def start(world: World, **members: Any) -> str:
    token = f"{members.pop('token', 's'):s<32}"
    reply = world.call("StartPipelineExecution", PipelineName="pipeline", ClientRequestToken=token, **members)
    return str(reply["PipelineExecutionArn"])


def describe(world: World, arn: str) -> dict[str, Any]:
    return world.call("DescribePipelineExecution", PipelineExecutionArn=arn)


def steps(world: World, arn: str) -> dict[str, str]:
    reply = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn, MaxResults=100)
    return {step["StepName"]: step["StepStatus"] for step in reply["PipelineExecutionSteps"]}


def step(world: World, arn: str, name: str) -> dict[str, Any]:
    reply = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn, MaxResults=100)
    found: dict[str, Any] = next(s for s in reply["PipelineExecutionSteps"] if s["StepName"] == name)
    return found


def wait_for(world: World, arn: str, **wanted: str) -> None:
    """Until these steps have these statuses."""
    world.wait_until(lambda: wanted.items() <= steps(world, arn).items())


def wait_for_end(world: World, arn: str) -> dict[str, Any]:
    world.wait_until(lambda: describe(world, arn)["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
    return describe(world, arn)


def launch(world: World, count: int = 1) -> Any:
    """Let the processes of the jobs that have been made start; the last of them."""
    before = len(world.backend.jobs)
    world.clock.advance(durations.JOB_STARTING)
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == before + count
    return world.backend.jobs[-1]


def stop(world: World, arn: str) -> None:
    world.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="x" * 32)


def delete(world: World) -> None:
    world.call("DeletePipeline", PipelineName="pipeline", ClientRequestToken="d" * 32)
