"""``sandcastle pipeline run``: a new execution, a failed one taken up again, or one from a step on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.pipeline.place import Place
from operations.pipeline.plan import Parameter, Plan
from operations.pipeline.watch import watch
from operations.words import count

_SELECTED = 50
"""As many steps can be selected (SageMaker API reference, SelectiveExecutionConfig)."""

_MENDABLE = ("Failed", "Stopped")
"""Statuses of executions that can be taken up again."""


def start(place: Place, changes: dict[str, str], console: Console) -> str:
    """Start the training pipeline with these parameters, and return the ARN of the execution.

    Raises UsageError for a parameter that it does not have, or a value that is none of its.
    """
    checked(place.plan(place.training), changes)
    arn: str = place.target.client("sagemaker").start_pipeline_execution(
        PipelineName=place.training, PipelineParameters=_given(changes)
    )["PipelineExecutionArn"]
    console.step(f"started {place.training}, execution {arn.rpartition('/')[2]}" + _with(changes))
    return arn


def retry(place: Place, execution: str | None, console: Console) -> str:
    """Take up an execution where it failed or was stopped, the newest one that did if none is named.

    Steps that have succeeded are not run again, and its parameters are what they were. Raises UsageError when there is
    none.
    """
    sagemaker = place.target.client("sagemaker")
    pipelines = tuple(place.pipelines.values())
    if execution:
        arn = place.execution(execution, *pipelines)
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status not in _MENDABLE:
            raise UsageError(f"Execution {execution} is {status}; only one that failed or was stopped can be retried.")
    else:
        newest = place.newest(*pipelines)
        found = [place.newest(*pipelines, status=status) for status in _MENDABLE]
        if newest is None or newest not in found:
            raise UsageError(
                f"The newest execution of {place.workload} has not failed, so there is nothing to retry. Start a new "
                f"one with: {place.command('run')}; or name one with --execution ID, from: {place.command('list')}"
            )
        arn = newest
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    console.step(f"execution {arn.rpartition('/')[2]} of {arn.split('/')[1]} goes on from where it stopped")
    return arn


def start_from(place: Place, step: str, source: str | None, changes: dict[str, str], console: Console) -> str:
    """Run a step and all that wait for it, on what the other steps of an earlier execution have made.

    The earlier execution is the newest one that ended by itself, or ``source``; its parameters are taken over where
    ``changes`` says nothing else. Raises UsageError when there is none, or no such step.
    """
    sagemaker, plan = place.target.client("sagemaker"), place.plan(place.training)
    if step not in plan.steps:
        near = get_close_matches(step, plan.steps, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"--from-step {step}: no such step.{hint} There are: {', '.join(plan.steps)}.")
    checked(plan, changes)
    selected = plan.from_step(step)
    if len(selected) > _SELECTED:
        raise UsageError(f"--from-step {step}: {len(selected)} steps follow; AWS selects at most {_SELECTED}.")
    arn = place.execution(source, place.training) if source else _last_ended(place)
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    before = {one["Name"]: one["Value"] for page in pages for one in page["PipelineParameters"]}
    values = {name: value for name, value in before.items() if name in plan.parameters} | changes
    started: str = sagemaker.start_pipeline_execution(
        PipelineName=place.training,
        PipelineParameters=_given(values),
        SelectiveExecutionConfig={
            "SourcePipelineExecutionArn": arn,
            "SelectedSteps": [{"StepName": name} for name in selected],
        },
    )["PipelineExecutionArn"]
    console.step(
        f"started {count(len(selected), 'step')} of {place.training} from {step} on, execution "
        f"{started.rpartition('/')[2]}, on what execution {arn.rpartition('/')[2]} has made" + _with(changes)
    )
    return started


def _last_ended(place: Place) -> str:
    """Return the newest execution that ended by itself: AWS takes no other as the source."""
    for one in place.executions(place.training):
        if one["PipelineExecutionStatus"] in ("Succeeded", "Failed"):
            return str(one["PipelineExecutionArn"])
    raise UsageError(f"--from-step: no execution of {place.training} has ended, so nothing is there to go on from.")


def run(place: Place, arn: str, watching: bool, console: Console) -> dict[str, Any]:
    """Return what became of an execution that was started; without ``watching`` only what it is called."""
    if watching:
        return watch(place, arn, console)
    console.say(f"Execution {arn.rpartition('/')[2]} runs. Watch it with: {place.command('watch')}")
    return {"workload": place.workload, "pipeline": arn.split("/")[1], "execution": arn, "status": "Executing"}


def checked(plan: Plan, changes: dict[str, str]) -> None:
    """Raise UsageError for a parameter that the plan does not have, and for a value that is none of its kind."""
    for name, value in changes.items():
        if name not in plan.parameters:
            near = get_close_matches(name, plan.parameters, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            known = ", ".join(f"{one.name} ({one.default})" for one in plan.parameters.values())
            raise UsageError(f"--set {name}: no such parameter.{hint} There are, with their defaults: {known}.")
        _check(plan.parameters[name], value)


def _check(parameter: Parameter, value: str) -> None:
    kinds = {"Integer": (int, "a whole number"), "Float": (float, "a number")}
    if parameter.kind in kinds:
        convert, words = kinds[parameter.kind]
        try:
            convert(value)
        except ValueError:
            raise UsageError(f"--set {parameter.name}={value}: expected {words}.") from None


def _given(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _with(changes: dict[str, str]) -> str:
    return f" with {', '.join(f'{name}={value}' for name, value in changes.items())}" if changes else ""
