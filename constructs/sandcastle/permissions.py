"""Statements that roles are made of: S3 by bucket and prefix, logs by group and stream, images by repository.

The set for jobs and endpoints follows the SageMaker developer guide, "CreateTrainingJob API: execution role
permissions" and its siblings for processing and hosting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk

from sandcastle.roles import Statement

_IMAGE = re.compile(r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.[\w.]+/(?P<repository>[^:@]+)([:@]|$)")

PARTITION, REGION, ACCOUNT = cdk.Aws.PARTITION, cdk.Aws.REGION, cdk.Aws.ACCOUNT_ID
"""Of the stack that they are used in: CloudFormation fills them in."""

_REGISTRY = "SageMaker's pull from a real registry: localcloud has images but no registry"

GROUP_REASON = "CloudWatch Logs writes the ARN of one log group with this ending"


def log_group_arn(group: str) -> str:
    """Return the ARN of a log group in this account and region, without anything after its name."""
    return f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{group}"


ON_AWS = "SageMaker itself on AWS, in the role's name (developer guide, execution roles)"
"""Who uses what nothing in localcloud uses: AWS's lists say what the role of a job, of a model, has to have."""


def sagemaker_arn(kind: str, name: str) -> str:
    """Return the ARN of a SageMaker resource in this account and region; ``name`` may end with ``*``."""
    return f"arn:{PARTITION}:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def read_objects(bucket_arn: str, *keys: str, reason: str = "") -> Statement:
    """Allow reading the objects; a key may hold ``*``, with a reason."""
    return Statement(["s3:GetObject"], [f"{bucket_arn}/{key}" for key in keys], reason=reason)


def write_objects(bucket_arn: str, *keys: str, reason: str = "") -> Statement:
    """Allow writing the objects, in parts when they are large; a key may hold ``*``, with a reason."""
    return Statement(
        ["s3:PutObject", "s3:AbortMultipartUpload"],
        [f"{bucket_arn}/{key}" for key in keys],
        reason=reason,
        unseen={"s3:AbortMultipartUpload": "an upload in parts that breaks off"},
    )


def list_objects(bucket_arn: str, *prefixes: str, unseen: str = "") -> Statement:
    """Allow listing the bucket under these prefixes only; each may end with ``*``. ``unseen``: see Statement."""
    why = {"s3:ListBucket": unseen} if unseen else {}
    return Statement(["s3:ListBucket"], [bucket_arn], {"StringLike": {"s3:prefix": list(prefixes)}}, unseen=why)


def pull_image(*uris: str) -> list[Statement]:
    """Allow pulling the images, from their own repositories only. Raises ValueError for what is no ECR image."""
    return [
        Statement(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            sorted({_repository(uri) for uri in uris}),
            unseen={"ecr:BatchCheckLayerAvailability": _REGISTRY, "ecr:GetDownloadUrlForLayer": _REGISTRY},
        ),
        Statement(
            ["ecr:GetAuthorizationToken"],
            ["*"],
            reason="a registry log-in, not a repository's: the service authorization reference names no resource",
            unseen={"ecr:GetAuthorizationToken": _REGISTRY},
        ),
    ]


def _repository(uri: str) -> str:
    match = _IMAGE.match(uri)
    if match is None:
        raise ValueError(f"{uri!r} is not the URI of an image in Amazon ECR")
    return f"arn:{PARTITION}:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"


_FIRST = "only when nothing in the account has logged there before"


def write_logs(group: str, *streams: str) -> list[Statement]:
    """Allow a job or endpoint to log: to create the group and streams in it, to write only streams so named.

    CloudWatch Logs checks stream creation against the group, so that its resource is everything in the group.
    """
    arn = log_group_arn(group)
    return [
        Statement(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"],
            [arn, f"{arn}:*"],
            reason=GROUP_REASON,
            unseen={"logs:DescribeLogStreams": ON_AWS, "logs:CreateLogGroup": _FIRST},
        ),
        Statement(
            ["logs:PutLogEvents"],
            [f"{arn}:log-stream:{one}" for one in streams],
            reason="SageMaker ends stream names with a host and a time; the beginning is this workload's",
        ),
    ]


def write_function_logs(log_group_arn_with_star: str) -> Statement:
    """Allow a function to write to its own group, which the stack made: it cannot make a group of its own."""
    return Statement(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn_with_star])


def put_metrics(*namespaces: str, unseen: str = "") -> Statement:
    """Allow writing metrics of these namespaces. ``unseen``: see Statement."""
    return Statement(
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"StringEquals": {"cloudwatch:namespace": namespaces[0] if len(namespaces) == 1 else list(namespaces)}},
        reason="metrics are no resources: the namespace condition is the narrowest that AWS offers",
        unseen={"cloudwatch:PutMetricData": unseen} if unseen else {},
    )


def pass_roles(role_arns: Sequence[str], service: str) -> Statement:
    """Allow handing these roles to this service and to no other."""
    return Statement(["iam:PassRole"], role_arns, {"StringEquals": {"iam:PassedToService": service}})


def scaled_endpoints(unseen: str = "") -> Statement:
    """Allow SageMaker to take away what scales an endpoint, in the name of whoever deletes it (facts, 1.10).

    ``unseen``: see Statement.
    """
    return Statement(
        ["application-autoscaling:DeregisterScalableTarget"],
        [f"arn:{PARTITION}:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/*"],
        {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        reason="targets have ids of AWS's; the condition bounds it to those of SageMaker",
        unseen={"application-autoscaling:DeregisterScalableTarget": unseen} if unseen else {},
    )


_LOOKS = "Application Auto Scaling looks at the variant in its caller's name (SageMaker guide, scaling prerequisites)"
_ALARMS = "Application Auto Scaling makes the policy's alarms in the caller's name (same page)"


def scales_endpoints(environment: str) -> list[Statement]:
    """Allow registering variants of the environment's endpoints for scaling, and seeing which are registered."""
    endpoints = sagemaker_arn("endpoint", f"sandcastle-{environment}--*")
    alarms = f"arn:{PARTITION}:cloudwatch:{REGION}:{ACCOUNT}:alarm:TargetTracking-endpoint/sandcastle-{environment}--*"
    looking = ("sagemaker:DescribeEndpointConfig", "sagemaker:UpdateEndpointWeightsAndCapacities")
    return [
        Statement(
            ["application-autoscaling:DescribeScalableTargets"],
            ["*"],
            reason="what is scaled is a list: the service authorization reference names no resource",
        ),
        Statement(
            ["application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget"],
            [f"arn:{PARTITION}:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/*"],
            {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
            reason="targets have ids of AWS's; the condition bounds it to those of SageMaker",
        ),
        Statement(
            looking,
            [endpoints, sagemaker_arn("endpoint-config", "*")],
            reason="endpoints by the environment's own prefix; configurations have names of CloudFormation's",
            unseen=dict.fromkeys(looking, _LOOKS),
        ),
        Statement(
            ["cloudwatch:PutMetricAlarm"],
            [alarms],
            reason="the alarms' names end with an id of AWS's",
            unseen={"cloudwatch:PutMetricAlarm": _ALARMS},
        ),
    ]
