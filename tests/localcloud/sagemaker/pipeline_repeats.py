"""A pipeline of two steps, one of them cached, and executions of it to the end."""

from __future__ import annotations

from typing import Any

from localcloud.jobs.spec import JobOutcome
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get
from tests.localcloud.sagemaker.pipeline_runs import (
    launch,
    start,
    wait_for,
    wait_for_end,
)
from tests.localcloud.sagemaker.scripted_backend import World

DAY = 86400.0
CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P2D"}}
DATA = [{"Name": "data", "Type": "String", "DefaultValue": "1"}]


def environment(**values: Any) -> dict[str, Any]:
    return {"Arguments": {"Environment": values}}


def two(world: World) -> None:
    """Prepare, cached, and Train, which needs it."""
    train = parts.training("Train", DependsOn=["Prepare"])
    prepare = parts.processing("Prepare", **environment(version=get("Parameters.data")), **CACHED)
    parts.create(world, prepare, train, parameters=DATA)


def run(world: World, token: str, jobs: int, train: str = "Completed", data: str = "1") -> str:
    """An execution in which ``jobs`` jobs are launched one after the other; the last is Train and ends so."""
    arn = start(world, token=token, PipelineParameters=[{"Name": "data", "Value": data}])
    if jobs == 2:
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome(train, failure_reason="AlgorithmError: no" if train == "Failed" else None))  # type: ignore[arg-type]  # a JobStatus
    wait_for_end(world, arn)
    return arn


def run_without_parameters(world: World, token: str, prepare: bool) -> str:
    arn = start(world, token=token)
    if prepare:
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    return arn


def retry(world: World, arn: str) -> None:
    world.call("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="r" * 32)


def selective(world: World, source: str | None, *names: str, **members: Any) -> dict[str, Any]:
    config = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        config["SourcePipelineExecutionArn"] = source  # type: ignore[assignment]  # a text beside a list
    return {"SelectiveExecutionConfig": config, **members}
