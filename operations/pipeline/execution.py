"""One execution of a pipeline, as AWS tells it at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from operations.pipeline.plan import Plan
from operations.target import Target

BUSY = frozenset({"Executing", "Stopping"})
"""Statuses of an execution that has not ended."""


class State(Enum):
    """What a step is, for a person: AWS's statuses, and the ways of not running."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CACHED = "cached"
    REUSED = "reused"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "not taken"
    UNREACHED = "not reached"

    @property
    def ended(self) -> bool:
        """Whether the step has run, or its result was there already."""
        return self not in (State.WAITING, State.RUNNING, State.SKIPPED, State.UNREACHED)


_STATES = {
    "Starting": State.RUNNING,
    "Executing": State.RUNNING,
    "Stopping": State.RUNNING,
    "Stopped": State.STOPPED,
    "Failed": State.FAILED,
    "Succeeded": State.SUCCEEDED,
}


@dataclass(frozen=True)
class StepRun:
    """A step that has begun. ``metadata`` is AWS's, with the ARN of what the step made."""

    name: str
    state: State
    started: datetime | None
    ended: datetime | None
    reason: str
    attempts: int
    metadata: Mapping[str, Any]

    @property
    def made(self) -> str:
        """The ARN of what the step made; empty where it made nothing or does not say."""
        found = [one["Arn"] for one in self.metadata.values() if isinstance(one, dict) and one.get("Arn")]
        return str(found[0]) if found else ""

    @property
    def outcome(self) -> bool | None:
        """How a condition was answered; None before that and for every other step."""
        answer = self.metadata.get("Condition", {}).get("Outcome")
        return None if answer is None else str(answer).lower() == "true"

    def seconds(self, now: datetime) -> float | None:
        """Return how long it has run, until now if it runs."""
        if self.started is None:
            return None
        return max(0.0, ((self.ended or now) - self.started).total_seconds())


@dataclass(frozen=True)
class Execution:
    """One execution: where it is, and each of its steps that has begun, by name."""

    arn: str
    status: str
    started: datetime
    ended: datetime | None
    reason: str
    plan: Plan
    steps: Mapping[str, StepRun]

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def pipeline(self) -> str:
        """The name of its pipeline."""
        return self.arn.split("/")[1]

    @property
    def busy(self) -> bool:
        """Whether it has not ended."""
        return self.status in BUSY

    def state(self, name: str) -> State:
        """Return what a step is, or why it does not run."""
        if name in self.steps:
            return self.steps[name].state
        branch = self.plan.steps[name].branch
        while branch:
            decided = self.steps[branch.condition].outcome if branch.condition in self.steps else None
            if decided is not None and decided != branch.outcome:
                return State.SKIPPED
            branch = self.plan.steps[branch.condition].branch
        return State.WAITING if self.status == "Executing" else State.UNREACHED

    def seconds(self, now: datetime) -> float:
        """Return how long it has run, until now if it runs."""
        return max(0.0, ((self.ended or now) - self.started).total_seconds())

    @property
    def failed(self) -> list[StepRun]:
        """The steps that failed, in the order of the plan."""
        return [self.steps[name] for name in self.plan.steps if self.state(name) is State.FAILED]


def look(target: Target, arn: str, plan: Plan | None = None) -> Execution:
    """Return what the execution is now. ``plan`` spares reading its definition again."""
    sagemaker = target.client("sagemaker")
    if plan is None:
        definition = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
        plan = Plan.read(definition["PipelineDefinition"])
    # before its steps: those of an execution that has ended stay as they are
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    steps: dict[str, StepRun] = {}
    pages = sagemaker.get_paginator("list_pipeline_execution_steps")
    for page in pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending"):
        for one in page["PipelineExecutionSteps"]:
            steps[one["StepName"]] = _run(one)  # of several tries the last
    over = described["PipelineExecutionStatus"] not in BUSY
    return Execution(
        arn=arn,
        status=described["PipelineExecutionStatus"],
        started=described["CreationTime"],
        ended=described["LastModifiedTime"] if over else None,
        reason=described.get("FailureReason", ""),
        plan=plan,
        steps=steps,
    )


def _run(one: Mapping[str, Any]) -> StepRun:
    state = _STATES[one["StepStatus"]]
    if state is State.SUCCEEDED and one.get("CacheHitResult"):
        state = State.CACHED
    if state is State.SUCCEEDED and one.get("SelectiveExecutionResult"):
        state = State.REUSED
    return StepRun(
        name=one["StepName"],
        state=state,
        started=one.get("StartTime"),
        ended=one.get("EndTime"),
        reason=one.get("FailureReason", ""),
        attempts=one.get("AttemptCount") or 1,
        metadata=one.get("Metadata") or {},
    )
