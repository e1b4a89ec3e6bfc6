"""What every kind of job has alike: Create, Describe, List, Stop, Delete and the checks before a start.

A kind of job derives from ``JobKind`` and adds its words (``JobType``), its own checks, and the program that it
runs. ``launch`` is for what the service starts by itself: the trials of a tuning job, a monitoring execution.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import durations, events, listing, quotas
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.kinds.jobs import Attempts, JobLifecycle, JobRecord, Program
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Table, tag_map


@dataclass(frozen=True)
class JobType:
    """The words and the members of one kind of job."""

    #: in messages and on the meter: "training"
    word: str
    #: in the names of operations and members: "TrainingJob"
    noun: str
    #: in ARNs: "training-job"
    path: str
    #: what CreateXxxJob honours
    create: Tree
    #: the error for a name that is not there, by name; the kinds differ ([R] facts teardown 1.30)
    missing: Callable[[str], ServiceError]
    #: virtual seconds in status Deleting; None: the kind cannot be deleted
    deleting: float | None = 0.0
    #: of List when none is asked for ([B])
    order: listing.Order = "Ascending"

    @property
    def name(self) -> str:
        """The member with the job's name."""
        return f"{self.noun}Name"


@dataclass(frozen=True)
class Instances:
    """What a job runs on, and which share of its running time is billed."""

    type: str
    count: int
    billed_share: float = 1.0
    #: MaxWaitTimeInSeconds of spot instances
    max_wait: float | None = None


class JobKind(ABC):
    """Create, Describe, List, Stop and Delete of one kind of job."""

    def __init__(self, core: Core, job_type: JobType) -> None:
        """No jobs yet."""
        self._core = core
        self._type = job_type
        self._table: Table[JobRecord] = Table(core.store)
        self._lifecycle = JobLifecycle(core, self._table, job_type.word, self._announce)
        self._listing = listing.Listing(f"{job_type.noun}Summaries", job_type.order)

    @abstractmethod
    def check(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """What AWS refuses before it asks for permissions. Raises ServiceError."""

    @abstractmethod
    def check_image(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The image has a local runner. Raises ServiceError."""

    @abstractmethod
    def role_of(self, scope: Scope, asked: Mapping[str, Any]) -> str | None:
        """The role that the caller passes; None: this kind of job passes none."""

    @abstractmethod
    def instances(self, asked: Mapping[str, Any]) -> Instances:
        """What the job asks to run on."""

    def retries(self, asked: Mapping[str, Any]) -> int:
        """How often the job starts again after a fault of the service's own."""
        del asked
        return 0

    def takes(self, record: JobRecord) -> dict[str, float]:
        """What the job takes of the account's quotas while it is not over."""
        use = f"{self._type.word} job"
        return {
            quotas.instances(record.instance_type, use): record.instance_count,
            f"Number of instances across all {use}s": record.instance_count,
        }

    def enter(self, record: JobRecord) -> float:
        """Take the instances of the quotas; virtual seconds until they are up. The store's lock is held."""
        self._core.take(record, self.takes(record))
        return durations.JOB_STARTING

    @abstractmethod
    def program(self, record: JobRecord) -> Program:
        """What runs once the instances are up. Raises ServiceError for a request that cannot be run."""

    @abstractmethod
    def describe_record(self, record: JobRecord) -> dict[str, Any]:
        """The reply of Describe. The store's lock is held."""

    @abstractmethod
    def summary(self, record: JobRecord) -> dict[str, Any]:
        """One entry of List. The store's lock is held."""

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        noun, resource = self._type.noun, (self._type.path, self._type.name)
        name: Tree = {self._type.name: ANY}
        served = {
            f"Create{noun}": Operation(self.create, self._type.create, resource),
            f"Describe{noun}": Operation(self.describe, name, resource),
            f"List{noun}s": Operation(self.list_page, listing.STATUS_LIST),
            f"Stop{noun}": Operation(self.stop, name, resource),
        }
        if self._type.deleting is not None:
            served[f"Delete{noun}"] = Operation(self.delete, name, resource)
        return served

    def create(self, request: Request) -> dict[str, Any]:
        """Check everything that AWS checks before it answers, then start the job."""
        asked, scope = request.parameters, request.scope
        self.check(scope, asked)
        self._core.require_tagging(request, scope.arn(self._type.path, asked[self._type.name]))
        role = self.role_of(scope, asked)
        if role is not None:
            self._core.require_role(request, role)
        return {f"{self._type.noun}Arn": self.launch(scope, asked).arn}

    def launch(self, scope: Scope, asked: dict[str, Any], started_by: Mapping[str, str] | None = None) -> JobRecord:
        """Start a job without asking what a caller may. ``started_by`` joins the reply of Describe.

        Raises ServiceError: ResourceInUse for a name that is taken, ValidationException for a bad request.
        """
        self.check(scope, asked)
        self.check_image(scope, asked)
        name, now, instances = asked[self._type.name], self._core.clock.now(), self.instances(asked)
        record = JobRecord(
            scope,
            name,
            scope.arn(self._type.path, name),
            asked,
            now,
            now,
            tags=tag_map(asked.get("Tags")),
            instance_type=instances.type,
            instance_count=instances.count,
            billed_share=instances.billed_share,
            attempts=Attempts(self.retries(asked), instances.max_wait),
            started_by=dict(started_by or {}),
        )
        self._lifecycle.start(record, self.program(record), self.enter)
        return record

    def describe(self, request: Request) -> dict[str, Any]:
        """The request and how far the job is."""
        with self._core.store.lock:
            record = self.require(request.scope, request[self._type.name])
            return {**self.describe_record(record), **record.started_by}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            records = self._table.of(request.scope)
            return listing.page(request.parameters, records, self._listing, self.summary)

    def stop(self, request: Request) -> dict[str, Any]:
        """SIGTERM, up to 120 s, then Stopped."""
        self._lifecycle.stop(self.require(request.scope, request[self._type.name]))
        return {}

    def stop_record(self, record: JobRecord) -> None:
        """Stop a job that the service started; nothing happens when it is not in progress any more."""
        self._lifecycle.stop_if_running(record)

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a finished job; its name is free again afterwards."""
        with self._core.store.lock:
            record = self.require(request.scope, request[self._type.name])
            self._lifecycle.delete(record, self._type.deleting or 0.0)
        return {}

    def _announce(self, record: JobRecord) -> None:
        """Hold the lock."""
        reply = {**self.describe_record(record), **record.started_by}
        detail = events.described(f"Describe{self._type.noun}", reply, record)
        detail_type = f"SageMaker {self._type.word.title()} Job State Change"
        self._core.announce(record.scope, detail_type, [record.arn], detail)

    def require(self, scope: Scope, name: str) -> JobRecord:
        """The job of this name. Raises the kind's own error when there is none."""
        record = self._table.get(scope, name)
        if record is None:
            raise self._type.missing(name)
        return record

    def find(self, scope: Scope, name: str) -> JobRecord | None:
        """The job of this name, None when there is none."""
        return self._table.get(scope, name)

    def reset(self) -> None:
        """End what runs and forget every record."""
        self._lifecycle.reset()
