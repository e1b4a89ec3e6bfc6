"""The monitor of transform jobs: what it makes its baseline of, and what it asks its engine for.

SageMaker keeps of a transform job with capture which objects went in, by the hour in which the job began (developer
guide, model-monitor-data-capture-batch.html). The monitor looks at these rows, which have no label and no answer, so
that its baseline has none either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.config import Monitor
from sandcastle.fingerprint import fingerprint
from sandcastle.job_resource import JobResource
from sandcastle.monitors import LATE, DataQualityMonitor, Watched
from sandcastle.processing_request import ASKED, INPUT

BATCH_INPUT = f"{INPUT}/batch"
"""Where the rows lie in a job."""


class BatchDataQualityMonitor(DataQualityMonitor):
    """Are the rows of transform jobs as the training rows were: types, gaps, values, distributions.

    It looks an hour later than a monitor of an endpoint: a job has its manifest when it ends, in the folder of the hour
    in which it began.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, monitor: Monitor, watched: Watched, dataset: str, analyzer: str
    ) -> None:
        """As of a monitor of an endpoint; the baseline is another one, as its rows are others."""
        super().__init__(scope, construct_id, monitor=monitor, watched=watched, dataset=dataset, analyzer=analyzer)
        self.fingerprint = fingerprint(data=dataset, analyzer=analyzer, kind="BatchDataQuality")
        self.fingerprints = [self.fingerprint]

    @property
    def schedule(self) -> str:
        """The name of its schedule."""
        return self._watched.names.batch_schedule

    def run(self, service_token: str, rows: str, siblings: Sequence[str], *after: cdk.CfnResource) -> list[JobResource]:
        """Add the job that makes the baseline; ``rows`` is the address of the prepared data."""
        return [self._baseline_job(service_token, f"{rows}/{ASKED}", {}, siblings, *after)]

    def _application(self) -> dict[str, Any]:
        return {}

    def _input(self, captured: dict[str, Any]) -> dict[str, Any]:
        del captured  # no endpoint has
        late = {key: value.format(self.monitor.hours + 1) for key, value in LATE.items()}
        return {
            "BatchTransformInput": {
                "DataCapturedDestinationS3Uri": self._watched.places.captured,
                "DatasetFormat": {"Csv": {"Header": False}},
                "LocalPath": BATCH_INPUT,
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                **late,
            }
        }
