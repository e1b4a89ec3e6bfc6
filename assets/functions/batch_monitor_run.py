"""Runs the portable monitor of transform jobs: EventBridge Scheduler calls, and a job looks at what they were asked.

A transform job with capture leaves a manifest when it ends: which objects went in, in the folder of the hour in which
it began (developer guide, model-monitor-data-capture-batch.html). The function makes one of all those of the window,
which SageMaker puts the rows into the processing job by. The schedule's input says everything, with ``at`` filled in by
Scheduler (when it was due):

    schedule             its name
    hours, late          how many hours the window has, and how many hours before the run it ends
    captured             the address below which transform jobs leave their manifests
    manifests, reports   the addresses below which the run's own manifests and its report lie
    prefix, part         beginning and end of the job's name
    request              the request to SageMaker without name, window and rows

A job's name follows from schedule and hour: called twice for the same hour, the function starts one job. Where no
transform job has ended there is nothing to look at, and no job is started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from monitor_run import job_of, window

_DATA = "/opt/ml/processing/input/batch"


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return the name of the job, nothing when none was started. Raises ClientError."""
    del context
    s3 = client("s3")
    due = datetime.fromisoformat(event["at"].replace("Z", "+00:00")).astimezone(UTC)
    due = due.replace(minute=0, second=0, microsecond=0)
    asked = rows_of(s3, event, due)
    if not asked:
        print(f"no transform job with capture has left anything in {event['captured']} since: nothing to look at")
        return ""
    request = request_of(event, due, written(s3, event, due, asked))
    try:
        client("sagemaker").create_processing_job(**request)
    except ClientError as error:
        if code_of(error) != "ResourceInUse":
            raise
    return str(request["ProcessingJobName"])


def rows_of(s3: Any, event: dict[str, Any], due: datetime) -> dict[str, list[str]]:
    """Return the objects that went into transform jobs in the window: keys by bucket, each once."""
    found: dict[str, dict[str, None]] = {}
    hour, end = window(event, due)
    while hour < end:
        for address in _below(s3, f"{event['captured']}/input/{hour:%Y/%m/%d/%H}/"):
            for bucket, key in _listed(s3, address):
                found.setdefault(bucket, {})[key] = None
        hour += timedelta(hours=1)
    return {bucket: list(keys) for bucket, keys in found.items()}


def written(s3: Any, event: Mapping[str, Any], due: datetime, asked: Mapping[str, list[str]]) -> list[str]:
    """Write a manifest for each bucket; return their addresses."""
    addresses = []
    for number, (bucket, keys) in enumerate(asked.items(), start=1):
        address = f"{event['manifests']}/{event['schedule']}/{due:%Y/%m/%d/%H}/{number}.json"
        place, _, name = address.removeprefix("s3://").partition("/")
        s3.put_object(Bucket=place, Key=name, Body=json.dumps([{"prefix": f"s3://{bucket}/"}, *keys]).encode())
        addresses.append(address)
    return addresses


def request_of(event: dict[str, Any], due: datetime, manifests: list[str]) -> dict[str, Any]:
    """Return the whole request: the rows are those of all these manifests."""
    rows = [
        {
            "InputName": f"rows-{number}",
            "S3Input": {
                "S3Uri": address,
                "LocalPath": f"{_DATA}/{number}",
                "S3DataType": "ManifestFile",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }
        for number, address in enumerate(manifests, start=1)
    ]
    inputs = [*event["request"]["ProcessingInputs"], *rows]
    return job_of(event, due, inputs, f"{event['reports']}/{event['schedule']}/{due:%Y/%m/%d/%H}")


def _below(s3: Any, prefix: str) -> Iterator[str]:
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for one in page.get("Contents", []):
            yield f"s3://{bucket}/{one['Key']}"


def _listed(s3: Any, manifest: str) -> list[tuple[str, str]]:
    """Return bucket and key of each object of a manifest, nothing of a file that is none."""
    bucket, _, key = manifest.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        first, *names = json.loads(body)
        place, _, folder = first["prefix"].removeprefix("s3://").partition("/")
        return [(place, f"{folder}{name}") for name in names]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        print(f"{manifest} is no manifest and is left out: {error}")
        return []
