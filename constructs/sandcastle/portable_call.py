"""What all portable monitors have: a schedule, and a function that starts processing jobs and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.permissions import pass_roles, sagemaker_arn
from sandcastle.promises import Promise, may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

MINUTE = 10
"""After the hour: by then what was captured last has been written."""

_TIMEOUT_SECONDS = 120
_JOBS = "jobs of this workload's monitors; a job's name ends with a hash of the hour, and with the stack"


def run_function(
    scope: Construct,
    *,
    handler: str,
    description: str,
    code: UploadedAsset,
    run_prefix: str,
    role: str,
    statements: Sequence[Statement],
    promises: Sequence[Promise],
) -> Function:
    """Add the function that starts a monitor's jobs, whose names begin with ``run_prefix`` and whose role is ``role``.

    ``statements`` and ``promises`` are what this one may and may not beside that.
    """
    jobs = sagemaker_arn("processing-job", f"{run_prefix}*")
    return Function(
        scope,
        "Function",
        handler=handler,
        description=description,
        code=code,
        timeout_seconds=_TIMEOUT_SECONDS,
        statements=[
            Statement(["sagemaker:AddTags", "sagemaker:CreateProcessingJob"], [jobs], reason=_JOBS),
            pass_roles([role], "sagemaker.amazonaws.com"),
            *statements,
        ],
        promises=[
            may("sagemaker:CreateProcessingJob", jobs),
            may("iam:PassRole", role, iam__PassedToService="sagemaker.amazonaws.com"),
            may_not("iam:PassRole", role, iam__PassedToService="lambda.amazonaws.com"),
            may_not("sagemaker:CreateProcessingJob", sagemaker_arn("processing-job", "other-*")),
            may_not("sagemaker:CreateTrainingJob", "*"),
            may_not("sagemaker:CreateTransformJob", "*"),
            may_not("sagemaker:DeleteEndpoint", "*"),
            *promises,
        ],
    )


def scheduled_call(
    scope: Construct,
    *,
    name: str,
    group: str,
    expression: str,
    function_arn: str,
    role_arn: str,
    call: Mapping[str, Any],
) -> Resource:
    """Add the schedule of one monitor, which calls the function some minutes after the hour."""
    return Resource(
        scope,
        "Schedule",
        "AWS::Scheduler::Schedule",
        tagged=False,  # CloudFormation tags groups of schedules, not schedules
        Name=name,
        GroupName=group,
        ScheduleExpression=expression.replace("cron(0 ", f"cron({MINUTE} ", 1),
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": function_arn,
            "RoleArn": role_arn,
            "Input": cdk.Stack.of(scope).to_json_string(dict(call)),
            "RetryPolicy": {"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 1800},
        },
    )
