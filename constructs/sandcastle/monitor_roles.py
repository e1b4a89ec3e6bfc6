"""Roles of what watches an endpoint: of the jobs that look for drift, and of the one that asks the model beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.monitor_places import MonitorPlaces
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import (
    ON_AWS,
    PARTITION,
    list_objects,
    pull_image,
    put_metrics,
    read_objects,
    write_logs,
    write_objects,
)
from sandcastle.processing_request import ASKED, BASELINE
from sandcastle.promises import may, may_not
from sandcastle.roles import ServiceRole, Statement

PROCESSING = "/aws/sagemaker/ProcessingJobs"
METRICS = ("aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics")
"""Namespaces of what monitoring measures (facts on containers, 5.3), without a slash in front."""

BATCH_METRICS = "aws/sagemaker/ModelMonitoring/data-metrics"
"""Of what transform jobs are asked."""

SERVICE_JOBS = ("model-monitoring", "model-quality-monitoring", "groundtruth-merge")
"""What SageMaker calls the jobs of monitoring schedules, whatever these are called (facts on containers, 5.1)."""

_OWN = "the monitors' own folder; below it lies one folder per fingerprint, endpoint and hour"
_CAPTURED = "SageMaker names captured files by endpoint and hour, below the workload's own folder"
_ASKED = "training rows as the model is asked, and what transform jobs read, in folders by job and by hour"
_LABELS = "labels of this workload only, in folders by the hour"


@dataclass(frozen=True)
class MonitorAccess:
    """What the roles are about: places, ARNs of the buckets, the folder of captured data, the data's fingerprint."""

    names: WorkloadNames
    places: MonitorPlaces
    data_arn: str
    reports_arn: str
    models_arn: str
    capture: str
    dataset: str

    @property
    def prepared(self) -> str:
        """The folder of the prepared data, in the data bucket."""
        return f"{self.names.workload}/{self.dataset}"


def merger_of(analyzer: str) -> str:
    """Return the image that AWS keeps beside its analyzer: it merges captured answers with true labels."""
    return analyzer.replace("-analyzer", "-groundtruth-merger")


def monitor_role(
    scope: Construct,
    construct_id: str,
    *,
    access: MonitorAccess,
    code: Sequence[UploadedAsset],
    images: Sequence[str],
    judges_model: bool,
    watches_batches: bool,
    streams: Sequence[str],
) -> ServiceRole:
    """Add the role of the jobs that make baselines and look for drift.

    ``code`` are the programs and scripts that they run; ``streams`` are what the names of their logs begin with. It
    names the data bucket's labels only if it ``judges_model``, and what transform jobs are asked if it
    ``watches_batches``.
    """
    names, data, reports = access.names, access.data_arn, access.reports_arn
    own, captured = f"{access.places.folder}/*", f"{access.capture}/*"
    labels, baseline = f"{access.places.truth_folder}/*", f"{access.prepared}/{BASELINE}/*"
    truth = [read_objects(data, labels, reason=_LABELS), list_objects(data, labels)] if judges_model else []
    batches = [f"{access.prepared}/{ASKED}/*", f"{access.places.transforms}/*"]
    asked = [read_objects(data, *batches, reason=_ASKED), list_objects(data, *batches)] if watches_batches else []
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Makes the baselines of {names.workload} and watches its endpoint",
        statements=[
            *_code(code),
            read_objects(data, baseline, reason="all files of exactly this baseline"),
            list_objects(data, f"{access.prepared}/*"),
            *truth,
            *asked,
            read_objects(reports, captured, own, reason=_CAPTURED),
            list_objects(reports, captured, own),
            write_objects(reports, own, reason=_OWN),
            *write_logs(PROCESSING, f"{names.job_prefix}-*", *(f"{one}-*" for one in streams)),
            put_metrics(PROCESSING, *METRICS, *([BATCH_METRICS] if watches_batches else [])),
            *pull_image(*images),
        ],
        promises=[
            *(may("s3:GetObject", f"arn:{PARTITION}:s3:::{one.bucket}/{one.key}") for one in code),
            may("s3:GetObject", f"{data}/{baseline}"),
            may("s3:GetObject", f"{reports}/{captured}"),
            may("s3:PutObject", f"{reports}/{own}"),
            (may if judges_model else may_not)("s3:GetObject", f"{data}/{labels}"),
            *((may if watches_batches else may_not)("s3:GetObject", f"{data}/{one}") for one in batches),
            may_not("s3:PutObject", f"{reports}/{captured}"),
            may_not("s3:PutObject", f"{data}/*"),
            may_not("s3:GetObject", f"{data}/{access.prepared}/test/*"),
            may_not("s3:GetObject", f"{access.models_arn}/*"),
            may_not("s3:DeleteObject", "*"),
            may_not("sagemaker:UpdateEndpoint", "*"),
            may_not("iam:PassRole", "*"),
        ],
    )


def judge_role(
    scope: Construct,
    construct_id: str,
    *,
    access: MonitorAccess,
    code: UploadedAsset,
    image: str,
    archive: tuple[str, str],
) -> ServiceRole:
    """Add the role of the job that asks the model about the test split; ``archive`` is a bucket's ARN and a key."""
    names, data, reports = access.names, access.data_arn, access.reports_arn
    written = f"{access.places.folder}/evaluations/*"
    read = [f"{access.prepared}/{part}/*" for part in ("test", "about")]
    bucket, key = archive
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Asks the model of {names.workload} about rows whose labels are known",
        statements=[
            *_code([code]),
            read_objects(bucket, key, reason="archives of this workload only; what varies is fingerprint and job"),
            list_objects(bucket, f"{key.partition('*')[0]}*"),
            read_objects(data, *read, reason="all files of two outputs of exactly this dataset"),
            list_objects(data, f"{access.prepared}/*"),
            write_objects(reports, written, reason=_OWN),
            *write_logs(PROCESSING, f"{names.job_prefix}-*"),
            put_metrics(PROCESSING, unseen=ON_AWS),
            *pull_image(image),
        ],
        promises=[
            may("s3:GetObject", f"{bucket}/{key}"),
            *(may("s3:GetObject", f"{data}/{one}") for one in read),
            may("s3:PutObject", f"{reports}/{written}"),
            may_not("s3:GetObject", f"{data}/{access.prepared}/train/*"),
            may_not("s3:PutObject", f"{reports}/{access.places.folder}/baselines/*"),
            may_not("s3:PutObject", f"{data}/*"),
            may_not("s3:DeleteObject", "*"),
            may_not("sagemaker:CreateModel", "*"),
            may_not("iam:PassRole", "*"),
        ],
    )


def _code(code: Sequence[UploadedAsset]) -> list[Statement]:
    """Allow reading exactly these, and finding them: SageMaker lists what it is to download."""
    return [
        statement
        for one in code
        for statement in (
            read_objects(f"arn:{PARTITION}:s3:::{one.bucket}", one.key),
            list_objects(f"arn:{PARTITION}:s3:::{one.bucket}", f"{one.key}*"),
        )
    ]
