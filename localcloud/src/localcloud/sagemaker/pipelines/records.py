"""The records of pipelines, executions and the steps that an execution has begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from localcloud.sagemaker.pipelines.definition import Definition
from localcloud.sagemaker.store import Record, WorkRecord

StepStatus = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]
#: ends a step, with the reason of a failure
StepEnd = Callable[[StepStatus, str | None], None]
#: statuses of a step that is not over
ACTIVE: Final = ("Starting", "Executing", "Stopping")
#: statuses of an execution that keep its pipeline from being deleted ([R] facts teardown 1.15)
RUNNING: Final = ("Executing", "Stopping")
#: steps at the same time when nothing else is asked ([K])
PARALLEL = 50


@dataclass(eq=False, kw_only=True)
class PipelineRecord(Record):
    """A pipeline; its request is kept up to date by updates."""

    definition: Definition
    version: int = 1
    last_run: float | None = None


@dataclass(eq=False, kw_only=True)
class StepRun(Record):
    """One step of an execution: its name, its status, and what it started. In no table."""

    #: the ARN of the job, model or package that it made
    made: str | None = None
    ended: float | None = None
    failure: str | None = None
    #: of a Condition step
    outcome: bool | None = None
    #: the reply of Describe once it is over, or what the step has instead, for property references
    properties: dict[str, Any] | None = None
    #: of a step that says more about itself than what it made
    metadata: dict[str, Any] | None = None
    #: why a step whose job is completed fails all the same; None: it does not
    judge: Callable[[WorkRecord], str | None] | None = None


@dataclass(eq=False, kw_only=True)
class ExecutionRecord(Record):
    """An execution keeps the definition it was started with."""

    pipeline: PipelineRecord
    id: str
    definition: Definition
    version: int
    parameters: dict[str, Any]
    role_arn: str
    max_parallel: int
    runs: dict[str, StepRun] = field(default_factory=dict)
    #: a step has failed: nothing new is begun, what runs is stopped
    failed: bool = False
    #: a function did not end in its time: an execution that was told to stop then fails ([DG] Lambda step)
    overran: bool = False
    failure: str | None = None
