"""The role that a hosted model works as: reads its archives, logs, and writes what its kind of endpoint keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from constructs import Construct

from sandcastle.batch_access import BatchAccess
from sandcastle.config import Workload
from sandcastle.endpoint_config import ServingPlaces
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import (
    ON_AWS,
    list_objects,
    pull_image,
    put_metrics,
    read_objects,
    write_logs,
    write_objects,
)
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import ServiceRole, Statement


def serving_role(
    scope: Construct,
    construct_id: str,
    *,
    workload: Workload,
    names: WorkloadNames,
    image: str,
    archives: Collection[tuple[str, str]],
    reports_bucket_arn: str,
    places: ServingPlaces,
    topic_arn: str,
    alarms: Sequence[str],
    batch: BatchAccess,
) -> ServiceRole:
    """Add the role. ``archives`` are the models' buckets (ARNs) and keys, which may hold a ``*``.

    ``alarms`` are ARNs of those that an update goes back by: SageMaker looks at them in the name of this role
    (developer guide, "Auto-rollback configuration and monitoring"). ``batch`` is what transform jobs need, which work
    in its name, too.

    It names the reports bucket only if its endpoint writes there: a promise alone would import it.
    """
    kept, promised = _kept(workload, reports_bucket_arn, places, topic_arn)
    reason = "archives of this workload only; what varies is fingerprint and job"
    reading = [
        statement
        for bucket, key in sorted(archives)
        for statement in (
            read_objects(bucket, key, reason=reason),
            list_objects(bucket, f"{key.partition('*')[0]}*"),
        )
    ]
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Serves the model of {workload.name}",
        statements=[
            *reading,
            *kept,
            *([Statement(["cloudwatch:DescribeAlarms"], alarms)] if alarms else []),
            *batch.statements(),
            *write_logs(names.endpoint_log_group, "*"),
            put_metrics("/aws/sagemaker/Endpoints", unseen=ON_AWS),
            *pull_image(image),
        ],
        promises=[
            *(may("s3:GetObject", f"{bucket}/{key}") for bucket, key in sorted(archives)),
            *promised,
            *(may("cloudwatch:DescribeAlarms", arn) for arn in alarms),
            may_not("cloudwatch:PutMetricAlarm", "*"),
            *batch.promises(),
            may_not("s3:DeleteObject", "*"),
            may_not("sagemaker:CreateTrainingJob", "*"),
            may_not("iam:PassRole", "*"),
        ],
    )


def _kept(
    workload: Workload, bucket_arn: str, places: ServingPlaces, topic_arn: str
) -> tuple[list[Statement], list[Promise]]:
    """Return what the role needs for what the endpoint keeps, and what is promised about it."""
    serve = workload.serve
    if serve.capture_percent:
        captured = f"{places.capture}/*"
        reason = "SageMaker names captured files by endpoint and hour, below the workload's own folder"
        return [write_objects(bucket_arn, captured, reason=reason)], [
            may("s3:PutObject", f"{bucket_arn}/{captured}"),
            may_not("s3:PutObject", f"{bucket_arn}/async/*"),
            may_not("s3:GetObject", f"{bucket_arn}/*"),
        ]
    if serve.kind == "async":
        return _asynchronous(bucket_arn, places, topic_arn)
    return [], []


def _asynchronous(bucket_arn: str, places: ServingPlaces, topic_arn: str) -> tuple[list[Statement], list[Promise]]:
    """SageMaker reads requests, writes answers and tells the topic, all of it in the name of the model's role."""
    requests, answers, failures = (f"{one}/*" for one in (places.requests, places.answers, places.failures))
    statements = [
        read_objects(bucket_arn, requests, reason="requests of this workload only, under names of who asks"),
        write_objects(bucket_arn, answers, failures, reason="SageMaker names answers, in folders of this workload"),
        list_objects(bucket_arn, f"async/{places.workload}/*"),
        Statement(["sns:Publish"], [topic_arn]),
    ]
    return statements, [
        may("s3:GetObject", f"{bucket_arn}/{requests}"),
        may("s3:PutObject", f"{bucket_arn}/{answers}"),
        may("s3:PutObject", f"{bucket_arn}/{failures}"),
        may("sns:Publish", topic_arn),
        may_not("s3:PutObject", f"{bucket_arn}/{requests}"),
        may_not("s3:GetObject", f"{bucket_arn}/{answers}"),
        may_not("s3:GetObject", f"{bucket_arn}/capture/*"),
    ]
