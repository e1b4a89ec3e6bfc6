"""Target of a rule of EventBridge: a job of a monitor has ended, so people and alarms are told what came of it.

The event is ``SageMaker Processing Job State Change``, whose detail is the job (SageMaker developer guide, "Events that
SageMaker AI sends to EventBridge"). Both engines end a run that found violations with the same exit message, and leave
them in ``constraint_violations.json``.

People hear in words what is found, by feature or metric and with its distance or value: when it is found, when it
changes and when it ends, but not each hour that it is still so (``monitor_told``). They hear of runs that fail, too,
once until one works again. Alarms of CloudWatch hear of every run, by two metrics. A run that had nothing to judge, as
nobody asked the endpoint or no label came, is neither: whatever was known stays as it is. What somebody ran by hand is
that person's.

Variables of the function:

    ENVIRONMENT, WORKLOAD   what it is about
    TOPIC_ARN   who is told
    TOLD        the folder in S3, by its address, for what people know
    WATCHED     addresses that are empty while nobody asks or labels anything, a JSON array
    MERGING     the schedule whose runs begin with a job that merges labels: SageMaker does not tell that job so
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import monitor_told
from aws import client
from messages import tell
from monitor_told import Told

NAMESPACE, VIOLATIONS, FAILED = "Sandcastle/Monitors", "Violations", "FailedRuns"
"""Of the metrics, which have the schedule's name as their one dimension."""

_FOUND = "CompletedWithViolations"
_NO_INPUT, _NO_ROWS = "No S3 objects found", ("inputs had no data", "no data to analyse")
"""What Model Monitor says of a run that had nothing to judge: the first names the empty address."""

_ITEMS = re.compile(r'"item_count"\s*:\s*(\d+)')
_HEAD_BYTES = 1024
"""statistics.json begins with how many rows there were; after that come megabytes of distributions."""

_LONGEST_SECONDS = 86_400
"""Of a processing job that nothing else is said of (API reference, ProcessingStoppingCondition)."""


@dataclass(frozen=True)
class Run:
    """One run that is over: its violations by what they are about, or why it failed; None and "" if neither."""

    schedule: str
    created: float
    about: str
    """What it looked at, or what it wrote, in words."""
    violations: Mapping[str, str] | None
    failure: str


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return what the topic was told, nothing where there was nothing new. Raises ClientError."""
    del context
    s3 = client("s3")
    run = _run(s3, event["detail"])
    if run is None or (run.violations is None and not run.failure):
        return ""
    address = f"{os.environ['TOLD']}/{run.schedule}.json"
    known = monitor_told.read(s3, address)
    if run.created <= known.at:  # SageMaker may send an event twice, and late
        return ""
    _measure(run)
    now = known.after(run.created, run.violations, bool(run.failure))
    if now.same_as(known):
        return ""
    subject, said = message(run, known, os.environ["WORKLOAD"], os.environ["ENVIRONMENT"])
    tell(client("sns"), os.environ["TOPIC_ARN"], os.environ["ENVIRONMENT"], subject, said)
    monitor_told.write(s3, address, now)
    return said


def message(run: Run, known: Told, workload: str, environment: str) -> tuple[str, str]:
    """Return subject and text for a run of which something is new to people who know ``known``."""
    head, look = f"Workload {workload}: {run.schedule}", f"sandcastle monitor show {workload}"
    if run.failure:
        lines = [f"{head} failed: {run.failure}", run.about, "", "You hear of it again when a run works."]
        subject = f"a monitor of {workload} failed"
    else:
        found = run.violations or {}
        subject, first = _verdict(workload, found, known)
        again = ["Its runs work again."] if known.failed else []
        lines = [f"{head} {first}", *again, *monitor_told.lines(found, known.violations), "", run.about]
        lines += ["You hear of it again when this changes or ends."] if found else []
        look = f"sandcastle monitor report {workload}"
    return subject, "\n".join([*lines, f"See it: {look} --environment {environment}"])


def _verdict(workload: str, found: Mapping[str, str], known: Told) -> tuple[str, str]:
    """Return the subject, and how the first line goes on."""
    if not found:
        if not known.violations:
            return f"a monitor of {workload} works again", "found nothing"
        return f"a monitor of {workload} finds nothing any more", "finds nothing any more"
    if not known.violations:
        return f"a monitor of {workload} found something", "found"
    if set(found) == set(known.violations):
        return f"a monitor of {workload} works again", "still finds"
    return f"a monitor of {workload} finds something else", "found something else than before"


def _run(s3: Any, job: Mapping[str, Any]) -> Run | None:
    """Return the run that has ended with this job, None if none has."""
    folder = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
    if "/by-hand/" in f"{folder}/":
        return None
    variables: Mapping[str, str] = job.get("Environment") or {}
    schedule = variables.get("sagemaker_monitoring_schedule_name")
    merges = schedule is None
    name, created = schedule or os.environ["MERGING"], float(job.get("CreationTime", 0))
    if job["ProcessingJobStatus"] != "Completed":
        return Run(name, created, f"Job: {job['ProcessingJobName']}", None, _failure(job))
    if merges:  # what was merged is judged by another job
        return None
    hours = f"from {variables['start_time']} to {variables['end_time']}" if "end_time" in variables else ""
    about = "\n".join([*([f"It looked {hours}."] if hours else []), f"Report: {folder}/"])
    return Run(name, created, about, _violations(s3, job, folder), "")


def _violations(s3: Any, job: Mapping[str, Any], folder: str) -> Mapping[str, str] | None:
    """Return a run's violations by what they are about; None where it had not a row to judge."""
    if job.get("ExitMessage", "").startswith(_FOUND):
        found = json.loads(_read(s3, f"{folder}/constraint_violations.json"))["violations"]
        return {monitor_told.name(one): one["description"] for one in found}
    rows = _ITEMS.findall(_read(s3, f"{folder}/statistics.json", Range=f"bytes=0-{_HEAD_BYTES - 1}"))
    return None if rows[:1] == ["0"] else {}


def _failure(job: Mapping[str, Any]) -> str:
    """Return why a job failed; nothing if it only had nothing to judge, or if somebody has stopped it."""
    if job["ProcessingJobStatus"] == "Stopped":
        seconds = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _LONGEST_SECONDS)
        ran = float(job.get("ProcessingEndTime") or 0) - float(job.get("ProcessingStartTime") or 0)  # milliseconds
        return f"it was stopped after {seconds // 60} minutes, the most it may take" if ran >= seconds * 1000 else ""
    reason = str(job.get("FailureReason") or job.get("ExitMessage") or "no reason is given")
    watched: Sequence[str] = json.loads(os.environ["WATCHED"])
    empty = _NO_INPUT in reason and any(address in reason for address in watched)
    return "" if empty or any(text in reason for text in _NO_ROWS) else reason


def _measure(run: Run) -> None:
    """Tell the alarms. That of violations keeps its state when a run fails: nothing has been judged."""
    values = {FAILED: float(bool(run.failure))}
    if run.violations is not None:
        values[VIOLATIONS] = float(len(run.violations))
    dimensions = [{"Name": "MonitoringSchedule", "Value": run.schedule}]
    data = [{"MetricName": key, "Value": value, "Dimensions": dimensions} for key, value in values.items()]
    client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _read(s3: Any, address: str, **options: Any) -> str:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return body.decode(errors="replace")
