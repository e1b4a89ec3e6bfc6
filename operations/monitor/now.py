"""``sandcastle monitor run``: the job of a monitor, once and now, over the last hour that has something to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from operations.by_hand import follow, goes_on, new_name, tags_of
from operations.console import Console
from operations.errors import OperationError
from operations.monitor.batch import Batch
from operations.monitor.call import Call
from operations.monitor.definition import Definition
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.runs import MARK, Run, of_job
from operations.monitor.windows import HOUR, Window, at, candidates, first_with_data


def run_now(watched: Watched, monitor: Monitor, console: Console) -> Run:
    """Run it to its end and return what became of it.

    Raises OperationError when nothing was captured, no labels came, or a job does not complete.
    """
    definition = _definition(watched, monitor)
    now = watched.target.now()
    windows = candidates(now, definition.offsets)
    window = first_with_data(
        windows,
        definition.variants,
        lambda variant, hour: _holds(watched, at(definition.place(variant), hour)),
    )
    if window is None:
        raise OperationError(
            f"{monitor.word}: since {windows[0].begin:%H:%M} UTC (it is {now:%H:%M}) {definition.silent}"
        )
    console.step(f"{monitor.word}: looking at what was captured {window.words}")
    labels = _labels(watched, definition, window, now) if monitor.kind == "ModelQuality" else []
    *before, judge = definition.requests(lambda: _name(watched), window, labels)
    for request in before:
        job = _ran(watched, request, console)
        if job["ProcessingJobStatus"] != "Completed":
            raise OperationError(f"{job['ProcessingJobName']} is {job['ProcessingJobStatus']}: {_why(job)}")
    return of_job(monitor, _ran(watched, judge, console))


def _definition(watched: Watched, monitor: Monitor) -> Definition | Call | Batch:
    """Return what its schedule would run."""
    if monitor.batch:
        return Batch.of(watched, monitor)
    return Call.of(watched, monitor) if monitor.call else Definition.of(watched.target.client("sagemaker"), monitor)


def _labels(watched: Watched, definition: Definition | Call | Batch, window: Window, now: datetime) -> list[datetime]:
    """Return the hours in which labels for the window may have come, and did. Raises OperationError for none."""
    hours = [hour for hour in Window(window.begin, now + HOUR).hours if hour <= now]
    found = [hour for hour in hours if _holds(watched, at(str(definition.truth), hour))]
    if not found:
        raise OperationError(
            f"{definition.monitor.word}: nobody has said what was right for {window.words}: there are no labels below "
            f"{definition.truth}/. docs/monitoring.md says how they are written."
        )
    return found


def _ran(watched: Watched, request: dict[str, Any], console: Console) -> dict[str, Any]:
    """Start the job and wait for its end; return SageMaker's description of it."""
    sagemaker, name = watched.target.client("sagemaker"), request["ProcessingJobName"]
    sagemaker.create_processing_job(**{**request, "Tags": tags_of(watched.environment, watched.workload)})
    console.step(f"started {name}")
    told: list[str] = []

    def tell(found: dict[str, Any]) -> None:
        if found["ProcessingJobStatus"] not in told[-1:]:
            told.append(found["ProcessingJobStatus"])
            console.step(f"{name} is {told[-1]}")

    with goes_on(console, name, f"aws sagemaker stop-processing-job --processing-job-name {name}"):
        return follow(
            watched.target,
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda found: found["ProcessingJobStatus"] in {"InProgress", "Stopping"},
            tell,
        )


def _why(job: dict[str, Any]) -> str:
    reason = job.get("FailureReason") or job.get("ExitMessage") or "SageMaker gives no reason"
    return f"{reason}\nIts log: sandcastle logs {job['ProcessingJobName']}"


def _name(watched: Watched) -> str:
    return new_name(watched.environment, watched.workload, MARK)


def _holds(watched: Watched, folder: str) -> bool:
    """Say whether there is any object below a folder of S3."""
    parts = urlsplit(folder)
    found = watched.target.client("s3").list_objects_v2(
        Bucket=parts.netloc, Prefix=f"{parts.path.lstrip('/')}/", MaxKeys=1
    )
    return bool(found.get("KeyCount"))
