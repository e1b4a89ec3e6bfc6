"""The two CloudWatch alarms of a target tracking policy: above the target, and well below it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud import adapter
from localcloud.autoscaling.targets import Policy, Target

_VERSION = "2010-08-01"
#: (end of the name, comparison, share of the target value, minutes): out after 3 minutes above, in after 15 below
_SIDES = (
    ("AlarmHigh", "GreaterThanThreshold", 1.0, 3),
    ("AlarmLow", "LessThanThreshold", 0.9, 15),
)


def put(target: Target, policy: Policy) -> None:
    """Make the alarms of a policy, or give them its new target value. Their names never change."""
    if not policy.alarms:
        policy.alarms = [f"TargetTracking-{target.resource}-{side[0]}-{uuid.uuid4()}" for side in _SIDES]
    metric = _metric(target, policy.configuration)
    for name, (_, comparison, share, minutes) in zip(policy.alarms, _SIDES, strict=True):
        parameters: dict[str, Any] = {
            "AlarmName": name,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            "AlarmActions.member.1": policy.arn,
            "Namespace": metric["Namespace"],
            "MetricName": metric["MetricName"],
            "Statistic": metric["Statistic"],
            "Period": 60,
            "EvaluationPeriods": minutes,
            "Threshold": float(policy.configuration["TargetValue"]) * share,
            "ComparisonOperator": comparison,
        }
        for number, dimension in enumerate(metric["Dimensions"], start=1):
            parameters[f"Dimensions.member.{number}.Name"] = dimension["Name"]
            parameters[f"Dimensions.member.{number}.Value"] = dimension["Value"]
        _call("PutMetricAlarm", parameters)


def remove(policies: Sequence[Policy]) -> None:
    """Delete what policies made: the alarms of target tracking; step scaling made none and leaves its own alone."""
    for policy in policies:
        names = {f"AlarmNames.member.{n}": name for n, name in enumerate(policy.alarms, start=1)}
        if names:
            _call("DeleteAlarms", names)


def described(target: Target, policy: Policy) -> list[dict[str, str]]:
    """Names and ARNs."""
    prefix = f"arn:aws:cloudwatch:{target.scope.region}:{target.scope.account}:alarm:"
    return [{"AlarmName": name, "AlarmARN": prefix + name} for name in policy.alarms]


def _metric(target: Target, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    custom = configuration.get("CustomizedMetricSpecification")
    if custom:
        return {"Statistic": "Average", "Dimensions": [], **custom}
    # SageMakerVariantInvocationsPerInstance
    names = {"EndpointName": target.endpoint, "VariantName": target.variant}
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": "InvocationsPerInstance",
        "Statistic": "Sum",
        "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
    }


def _call(action: str, parameters: Mapping[str, Any]) -> None:
    given = {name: str(value) for name, value in parameters.items()}
    status, reply = adapter.call_query("monitoring", {"Action": action, "Version": _VERSION, **given})
    if status >= 400:
        raise RuntimeError(f"{action}: {reply}")
