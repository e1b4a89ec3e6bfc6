"""Runs a portable monitor: EventBridge Scheduler calls, and a processing job looks at what was captured since.

The schedule's input says everything, with ``at`` filled in by Scheduler (when it was due):

    schedule, endpoint   names; variants: those of the endpoint
    hours, late          how many hours the window has, and how many hours before the run it ends
    capture, truth       addresses of captured data (below it endpoint, variant, hour) and of labels, or ""
    reports              the address below which reports lie
    prefix, part         beginning and end of the job's name
    request              the request to SageMaker without name, window, captured data and labels

A job's name follows from schedule and hour: called twice for the same hour, the function starts one job. Where nothing
was captured the job is started all the same, to report that; only an endpoint that is gone is not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError

MOST_INPUTS = 10
"""Of a processing job (CreateProcessingJob, ProcessingInputs)."""

_MOST_HOURS = 3
"""Windows up to here read the folders of their hours, longer ones those of their days."""

_ROOT = "/opt/ml/processing"
_DATA, _TRUTH = f"{_ROOT}/input/endpoint", f"{_ROOT}/groundtruth"


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return the name of the job, nothing when none was started. Raises ClientError."""
    del context
    return run(event)


def run(event: dict[str, Any]) -> str:
    """Start the job; return its name, nothing when there is nothing to look at. Raises ClientError."""
    sagemaker, s3 = client("sagemaker"), client("s3")
    due = datetime.fromisoformat(event["at"].replace("Z", "+00:00")).astimezone(UTC)
    due = due.replace(minute=0, second=0, microsecond=0)
    captured = list(_captured(s3, event, due))
    if not captured and not _is_there(sagemaker, event["endpoint"]):
        print(f"{event['endpoint']} is gone and nothing was captured: there is nothing to look at")
        return ""
    request = request_of(event, due, captured, list(_labels(s3, event, due)))
    try:
        sagemaker.create_processing_job(**request)
    except ClientError as error:
        if code_of(error) != "ResourceInUse":
            raise
    return str(request["ProcessingJobName"])


def request_of(
    event: dict[str, Any], due: datetime, captured: Sequence[tuple[str, str]], labels: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the whole request; ``captured`` and ``labels`` are addresses, and folders in the job."""
    request = event["request"]
    inputs = [*request["ProcessingInputs"], *_inputs("captured", captured), *_inputs("labels", labels)]
    if len(inputs) > MOST_INPUTS:  # many variants, many days: all that is there of the endpoint, the window decides
        everything = (f"{event['capture']}/{event['endpoint']}/", _DATA)
        inputs = [*request["ProcessingInputs"], *_inputs("captured", [everything]), *_inputs("labels", labels)]
    return job_of(event, due, inputs, f"{event['reports']}/{event['endpoint']}/{event['schedule']}/{due:%Y/%m/%d/%H}")


def job_of(event: dict[str, Any], due: datetime, inputs: list[dict[str, Any]], target: str) -> dict[str, Any]:
    """Return the schedule's request with name, window and these inputs, and its report at ``target``."""
    request, (start, end) = event["request"], window(event, due)
    output = {"S3Uri": target, "LocalPath": f"{_ROOT}/output", "S3UploadMode": "EndOfJob"}
    digest = hashlib.sha256(f"{event['schedule']}@{due.isoformat()}".encode()).hexdigest()
    return {
        **request,
        "ProcessingJobName": f"{event['prefix']}{digest[:7]}-{event['part']}",
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
        "Environment": {
            **request["Environment"],
            "start_time": _iso(start),
            "end_time": _iso(end),
            "metric_time": _iso(start),
        },
    }


def window(event: dict[str, Any], due: datetime) -> tuple[datetime, datetime]:
    """Return from when until when the run looks."""
    end = due - timedelta(hours=event["late"])
    return end - timedelta(hours=event["hours"]), end


def folders(start: datetime, end: datetime) -> list[str]:
    """Return the folders of the hours from ``start`` up to ``end``, or those of the days where these are many."""
    hours = [start + timedelta(hours=number) for number in range(int((end - start) / timedelta(hours=1)))]
    form = "%Y/%m/%d/%H" if len(hours) <= _MOST_HOURS else "%Y/%m/%d"
    return list(dict.fromkeys(f"{hour:{form}}" for hour in hours))


def _captured(s3: Any, event: dict[str, Any], due: datetime) -> Iterator[tuple[str, str]]:
    for variant in event["variants"]:
        for folder in folders(*window(event, due)):
            address = f"{event['capture']}/{event['endpoint']}/{variant}/{folder}/"
            if _has_objects(s3, address):
                yield address, f"{_DATA}/{variant}/{folder}"


def _labels(s3: Any, event: dict[str, Any], due: datetime) -> Iterator[tuple[str, str]]:
    """A label's folder is the hour in which it came, which is no earlier than its request."""
    if not event["truth"]:
        return
    start, _ = window(event, due)
    for folder in folders(start, due + timedelta(hours=1)):
        address = f"{event['truth']}/{folder}/"
        if _has_objects(s3, address):
            yield address, f"{_TRUTH}/{folder}"


def _inputs(name: str, places: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [source(f"{name}-{number}", address, path) for number, (address, path) in enumerate(places, start=1)]


def source(name: str, address: str, path: str) -> dict[str, Any]:
    """Return an input of a job: whatever lies below the address."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": address,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _has_objects(s3: Any, address: str) -> bool:
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount", 0))


def _is_there(sagemaker: Any, endpoint: str) -> bool:
    try:
        sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if "could not find" not in text_of(error).lower():
            raise
        return False
    return True


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
