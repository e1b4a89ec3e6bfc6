"""The monitor of a workload's transform jobs: its schedule, and its job as a request for a run by hand.

The workload's stack says what the schedule is called, as there is no endpoint to find it by. Both engines look at the
objects that transform jobs have left manifests of, by the hour in which the jobs began (SageMaker developer guide,
model-monitor-data-capture-batch.html). A run by hand gets one manifest of them all, which is written for it; its report
lies beside those of the schedule, and nothing goes into a metric.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from operations.errors import OperationError
from operations.monitor.call import QUIET
from operations.monitor.definition import Definition, source
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.windows import Window, at
from sandcastle.monitor_places import MonitorPlaces

_OUTPUT = "/opt/ml/processing/output"


@dataclass(frozen=True)
class Batch:
    """What the monitor of transform jobs looks at; ``definition`` is None where the portable engine has no such."""

    watched: Watched
    monitor: Monitor
    capture: str
    offsets: tuple[str, str]
    """From when until when the schedule looks, seen from when it runs; ISO 8601 durations."""
    definition: Definition | None = None
    variants: tuple[str, ...] = ("input",)
    """What stands where variants stand of an endpoint: rows that went in, not answers that came out."""
    truth: str | None = None

    @classmethod
    def of(cls, watched: Watched, monitor: Monitor) -> Batch:
        """Read what the portable engine's function is called with, or ask for the definition."""
        if call := monitor.call:
            offsets = f"-PT{call['hours'] + call['late']}H", f"-PT{call['late']}H"
            return cls(watched, monitor, call["captured"], offsets)
        sagemaker = watched.target.client("sagemaker")
        described = sagemaker.describe_data_quality_job_definition(JobDefinitionName=monitor.definition)
        capture = described["DataQualityJobInput"]["BatchTransformInput"]["DataCapturedDestinationS3Uri"].rstrip("/")
        definition = Definition(monitor, described, capture, ())
        return cls(watched, monitor, capture, definition.offsets, definition)

    @property
    def silent(self) -> str:
        """What is the case, and what to do, when there is nothing to look at."""
        ask = f"sandcastle transform {self.watched.workload} --capture --environment {self.watched.environment}"
        return f"no transform job with capture has left anything in {self.capture}/. Run one first: {ask}"

    def place(self, variant: str) -> str:
        """Return the folder below which hours are."""
        return f"{self.capture}/{variant}"

    def requests(self, name: Callable[[], str], window: Window, labels: list[datetime]) -> list[dict[str, Any]]:
        """Return the one job that there is, and write the manifests that it reads. Raises OperationError."""
        del labels  # rows have none
        job = name()
        request = self._request(job, window)
        within, inputs = request["Environment"]["dataset_source"].rstrip("/"), request["ProcessingInputs"]
        for number, address in enumerate(self._written(job, window), start=1):
            rows = source(f"rows-{number}", address, f"{within}/{number}")
            inputs = [*inputs, {**rows, "S3Input": {**rows["S3Input"], "S3DataType": "ManifestFile"}}]
        return [{**request, "ProcessingInputs": inputs}]

    def _request(self, job: str, window: Window) -> dict[str, Any]:
        """Return the request without the rows."""
        if self.definition:
            return self.definition.analyse(job, replace(window, found=()), None)
        call = self.monitor.call
        span = {"start_time": f"{window.begin:%Y-%m-%dT%H:%M:%SZ}", "end_time": f"{window.end:%Y-%m-%dT%H:%M:%SZ}"}
        target = f"{call['reports']}/{call['schedule']}/by-hand/{job}"
        output = {"S3Uri": target, "LocalPath": _OUTPUT, "S3UploadMode": "EndOfJob"}
        return {
            **call["request"],
            "ProcessingJobName": job,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
            "Environment": {**call["request"]["Environment"], **QUIET, **span},
        }

    def _written(self, job: str, window: Window) -> Iterator[str]:
        """Write a manifest for each bucket that rows of the window are in; yield their addresses."""
        s3, found = self.watched.target.client("s3"), dict[str, dict[str, None]]()
        for variant, hour in window.found:
            for bucket, key in self._listed(s3, at(self.place(variant), hour)):
                found.setdefault(bucket, {})[key] = None
        places = MonitorPlaces(self.watched.workload, "", urlsplit(self.watched.outputs["MonitoringReports"]).netloc)
        for number, (bucket, keys) in enumerate(found.items(), start=1):
            key = f"{places.manifests}/by-hand/{job}/{number}.json"
            body = json.dumps([{"prefix": f"s3://{bucket}/"}, *keys]).encode()
            s3.put_object(Bucket=places.reports_bucket, Key=key, Body=body)
            yield f"s3://{places.reports_bucket}/{key}"

    def _listed(self, s3: Any, folder: str) -> Iterator[tuple[str, str]]:
        """Yield bucket and key of each object of the manifests in a folder. Raises OperationError."""
        parts = urlsplit(folder)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=parts.netloc, Prefix=f"{parts.path.lstrip('/')}/")
        for one in (each for page in pages for each in page.get("Contents", [])):
            body = s3.get_object(Bucket=parts.netloc, Key=one["Key"])["Body"].read()
            try:
                first, *names = json.loads(body)
                prefix = urlsplit(first["prefix"])
                found = [(prefix.netloc, f"{prefix.path.lstrip('/')}{name}") for name in names]
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise OperationError(f"s3://{parts.netloc}/{one['Key']} is no manifest: {error}") from error
            yield from found
