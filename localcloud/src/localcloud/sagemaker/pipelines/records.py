"""The records of pipelines, executions and the steps that an execution has begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from localcloud.sagemaker import errors
from localcloud.sagemaker.pipelines.definition import Definition
from localcloud.sagemaker.ports import Timer
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
class PipelineVersion(Record):
    """A definition that a pipeline has or had. In no table."""

    id: int
    definition: Definition
    aliases: list[str] = field(default_factory=list)
    #: the ARN of the latest execution of it
    last_execution: str | None = None


@dataclass(eq=False, kw_only=True)
class PipelineRecord(Record):
    """A pipeline; its request is kept up to date by updates, but for the definition, which its versions have."""

    versions: list[PipelineVersion]
    last_run: float | None = None

    @property
    def latest(self) -> PipelineVersion:
        """The version that runs when nobody asks for another one."""
        return self.versions[-1]

    def require_version(self, asked: Mapping[str, Any]) -> PipelineVersion:
        """The version that PipelineVersionId or PipelineVersionAlias names, else the latest.

        Raises ValidationException for both together, ResourceNotFound when there is none.
        """
        number, alias = asked.get("PipelineVersionId"), asked.get("PipelineVersionAlias")
        if number is not None and alias is not None:
            raise errors.validation("Only one of PipelineVersionId and PipelineVersionAlias can be specified.")
        if number is None and alias is None:
            return self.latest
        found = (version for version in self.versions if version.id == number or alias in version.aliases)
        version = next(found, None)
        if version is None:
            wanted = f"version {number}" if alias is None else f"version with alias {alias}"
            raise errors.resource_not_found(f"Pipeline '{self.arn}' has no {wanted}.")
        return version


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
    #: how often it has been begun, and by kind of failure how often it was tried again
    attempts: int = 1
    repeated: dict[str, int] = field(default_factory=dict)
    #: until it is tried again
    timer: Timer | None = None
    #: what makes it the same as another run of the step; of a step that is cached
    cache_key: str | None = None
    #: the execution whose results it uses: found in the cache, or named by a selective execution
    reused: str | None = None
    taken_from: str | None = None


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
    #: steps that a retry begins again -> how often they had been begun
    before: dict[str, int] = field(default_factory=dict)
    #: of a selective execution: the steps to run
    selected: frozenset[str] | None = None
    #: ClientRequestToken of the last retry
    retried: str | None = None
    #: a step has failed: nothing new is begun, what runs is stopped
    failed: bool = False
    #: a function did not end in its time: an execution that was told to stop then fails ([DG] Lambda step)
    overran: bool = False
    failure: str | None = None
