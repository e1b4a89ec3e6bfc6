"""How many instances an endpoint has: target tracking by its load, and the way up from none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.config import Scaling
from sandcastle.resource import Resource

DIMENSION = "sagemaker:variant:DesiredInstanceCount"

TRACKING = "load"
"""The name of the policy that keeps the load at its target."""

FIRST = "first-instance"
"""The name of the policy that starts an instance where there is none."""

WAITING_MINUTES = 2
"""How long requests wait before the first instance is started (SageMaker developer guide, "Autoscale an asynchronous
endpoint", which has these figures)."""


class EndpointScaling(Construct):
    """A scalable target and a target tracking policy for each variant.

    Both refer to the endpoint: they are made after it, and go before it. An asynchronous endpoint with no instance has
    no load for each, so that target tracking never starts the first; an alarm on requests that wait does.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: str,
        variants: Sequence[str],
        scaling: Scaling,
        by_backlog: bool,
    ) -> None:
        """``endpoint`` is the name, as an attribute of the endpoint; ``by_backlog`` is for asynchronous ones."""
        super().__init__(scope, construct_id)
        self._endpoint, self._scaling = endpoint, scaling
        self._tracking = _by_backlog(endpoint, scaling) if by_backlog else _by_invocations(scaling)
        for variant in variants:
            target = self._target(variant)
            self._policy(
                f"Load-{variant}",
                target,
                PolicyName=TRACKING,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=self._tracking,
            )
            if scaling.minimum == 0:
                self._first_instance(variant, target)

    @property
    def settings(self) -> str:
        """What the night needs to scale the endpoint again when it has made it again, as JSON."""
        limits = {"MinCapacity": self._scaling.minimum, "MaxCapacity": self._scaling.maximum}
        policy = {
            "PolicyName": TRACKING,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": self._tracking,
        }
        return cdk.Stack.of(self).to_json_string({"target": limits, "policy": policy})

    def _target(self, variant: str) -> Resource:
        return Resource(
            self,
            f"Target-{variant}",
            "AWS::ApplicationAutoScaling::ScalableTarget",
            ServiceNamespace="sagemaker",
            ScalableDimension=DIMENSION,
            ResourceId=f"endpoint/{self._endpoint}/variant/{variant}",
            MinCapacity=self._scaling.minimum,
            MaxCapacity=self._scaling.maximum,
        )

    def _policy(self, construct_id: str, target: Resource, **properties: Any) -> Resource:
        return Resource(
            self,
            construct_id,
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            tagged=False,
            ScalingTargetId=target.ref,
            **properties,
        )

    def _first_instance(self, variant: str, target: Resource) -> None:
        policy = self._policy(
            f"First-{variant}",
            target,
            PolicyName=FIRST,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Average",
                "Cooldown": 300,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        )
        Resource(
            self,
            f"Waiting-{variant}",
            "AWS::CloudWatch::Alarm",
            AlarmDescription="Requests wait and there is no instance",
            Namespace="AWS/SageMaker",
            MetricName="HasBacklogWithoutCapacity",
            Dimensions=_of(self._endpoint),
            Statistic="Average",
            Period=60,
            EvaluationPeriods=WAITING_MINUTES,
            DatapointsToAlarm=WAITING_MINUTES,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
            AlarmActions=[policy.ref],
        )


def _by_invocations(scaling: Scaling) -> dict[str, Any]:
    return {
        "TargetValue": scaling.target,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }


def _by_backlog(endpoint: str, scaling: Scaling) -> dict[str, Any]:
    return {
        "TargetValue": scaling.target,
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": _of(endpoint),
            "Statistic": "Average",
        },
    }


def _of(endpoint: str) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": endpoint}]
