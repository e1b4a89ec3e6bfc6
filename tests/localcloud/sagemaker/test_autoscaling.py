"""Application Auto Scaling: targets and policies of variants, their alarms, and what they mean for an endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.scenarios.registry import assumed, error_code
from tests.localcloud.core.stacks import Stack, unique
from tests.localcloud.sagemaker.scripted_backend import World
from tests.localcloud.sagemaker.test_sagemaker_endpoint_states import live, make_config

__all__ = ["live"]

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
DENIED = (
    "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity used to "
    f"invoke DeleteEndpoint does not have {DEREGISTER} permission to deregister the scalable target."
)
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


def test_who_may_not_deregister_may_not_delete(live: World) -> None:
    live.backend.targets = {("live", "all"), ("other", "all")}
    live.backend.denied = {DEREGISTER}
    error = live.refusal("DeleteEndpoint", EndpointName="live")
    assert (error.code, error.message) == ("ValidationException", DENIED)
    assert live.call("DescribeEndpoint", EndpointName="live")["EndpointStatus"] == "InService"
    assert live.backend.targets == {("live", "all"), ("other", "all")}
    live.backend.denied = set()
    live.call("DeleteEndpoint", EndpointName="live")
    assert live.backend.targets == {("other", "all")}


def test_a_scaled_variant_keeps_its_instance_type(live: World) -> None:
    live.backend.targets = {("live", "all")}
    make_config(live, "same")
    variant = {"VariantName": "all", "ModelName": "same", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    live.call("CreateEndpointConfig", EndpointConfigName="bigger", ProductionVariants=[variant])
    error = live.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="bigger")
    assert 'The variant(s) "all" must be deregistered as scalable target' in error.message
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="same")


pytest_localcloud = pytest.mark.localcloud


class Live:
    """A running server with an endpoint, and what a test asks of Application Auto Scaling."""

    def __init__(self, localcloud: Any, endpoint: str) -> None:
        self.localcloud = localcloud
        self.endpoint = endpoint
        self.resource = f"endpoint/{endpoint}/variant/all"
        self.api = localcloud.client("application-autoscaling")
        self.sm = localcloud.client("sagemaker")
        self.identity = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": self.resource,
            "ScalableDimension": DIMENSION,
        }

    def register(self, **members: Any) -> str:
        given = {**self.identity, "MinCapacity": 1, "MaxCapacity": 4, **members}
        return str(self.api.register_scalable_target(**given)["ScalableTargetARN"])

    def put(self, name: str, **members: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.put_scaling_policy(**self.identity, PolicyName=name, **members)
        return found

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[self.resource]
        )["ScalableTargets"]
        return found

    def policies(self) -> list[str]:
        found = self.api.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=self.resource)
        return [policy["PolicyName"] for policy in found["ScalingPolicies"]]

    def alarms(self) -> list[dict[str, Any]]:
        cloudwatch = self.localcloud.client("cloudwatch")
        found = cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{self.resource}-")["MetricAlarms"]
        return sorted(found, key=lambda alarm: str(alarm["AlarmName"]))


@pytest.fixture
def endpoint(localcloud: Any, hosted: Callable[..., str]) -> Iterator[Live]:
    made = Live(localcloud, hosted())
    yield made
    with suppress(ClientError):
        made.sm.delete_endpoint(EndpointName=made.endpoint)


@pytest_localcloud
def test_target_tracking_makes_two_alarms_and_takes_them_along(endpoint: Live) -> None:
    arn = endpoint.register(Tags={"team": "a"})
    assert endpoint.register(MaxCapacity=6) == arn
    [target] = endpoint.targets()
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (1, 6, arn)
    assert endpoint.api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a"}

    made = endpoint.put("track", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=TRACKING)
    assert made["PolicyARN"].endswith(f"resource/sagemaker/{endpoint.resource}:policyName/track")
    high, low = endpoint.alarms()
    assert high["AlarmName"].startswith(f"TargetTracking-{endpoint.resource}-AlarmHigh-")
    assert low["AlarmName"].startswith(f"TargetTracking-{endpoint.resource}-AlarmLow-")
    assert {alarm["AlarmARN"] for alarm in made["Alarms"]} == {high["AlarmArn"], low["AlarmArn"]}
    assert (high["Threshold"], low["Threshold"]) == (70.0, 63.0)
    assert high["AlarmActions"] == [made["PolicyARN"]]

    changed = {**TRACKING, "TargetValue": 100.0}
    again = endpoint.put("track", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=changed)
    assert again["PolicyARN"] == made["PolicyARN"]
    assert [alarm["Threshold"] for alarm in endpoint.alarms()] == [100.0, 90.0]

    endpoint.api.delete_scaling_policy(**endpoint.identity, PolicyName="track")
    assert endpoint.alarms() == []
    assert endpoint.policies() == []


@pytest_localcloud
def test_who_scales_needs_permission_for_targets_of_this_service(endpoint: Live) -> None:
    """The condition is the narrowest there is: the ids of targets are AWS's."""

    def may(service: str) -> Any:
        statement = {
            "Effect": "Allow",
            "Action": ["application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"],
            "Resource": "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/*",
            "Condition": {"StringEquals": {"application-autoscaling:service-namespace": service}},
        }
        return assumed(endpoint.localcloud, "application-autoscaling", statement)

    given = {**endpoint.identity, "MinCapacity": 1, "MaxCapacity": 2}
    assert "AccessDenied" in error_code(lambda: may("ecs").register_scalable_target(**given))
    allowed = may("sagemaker")
    allowed.register_scalable_target(**given)
    policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    allowed.put_scaling_policy(**endpoint.identity, PolicyName="load", **policy)
    assert endpoint.policies() == ["load"]


