"""The life of a job, whatever its kind: start, run in a process, stop, end. Driven by clock and process.

    InProgress: Starting -> Downloading -> Training|Processing|... -> Uploading -> Completed | Failed | Stopped
                again: Interrupted -> Starting (spot instances taken away), Starting (retried after a service's fault)
    Stopping:   the process gets SIGTERM; a job whose instances are not up yet just ends

Starting and the image download are modelled time; the rest takes what the process really takes. A job's billable
time is the image download plus the real run, so that jumps of the clock for other resources do not change it.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations, errors
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.ports import Job, Timer
from localcloud.sagemaker.store import Table, WorkRecord

logger = logging.getLogger("localcloud.sagemaker")

#: starts what the job runs: (what to call with secondary status and message, what to call at the end) -> its handle
Program = Callable[[Callable[[str, str], None], Callable[[JobOutcome], None]], Job]

_MESSAGES: Final = {
    "Starting": "Preparing the instances for {kind}",
    "Downloading": "Downloading the {kind} image",
    "Interrupted": "The spot instances of the {kind} job were interrupted",
    "Stopping": "Stopping the {kind} job",
    "Completed": "{kind} job completed",
    "Failed": "{kind} job failed",
    "Stopped": "{kind} job stopped",
    "MaxRuntimeExceeded": "{kind} job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "{kind} job exceeded MaxWaitTimeInSeconds provided",
}
_FAILURE_LIMIT = 1024
#: how the reason of a failure begins that is the service's own: such a job is retried ([B] RetryStrategy)
_SERVICE_FAULT: Final = "InternalServerError"


@dataclass
class Attempts:
    """What a job that starts more than once has behind it, and how often and how long it may go on."""

    #: retries that are left (RetryStrategy)
    retries: int = 0
    #: MaxWaitTimeInSeconds of a spot job
    max_wait: float | None = None
    #: virtual seconds until there are spot instances again, after the next interruption
    capacity: float = durations.SPOT_CAPACITY
    #: attempts that are over, and the real seconds that they ran
    ended: int = 0
    ran: float = 0.0
    #: virtual seconds of waiting for spot instances
    waited: float = 0.0
    #: what they logged
    metrics: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def wait_left(self) -> float | None:
        """How much longer a spot job may wait and run ([B] MaxWaitTimeInSeconds counts both); None: no limit."""
        return None if self.max_wait is None else self.max_wait - self.waited - self.ran

    def end(self, outcome: JobOutcome) -> None:
        """An attempt is over and another follows."""
        self.ended += 1
        self.ran += outcome.seconds_running
        self.metrics += outcome.metrics


@dataclass(eq=False)
class JobRecord(WorkRecord):
    """A job: what it was asked and how far it is."""

    instance_type: str = ""
    instance_count: int = 1
    #: share of the running time that is billed (1 on demand, less on spot)
    billed_share: float = 1.0
    secondary: str = ""
    transitions: list[dict[str, Any]] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None
    outcome: JobOutcome | None = None
    timer: Timer | None = None
    job: Job | None = None
    #: what starts the process, once for each attempt
    program: Program | None = None
    #: the process has been asked for; its handle may still be on the way
    launched: bool = False
    #: the instances are up
    up: bool = False
    attempts: Attempts = field(default_factory=Attempts)
    #: members that Describe adds: the tuning job or the monitoring schedule that started it
    started_by: dict[str, str] = field(default_factory=dict)

    @property
    def running_seconds(self) -> int | None:
        """Seconds on the instances, None while running or when they were never up."""
        if self.outcome is None or self.started is None:
            return None
        downloads = durations.JOB_IMAGE_DOWNLOAD * (self.attempts.ended + self.up)
        return max(1, math.ceil(downloads + self.attempts.ran + self.outcome.seconds_running))

    @property
    def billable_seconds(self) -> int | None:
        """Seconds that AWS bills."""
        seconds = self.running_seconds
        return None if seconds is None else max(1, math.floor(seconds * self.billed_share))

    @property
    def failure_reason(self) -> str | None:
        """The first 1,024 characters of why it failed."""
        reason = self.outcome.failure_reason if self.outcome else None
        return reason[:_FAILURE_LIMIT] if reason else None


class JobLifecycle:
    """Moves job records of one kind through their states."""

    def __init__(self, core: Core, table: Table[JobRecord], kind: str, announce: Callable[[JobRecord], None]) -> None:
        """``kind`` is "training", "processing" or "transform"; ``announce`` hears of every change, under the lock."""
        self._core = core
        self._table = table
        self._kind = kind
        self._announce = announce

    def start(self, record: JobRecord, program: Program, enter: Callable[[JobRecord], float]) -> None:
        """Add the record and begin; ``enter`` gets the instances, in virtual seconds, and raises for a quota.

        Raises ResourceInUse for a name that is taken.
        """
        with self._core.store.lock:
            if self._table.get(record.scope, record.name) is not None:
                raise errors.resource_in_use(
                    "Job name must be unique within an AWS account and region, and a job with this name already "
                    f"exists ({record.arn})"
                )
            seconds = enter(record)
            record.status = "InProgress"
            record.program = program
            self._table.add(record)
            self._transition(record, "Starting")
            self._later(record, seconds, partial(self._instances_up, record))

    def stop(self, record: JobRecord) -> None:
        """InProgress to Stopping. Raises ValidationException in any other state."""
        with self._core.store.lock:
            if record.status != "InProgress":
                raise errors.validation(
                    f"The request was rejected because the {self._kind} job is in status {record.status}."
                )
            record.status = "Stopping"
            self._transition(record, "Stopping")
            job = record.job
            if not record.launched:
                if record.timer:
                    record.timer.cancel()
                stopped = partial(self._done, record, JobOutcome("Stopped", secondary_status="Stopped"))
                self._later(record, durations.JOB_STOP_EARLY, stopped)
        if job:
            job.stop()

    def stop_if_running(self, record: JobRecord) -> None:
        """``stop`` for what the service stops by itself: a job that is stopping or over stays as it is."""
        with self._core.store.lock:
            running = record.status == "InProgress"
        if running:
            # one that ends between the two is refused, which is as good
            with contextlib.suppress(errors.ServiceError):
                self.stop(record)

    def delete(self, record: JobRecord, seconds: float) -> None:
        """Forget a job that is over after ``seconds`` in status Deleting. Raises ResourceInUse. Hold the lock."""
        if not record.over or record.status == "Deleting":
            raise errors.resource_in_use(
                f"Could not delete {self._kind} job {record.name} because it is in status {record.status}."
            )
        if not seconds:
            self._table.remove(record)
            return
        record.status = "Deleting"
        record.modified = self._core.clock.now()
        self._core.clock.call_later(seconds, partial(self._forget, record), kind="settle")

    def reset(self) -> None:
        """End every process and forget every record."""
        with self._core.store.lock:
            records = self._table.all()
            self._table.clear()
        for record in records:
            if record.timer:
                record.timer.cancel()
            if record.job and not record.over:
                record.job.stop()

    def _instances_up(self, record: JobRecord) -> None:
        with self._core.store.lock:
            if record.status != "InProgress":
                return
            record.up = True
            if record.started is None:
                record.started = self._core.clock.now()
            self._transition(record, "Downloading")
            self._later(record, durations.JOB_IMAGE_DOWNLOAD, partial(self._launch, record))

    def _launch(self, record: JobRecord) -> None:
        with self._core.store.lock:
            program = record.program
            if record.status != "InProgress" or program is None:
                return
            record.launched = True
        try:
            job = program(partial(self._progress, record), partial(self._done, record))
        # whatever is wrong here is localcloud's fault and must end the job, or it would stay InProgress for ever
        except Exception as error:
            logger.exception("%s could not be started", record.arn)
            self._done(record, JobOutcome("Failed", failure_reason=f"InternalServerError: [localcloud] {error}"))
            return
        with self._core.store.lock:
            record.job = job
            stop = record.status == "Stopping" or self._table.get(record.scope, record.name) is not record
        if stop:
            job.stop()

    def _progress(self, record: JobRecord, secondary: str, message: str) -> None:
        with self._core.store.lock:
            # Starting is behind us; what a stopping job still does is not reported, as on AWS
            if record.status == "InProgress" and secondary != "Starting":
                self._transition(record, secondary, message)

    def _done(self, record: JobRecord, outcome: JobOutcome) -> None:
        with self._core.store.lock:
            if record.over or self._table.get(record.scope, record.name) is not record:
                return
            if self._again(record, outcome):
                return
            outcome.metrics = [*record.attempts.metrics, *outcome.metrics]
            record.outcome = outcome
            record.ended = self._core.clock.now()
            record.status = outcome.status
            record.uses = {}
            self._transition(record, outcome.secondary_status or outcome.status)
            seconds = record.billable_seconds
            watchers, record.watchers = record.watchers, []
        if seconds is not None:
            self._core.meter.add(
                record.arn,
                f"{self._kind}-instance",
                f"{record.instance_type} {self._kind}",
                record.instance_count,
                seconds,
                record.tags,
            )
        for callback in watchers:
            callback()

    def _again(self, record: JobRecord, outcome: JobOutcome) -> bool:
        """Whether the job starts once more after this. Hold the lock."""
        interrupted = outcome.status == "Interrupted"
        fault = outcome.status == "Failed" and (outcome.failure_reason or "").startswith(_SERVICE_FAULT)
        if record.status != "InProgress" or not (interrupted or (fault and record.attempts.retries)):
            if interrupted:  # while it was told to stop
                outcome.status, outcome.secondary_status = "Stopped", "Stopped"
            return False
        record.attempts.end(outcome)
        record.job, record.launched, record.up = None, False, False
        if interrupted:
            self._transition(record, "Interrupted")
            self._wait_for_capacity(record)
        else:
            record.attempts.retries -= 1
            self._restart(record)
        return True

    def _wait_for_capacity(self, record: JobRecord) -> None:
        """Until there are spot instances again, or until the job has waited too long. Hold the lock."""
        attempts = record.attempts
        left, seconds, step = attempts.wait_left, attempts.capacity, self._restart
        if left is not None and left < seconds:
            seconds, step = max(left, 0.0), self._waited_too_long
        attempts.waited += seconds
        attempts.capacity = durations.SPOT_CAPACITY
        self._later(record, seconds, partial(step, record))

    def _restart(self, record: JobRecord) -> None:
        with self._core.store.lock:
            if record.status == "InProgress":
                self._transition(record, "Starting")
                self._later(record, durations.JOB_STARTING, partial(self._instances_up, record))

    def _waited_too_long(self, record: JobRecord) -> None:
        with self._core.store.lock:
            if record.status == "InProgress":
                record.status = "Stopping"
                self._transition(record, "Stopping")
                outcome = JobOutcome("Stopped", secondary_status="MaxWaitTimeExceeded")
                self._later(record, durations.JOB_STOP_EARLY, partial(self._done, record, outcome))

    def _forget(self, record: JobRecord) -> None:
        with self._core.store.lock:
            self._table.remove(record)

    def _transition(self, record: JobRecord, secondary: str, message: str = "") -> None:
        """Enter a secondary status: the one before ends, the record changes. Hold the lock."""
        now = self._core.clock.now()
        text = message or _MESSAGES.get(secondary, "{kind} in progress").format(kind=self._kind)
        text = text[:1].upper() + text[1:]
        last = record.transitions[-1] if record.transitions else None
        if last and last["Status"] == secondary:
            last["StatusMessage"] = text
        else:
            if last:
                last["EndTime"] = now
            record.transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": text})
            if record.over:
                record.transitions[-1]["EndTime"] = record.ended
        record.secondary = secondary
        record.modified = now
        self._announce(record)
        self._core.store.changed.notify_all()

    def _later(self, record: JobRecord, delay: float, step: Callable[[], None]) -> None:
        record.timer = self._core.clock.call_later(delay, step, kind="settle")
