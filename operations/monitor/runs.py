"""The runs of a monitor: what its schedule executed, and what was run by hand, newest first.

What a run compared with what is read from its processing job: inputs, variables and output are the same whether Model
Monitor or the portable engine started it (facts of the containers, section 5.1). Executions of the former are listed by
SageMaker; a run of the latter is its job and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from operations.by_hand import names_begin
from operations.monitor.monitors import Monitor, Watched

MARK = "mon-"
"""What stands after the workload's prefix in the names of jobs that are run by hand."""

ANALYSED = ("Completed", "CompletedWithViolations")
BUSY = ("Pending", "InProgress", "Stopping")
_VIOLATIONS = "CompletedWithViolations"
_NO_DATA = "No S3 objects found under S3 URL"
"""What SageMaker says of a job whose input is an empty folder."""

_BASELINES = {"statistics": "baseline_statistics", "constraints": "baseline_constraints"}


@dataclass(frozen=True)
class Run:
    """One run: when it was due, what became of it, and the processing job that did it (none when it never began)."""

    monitor: Monitor
    moment: datetime
    status: str
    reason: str
    job: str
    by_hand: bool

    @property
    def why(self) -> str:
        """Why it judged nothing, for a person."""
        if self.analysed:  # the portable engine looks at an empty hour, too
            return f"no {'labels or requests' if self.monitor.kind == 'ModelQuality' else 'requests'} in its hour"
        if _NO_DATA not in self.reason:
            return self.reason or "no reason is given"
        if self.monitor.batch:
            return "no transform job with capture in its hours"
        return "no labels came for its hour" if "/ground-truth/" in self.reason else "no requests in its hour"

    @property
    def analysed(self) -> bool:
        """Whether it has come to an end with a report, be it about nothing."""
        return self.status in ANALYSED


@dataclass(frozen=True)
class Folders:
    """Where the files of a run are in S3: its own, and those of the baseline by ``statistics`` and ``constraints``."""

    report: str
    baseline: Mapping[str, str]
    begin: str
    """The window's first moment, as the job is told: ``2026-01-01T15:00:00Z``; empty if it is not told."""
    end: str


def runs(watched: Watched, monitor: Monitor, limit: int) -> list[Run]:
    """Return the newest ``limit`` runs."""
    scheduled = _called(watched, monitor) if monitor.call else _scheduled(watched, monitor)
    found = [*islice(scheduled, limit), *islice(_by_hand(watched, monitor), limit)]
    return sorted(found, key=lambda run: run.moment, reverse=True)[:limit]


def of_job(monitor: Monitor, job: Mapping[str, Any], due: datetime | None = None) -> Run:
    """Return the run that a job is, as SageMaker describes the job: without ``due`` one by hand."""
    status, message = str(job["ProcessingJobStatus"]), str(job.get("ExitMessage", ""))
    if status == "Completed" and message.startswith(_VIOLATIONS):
        status = _VIOLATIONS
    reason = str(job.get("FailureReason") or (message if status == "Failed" else ""))
    moment = due or job["CreationTime"]
    return Run(monitor, moment, status, reason, job["ProcessingJobName"], by_hand=due is None)


def folders_of(watched: Watched, run: Run) -> Folders:
    """Return where the run's files are, as its processing job says."""
    job = watched.target.client("sagemaker").describe_processing_job(ProcessingJobName=run.job)
    variables: dict[str, str] = job.get("Environment", {})
    inputs = {
        place["LocalPath"].rstrip("/"): place["S3Uri"]
        for place in (one["S3Input"] for one in job.get("ProcessingInputs", []) if "S3Input" in one)
    }
    baseline = {}
    for name, variable in _BASELINES.items():
        if variable in variables:
            path = PurePosixPath(variables[variable])
            uri = inputs.get(str(path.parent)) or inputs.get(str(path), "")
            if uri:
                baseline[name] = uri if uri.endswith(".json") else f"{uri.rstrip('/')}/{path.name}"
    if "constraints" in baseline:  # a baseline's files lie side by side; of model quality the job reads only one
        baseline.setdefault("statistics", baseline["constraints"].replace("constraints.json", "statistics.json"))
    return Folders(
        report=job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/"),
        baseline=baseline,
        begin=variables.get("start_time", ""),
        end=variables.get("end_time", ""),
    )


def _scheduled(watched: Watched, monitor: Monitor) -> Iterator[Run]:
    pages = watched.target.client("sagemaker").get_paginator("list_monitoring_executions")
    for page in pages.paginate(MonitoringScheduleName=monitor.schedule, SortBy="ScheduledTime", SortOrder="Descending"):
        for one in page["MonitoringExecutionSummaries"]:
            yield Run(
                monitor=monitor,
                moment=one["ScheduledTime"],
                status=one["MonitoringExecutionStatus"],
                reason=one.get("FailureReason", ""),
                job=one.get("ProcessingJobArn", "").rpartition("/")[2],
                by_hand=False,
            )


def _called(watched: Watched, monitor: Monitor) -> Iterator[Run]:
    """Yield the jobs that the portable engine's function has started, with the hour that their reports' folder says."""
    named = re.compile(f"{re.escape(monitor.call['prefix'])}[0-9a-f]{{7}}-.*")
    for job in _jobs(watched, monitor, monitor.call["prefix"], named):
        folder = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
        due = datetime.strptime("/".join(folder.split("/")[-4:]), "%Y/%m/%d/%H").replace(tzinfo=UTC)
        yield of_job(monitor, job, due)


def _by_hand(watched: Watched, monitor: Monitor) -> Iterator[Run]:
    begins = names_begin(watched.environment, watched.workload, MARK)
    for job in _jobs(watched, monitor, begins, re.compile(f"{re.escape(begins)}.*")):
        if "dataset_format" in job["Environment"]:  # one that only merges answers with labels judges nothing
            yield of_job(monitor, job)


def _jobs(watched: Watched, monitor: Monitor, contains: str, named: re.Pattern[str]) -> Iterator[dict[str, Any]]:
    """Yield the monitor's jobs with such names, the newest first."""
    sagemaker = watched.target.client("sagemaker")
    pages = sagemaker.get_paginator("list_processing_jobs")
    for page in pages.paginate(NameContains=contains, SortBy="CreationTime", SortOrder="Descending"):
        for one in page["ProcessingJobSummaries"]:
            if named.fullmatch(one["ProcessingJobName"]):
                job = sagemaker.describe_processing_job(ProcessingJobName=one["ProcessingJobName"])
                if job.get("Environment", {}).get("sagemaker_monitoring_schedule_name") == monitor.schedule:
                    yield job
