"""Monitoring executions: what each firing of a schedule runs, and what becomes of it.

    Pending (up to 20 minutes) -> InProgress -> Completed | CompletedWithViolations | Failed | Stopping -> Stopped

A data quality execution is one processing job, a model quality execution two, one after the other: it shows the job
that it has come to. A schedule goes on firing when its endpoint is gone: the jobs then look for data where the endpoint
wrote it last. History outlives the schedule ([B] DeleteMonitoringSchedule).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, listing
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.kinds.jobs import JobRecord
from localcloud.sagemaker.kinds.processing_job import ProcessingJobs
from localcloud.sagemaker.monitoring.run import Run
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record

logger = logging.getLogger("localcloud.sagemaker")

#: statuses of an execution that hold its schedule ([R] facts teardown 1.18)
ACTIVE = ("Pending", "InProgress", "Stopping")
_VIOLATIONS = "CompletedWithViolations"
_LISTING = listing.Listing(
    "MonitoringExecutionSummaries", "Descending", keys={"ScheduledTime": lambda execution: execution.run.scheduled}
)


@dataclass(eq=False, kw_only=True)
class Execution(Record):
    """One firing. Its name is that of the schedule; it has no ARN and is in no table."""

    run: Run
    definition: str | None = None
    job: JobRecord | None = None
    #: ``job`` only prepares the data: another follows
    merging: bool = False
    failure: str | None = None


class Executions:
    """Every execution of every schedule, living or deleted."""

    def __init__(self, core: Core, jobs: ProcessingJobs, flush: Callable[[Scope, str], None]) -> None:
        """None yet; ``jobs`` run them, ``flush`` writes what an endpoint has captured and not written yet."""
        self._core = core
        self._jobs = jobs
        self._flush = flush
        self._all: list[Execution] = []

    def begin(self, scope: Scope, run: Run, definition: str | None, delayed: bool) -> None:
        """A schedule fires: Pending now, a job after a delay that is the same in every run ([B] 0-20 minutes)."""
        now = self._core.clock.now()
        with self._core.store.lock:
            execution = Execution(scope, run.schedule, "", {}, now, now, "Pending", run=run, definition=definition)
            execution.sequence = self._core.store.number()
            self._all.append(execution)
        start = partial(self._core.in_background, partial(self._start, execution, run))
        self._core.clock.call_later(_delay(run) if delayed else 0.0, start, kind="settle")

    def active(self, scope: Scope, schedule: str) -> Execution | None:
        """An execution of this schedule that is not over; hold the lock."""
        return next((e for e in self._of(scope, schedule) if e.status in ACTIVE), None)

    def last(self, scope: Scope, schedule: str) -> dict[str, Any] | None:
        """The summary of the newest execution; hold the lock."""
        found = self._of(scope, schedule)
        return summary(found[-1]) if found else None

    def list_page(self, scope: Scope, request: Mapping[str, Any]) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            found = [e for e in self._refreshed() if e.scope == scope and _matches(e, request)]
            return listing.page(request, found, _LISTING, summary)

    def reset(self) -> None:
        """Forget all; the jobs end with their own kind."""
        with self._core.store.lock:
            self._all.clear()

    def _of(self, scope: Scope, schedule: str) -> list[Execution]:
        return [e for e in self._refreshed() if e.scope == scope and e.name == schedule]

    def _refreshed(self) -> list[Execution]:
        """All of them with the status that their job has now."""
        for execution in self._all:
            if execution.job and execution.status in ACTIVE and not _goes_on(execution):
                execution.status, execution.modified = _status(execution.job), execution.job.modified
                execution.failure = execution.job.failure_reason
        return self._all

    def _start(self, execution: Execution, run: Run) -> None:
        """Make the first job, away from the clock's thread: it looks into S3 for the hours that have data."""
        merging = run.analysis.type == "ModelQuality"
        self._run(execution, run, merging)
        if merging and execution.job:
            follow = partial(self._core.in_background, partial(self._merged, execution, run, execution.job))
            self._core.store.watch(execution.job, follow)

    def _merged(self, execution: Execution, run: Run, merge: JobRecord) -> None:
        """The merge is over: analyse what came of it, unless it failed or was stopped, which ends the execution."""
        if merge.status == "Completed":
            self._run(execution, run, merging=False)

    def _run(self, execution: Execution, run: Run, merging: bool) -> None:
        with self._core.store.lock:
            if execution not in self._all:
                return
        job, failure = None, None
        try:
            job = self._launch(execution.scope, run, merging)
        except ServiceError as refused:
            failure = refused.message
        # whatever is wrong here is localcloud's fault and must end the execution, or it would stay Pending for ever
        except Exception as error:
            logger.exception("an execution of %s could not be started", run.schedule_arn)
            failure = f"InternalServerError: [localcloud] {error}"
        with self._core.store.lock:
            execution.job, execution.merging, execution.failure = job, merging, failure
            execution.status = "InProgress" if job else "Failed"
            execution.modified = self._core.clock.now()
            self._core.store.changed.notify_all()

    def _launch(self, scope: Scope, run: Run, merging: bool) -> JobRecord:
        """Raises ServiceError, with the reason that the execution then shows."""
        analysis = run.analysis
        if analysis.source.endpoint and (merging or analysis.type == "DataQuality"):
            self._flush(scope, analysis.source.endpoint)
        if merging:
            if not analysis.ground_truth:
                raise ServiceError("", "A model quality schedule needs a job definition with GroundTruthS3Input.")
            request = run.merge_request(
                self._with_data(scope, run, run.captured, run.prefixes),
                self._with_data(scope, run, analysis.ground_truth.rstrip("/"), run.label_hours),
            )
        else:
            base = run.merged if analysis.type == "ModelQuality" else run.captured
            prefixes = self._with_data(scope, run, base, run.prefixes)
            manifests = self._manifests(scope, run, prefixes) if analysis.batch else []
            data = run.manifest_inputs(manifests) if manifests else run.data_inputs(base, prefixes)
            request = run.request(data, self._baseline(scope, run))
        return self._jobs.launch(scope, request, {"MonitoringScheduleArn": run.schedule_arn})

    def _with_data(self, scope: Scope, run: Run, base: str, prefixes: list[str]) -> list[str]:
        """The prefixes below ``base`` that hold anything; the last one when none does, for the job to fail on."""
        found = []
        for prefix in prefixes:
            try:
                if self._core.backend.list_objects(scope, run.analysis.role_arn, f"{base}/{prefix}/"):
                    found.append(prefix)
            except RuntimeError as reason:
                # the job meets the same refusal and says so in its own words
                logger.info("%s: %s", run.job_name, reason)
                return prefixes
        return found or prefixes[-1:]

    def _manifests(self, scope: Scope, run: Run, prefixes: list[str]) -> list[str]:
        """What transform jobs have left below these prefixes; nothing where it may not be seen, as above."""
        list_objects, role = self._core.backend.list_objects, run.analysis.role_arn
        try:
            return [uri for prefix in prefixes for uri in list_objects(scope, role, f"{run.captured}/{prefix}/")]
        except RuntimeError:
            return []

    def _baseline(self, scope: Scope, run: Run) -> dict[str, str]:
        """S3 URIs of statistics and constraints; those of the baselining job where the definition has none ([B])."""
        asked = run.analysis.baseline
        found = {
            name: asked[member]["S3Uri"]
            for name, member in (("statistics", "StatisticsResource"), ("constraints", "ConstraintsResource"))
            if asked.get(member, {}).get("S3Uri")
        }
        job = self._jobs.find(scope, asked.get("BaseliningJobName", ""))
        if not found and job:
            outputs = job.request.get("ProcessingOutputConfig", {}).get("Outputs", [])
            if outputs:
                base = outputs[0]["S3Output"]["S3Uri"].rstrip("/")
                found = {name: f"{base}/{name}.json" for name in ("statistics", "constraints")}
        return found