@pytest_localcloud
def test_step_scaling_makes_no_alarm_and_leaves_those_that_name_it(endpoint: Live) -> None:
    endpoint.register()
    made = endpoint.put("step", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEPS)
    assert made["Alarms"] == []
    cloudwatch, name = endpoint.localcloud.client("cloudwatch"), f"{endpoint.endpoint}-backlog"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[made["PolicyARN"]],
    )
    endpoint.api.delete_scaling_policy(**endpoint.identity, PolicyName="step")
    assert len(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]) == 1
    cloudwatch.delete_alarms(AlarmNames=[name])


@pytest_localcloud
def test_an_endpoint_takes_its_targets_along(endpoint: Live) -> None:
    arn = endpoint.register()
    endpoint.put("track", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=TRACKING)
    user = f"user-{endpoint.endpoint}"
    iam = endpoint.localcloud.client("iam")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    credentials = {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"]}
    caller = endpoint.localcloud.client("sagemaker", credentials)

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=document)

    allow("sagemaker:DeleteEndpoint")
    with pytest.raises(ClientError) as error:
        caller.delete_endpoint(EndpointName=endpoint.endpoint)
    assert error.value.response["Error"] == {"Code": "ValidationException", "Message": DENIED}
    assert [target["ScalableTargetARN"] for target in endpoint.targets()] == [arn]
    allow("sagemaker:DeleteEndpoint", DEREGISTER)
    caller.delete_endpoint(EndpointName=endpoint.endpoint)
    assert (endpoint.targets(), endpoint.alarms()) == ([], [])


@pytest_localcloud
def test_what_is_refused(endpoint: Live) -> None:
    words = f"service namespace: sagemaker, resource ID: {endpoint.resource}, scalable dimension: {DIMENSION}"
    calls: list[tuple[Callable[[], Any], str, str]] = [
        (
            lambda: endpoint.put("p", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEPS),
            "ObjectNotFoundException",
            f"No scalable target registered for {words}",
        ),
        (
            lambda: endpoint.api.deregister_scalable_target(**endpoint.identity),
            "ObjectNotFoundException",
            f"No scalable target found for {words}",
        ),
        (
            lambda: endpoint.register(ResourceId="endpoint/none/variant/all"),
            "ValidationException",
            'Could not find variant "all" of endpoint',
        ),
        (
            lambda: endpoint.api.describe_scalable_targets(ServiceNamespace="ecs"),
            "ValidationException",
            "[localcloud] scaling of ecs is not supported yet",
        ),
        (
            lambda: endpoint.api.put_scheduled_action(**endpoint.identity, ScheduledActionName="s"),
            "UnknownOperationException",
            "[localcloud] PutScheduledAction is not supported yet",
        ),
    ]
    for call, code, text in calls:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == code
        assert text in error.value.response["Error"]["Message"]


@pytest_localcloud
def test_burstable_instances_are_no_targets(localcloud: Any, hosted: Callable[..., str]) -> None:
    made = Live(localcloud, hosted("ml.t2.medium"))
    with pytest.raises(ClientError, match="burstable performance"):
        made.register()
    made.sm.delete_endpoint(EndpointName=made.endpoint)


@pytest_localcloud
def test_the_cloudformation_types(endpoint: Live) -> None:
    def resources(maximum: int, target: float, **tags: str) -> dict[str, dict[str, Any]]:
        return {
            "Target": {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    **endpoint.identity,
                    "MinCapacity": 1,
                    "MaxCapacity": maximum,
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                },
            },
            "Policy": {
                "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
                "Properties": {
                    "PolicyName": "track",
                    "PolicyType": "TargetTrackingScaling",
                    "ScalingTargetId": {"Ref": "Target"},
                    "TargetTrackingScalingPolicyConfiguration": {**TRACKING, "TargetValue": target},
                },
            },
        }

    stack = Stack(endpoint.localcloud, unique("scaling"))
    assert stack.create(resources(3, 50, team="a")) == "CREATE_COMPLETE", stack.reasons()
    assert stack.physical("Target") == f"{endpoint.resource}|{DIMENSION}|sagemaker"
    arn = endpoint.targets()[0]["ScalableTargetARN"]
    assert endpoint.alarms()[0]["Threshold"] == 50.0
    assert stack.update(resources(5, 60, job="b")) == "UPDATE_COMPLETE", stack.reasons()
    assert (endpoint.targets()[0]["MaxCapacity"], endpoint.alarms()[0]["Threshold"]) == (5, 60.0)
    assert endpoint.api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"job": "b"}
    assert stack.delete() == "DELETE_COMPLETE"
    assert (endpoint.targets(), endpoint.alarms()) == ([], [])

    assert stack.create(resources(3, 50)) == "CREATE_COMPLETE", stack.reasons()
    endpoint.sm.delete_endpoint(EndpointName=endpoint.endpoint)
    assert stack.delete() == "DELETE_COMPLETE", "what went with the endpoint is deleted already"