def summary(execution: Execution) -> dict[str, Any]:
    """A MonitoringExecutionSummary."""
    run = execution.run
    return {
        "MonitoringScheduleName": execution.name,
        "ScheduledTime": run.scheduled,
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
        "MonitoringExecutionStatus": execution.status,
        "ProcessingJobArn": execution.job.arn if execution.job else None,
        "EndpointName": run.analysis.source.endpoint,
        "FailureReason": execution.failure,
        "MonitoringJobDefinitionName": execution.definition,
        "MonitoringType": run.analysis.type,
    }


def _goes_on(execution: Execution) -> bool:
    """Whether the job that is over is not the last one."""
    return execution.merging and execution.job is not None and execution.job.status == "Completed"


def _status(job: JobRecord) -> str:
    """The job's status; its exit message tells about violations (facts containers 5.3)."""
    if job.status == "Completed" and job.outcome and (job.outcome.exit_message or "").startswith(_VIOLATIONS):
        return _VIOLATIONS
    return job.status


def _matches(execution: Execution, request: Mapping[str, Any]) -> bool:
    shown = summary(execution)
    wanted = {
        "MonitoringScheduleName": shown["MonitoringScheduleName"],
        "EndpointName": shown["EndpointName"],
        "MonitoringJobDefinitionName": shown["MonitoringJobDefinitionName"],
        "MonitoringTypeEquals": shown["MonitoringType"],
    }
    if any(member in request and request[member] != value for member, value in wanted.items()):
        return False
    after, before = request.get("ScheduledTimeAfter"), request.get("ScheduledTimeBefore")
    return (after is None or shown["ScheduledTime"] > listing.epoch(after)) and (
        before is None or shown["ScheduledTime"] < listing.epoch(before)
    )


def _delay(run: Run) -> float:
    digest = hashlib.sha256(run.job_name.encode()).digest()
    return int.from_bytes(digest[:4]) % int(durations.MONITORING_DELAY)
