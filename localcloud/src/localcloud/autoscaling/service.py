"""The API of Application Auto Scaling, for service namespace ``sagemaker`` and instance counts of variants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud import adapter
from localcloud.autoscaling import alarms
from localcloud.autoscaling.scaler import Scaler
from localcloud.autoscaling.targets import DIMENSION, NAMESPACE, Policy, ScalingTargets, Target, arn_prefix
from localcloud.json_service import JsonService, Parameters, Refused
from localcloud.sagemaker.ports import Scope

NAME = "application-autoscaling"
_RESOURCE = re.compile(r"endpoint/[^/]+/variant/[^/]+")
#: a page of DescribeScalableTargets and DescribeScalingPolicies ([B]: 50 at most)
_PAGE = 50
_CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}
_PREDEFINED = "SageMakerVariantInvocationsPerInstance"


def install(targets: ScalingTargets, scaler: Scaler) -> None:
    """Add the service to the server."""
    api = _Api(targets, scaler)
    operations = {
        "RegisterScalableTarget": api.register,
        "DescribeScalableTargets": api.describe_targets,
        "DeregisterScalableTarget": api.deregister,
        "PutScalingPolicy": api.put_policy,
        "DescribeScalingPolicies": api.describe_policies,
        "DeleteScalingPolicy": api.delete_policy,
        "DescribeScalingActivities": api.describe_activities,
        "TagResource": api.tag,
        "UntagResource": api.untag,
        "ListTagsForResource": api.tags,
    }
    JsonService(NAME, NAME, operations, api.resource_arn, api.reset, _condition_keys).install()
    adapter.register_tag_collector(NAME, api.collect_tags)


class _Api:
    def __init__(self, targets: ScalingTargets, scaler: Scaler) -> None:
        self._targets = targets
        self._scaler = scaler

    def reset(self) -> None:
        """Forget targets and activities."""
        self._targets.reset()
        self._scaler.reset()

    def resource_arn(self, operation: str, request: Parameters) -> str:
        """What IAM authorises on: the target, one that is being made included; lists have none of their own.

        service-authorization/latest/reference/list_applicationautoscaling.html; that a target which does not exist
        yet has an ARN then, whose id nobody can name, is inferred.
        """
        if "ResourceARN" in request:
            return str(request["ResourceARN"])
        target = self._targets.find(_scope(), str(request.get("ResourceId")))
        if target is not None and not operation.startswith("Describe"):
            return target.arn
        return f"{arn_prefix(_scope())}new" if operation == "RegisterScalableTarget" else "*"

    def register(self, request: Parameters) -> Mapping[str, Any]:
        """RegisterScalableTarget: the variant must exist and must not be burstable."""
        scope, resource = _scope(), _resource(request)
        _, endpoint, _, variant = resource.split("/")
        instance_type = self._scaler.variant_type(scope, endpoint, variant)
        if instance_type is None:
            # [I] the text is SageMaker's for an endpoint that is not there
            arn = scope.arn("endpoint", endpoint)
            raise Refused("ValidationException", f'Could not find variant "{variant}" of endpoint "{arn}".')
        if not instance_type:
            raise Refused("ValidationException", f'Variant "{variant}" is serverless and has no instances.')
        if instance_type.startswith(("ml.t2.", "ml.t3.")):
            raise Refused(
                "ValidationException",
                f"You cannot register a variant with {instance_type} instance type as a scalable target. This is "
                "because the burstable performance of these instances can lead to unpredictable behavior with Auto "
                "Scaling.",
            )
        target = self._targets.register(scope, resource, request)
        self._scaler.keep_in_bounds(target)
        return {"ScalableTargetARN": target.arn}

    def describe_targets(self, request: Parameters) -> Mapping[str, Any]:
        """DescribeScalableTargets."""
        _check(request)
        wanted = request.get("ResourceIds")
        found = [target for target in self._targets.of(_scope()) if not wanted or target.resource in wanted]
        return _page(request, "ScalableTargets", [_target(target) for target in found])

    def deregister(self, request: Parameters) -> Mapping[str, Any]:
        """DeregisterScalableTarget: its policies go with it ([B]), and with them the alarms they made."""
        target = self._targets.remove(_scope(), _resource(request))
        alarms.remove(list(target.policies.values()))
        return {}

    def put_policy(self, request: Parameters) -> Mapping[str, Any]:
        """PutScalingPolicy: target tracking makes two alarms, step scaling none."""
        scope, resource, name = _scope(), _resource(request), request["PolicyName"]
        type_name = request.get("PolicyType", "StepScaling")
        member = _CONFIGURATIONS.get(type_name)
        if member is None:
            raise Refused("ValidationException", f"[localcloud] PutScalingPolicy: {type_name} is not supported yet")
        configuration = request.get(member)
        if configuration is None:
            raise Refused("ValidationException", f"{member} must be specified for policy type {type_name}.")
        _check_metric(configuration)
        policy = self._targets.put_policy(scope, resource, name, type_name, configuration)
        target = self._targets.find(scope, resource)
        if target and type_name == "TargetTrackingScaling":
            alarms.put(target, policy)
        return {"PolicyARN": policy.arn, "Alarms": alarms.described(target, policy) if target else []}

    def describe_policies(self, request: Parameters) -> Mapping[str, Any]:
        """DescribeScalingPolicies."""
        _check(request)
        resource, names = request.get("ResourceId"), request.get("PolicyNames")
        found = [
            _policy(target, policy)
            for target in self._targets.of(_scope())
            if resource in (None, target.resource)
            for policy in target.policies.values()
            if not names or policy.name in names
        ]
        return _page(request, "ScalingPolicies", found)

    def describe_activities(self, request: Parameters) -> Mapping[str, Any]:
        """DescribeScalingActivities: the newest first."""
        _check(request)
        found = self._scaler.activities.of(_scope(), request.get("ResourceId"))
        return _page(request, "ScalingActivities", [activity.described() for activity in found])

    def delete_policy(self, request: Parameters) -> Mapping[str, Any]:
        """DeleteScalingPolicy."""
        alarms.remove([self._targets.remove_policy(_scope(), _resource(request), request["PolicyName"])])
        return {}

    def tag(self, request: Parameters) -> Mapping[str, Any]:
        """TagResource."""
        self._targets.by_arn(request["ResourceARN"]).tags.update(request["Tags"])
        return {}

    def untag(self, request: Parameters) -> Mapping[str, Any]:
        """UntagResource."""
        tags = self._targets.by_arn(request["ResourceARN"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def tags(self, request: Parameters) -> Mapping[str, Any]:
        """ListTagsForResource."""
        return {"Tags": dict(self._targets.by_arn(request["ResourceARN"]).tags)}

    def collect_tags(self) -> list[tuple[str, list[dict[str, str]]]]:
        """For tag:GetResources and conditions on aws:ResourceTag."""
        return [
            (target.arn, [{"Key": key, "Value": value} for key, value in target.tags.items()])
            for target in self._targets.of(_scope())
            if target.tags
        ]


def _condition_keys(request: Parameters) -> Mapping[str, object]:
    names = {
        "ServiceNamespace": "application-autoscaling:service-namespace",
        "ScalableDimension": "application-autoscaling:scalable-dimension",
    }
    return {key: request[member] for member, key in names.items() if member in request}


def _scope() -> Scope:
    return Scope(adapter.account_id(), adapter.region())


def _check(request: Parameters) -> None:
    """Raise Refused for what is not modelled: other services and other dimensions of SageMaker."""
    namespace, dimension = request["ServiceNamespace"], request.get("ScalableDimension", DIMENSION)
    if namespace != NAMESPACE or dimension != DIMENSION:
        what = namespace if namespace != NAMESPACE else dimension
        raise Refused("ValidationException", f"[localcloud] scaling of {what} is not supported yet")


def _resource(request: Parameters) -> str:
    _check(request)
    resource: str = request["ResourceId"]
    if not _RESOURCE.fullmatch(resource):
        raise Refused("ValidationException", "Unsupported service namespace, resource type or scalable dimension")
    return resource


def _check_metric(configuration: Mapping[str, Any]) -> None:
    predefined = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", _PREDEFINED)
    if predefined != _PREDEFINED:
        raise Refused("ValidationException", f"[localcloud] PutScalingPolicy: {predefined} is not supported yet")
    if "Metrics" in configuration.get("CustomizedMetricSpecification", {}):
        raise Refused("ValidationException", "[localcloud] PutScalingPolicy: metric math is not supported yet")


def _target(target: Target) -> dict[str, Any]:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        # SageMaker has a service-linked role, so a RoleARN that is sent is not used ([B])
        "RoleARN": f"arn:aws:iam::{target.scope.account}:role/aws-service-role/"
        "sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "CreationTime": target.created,
        "SuspendedState": dict(target.suspended),
        "ScalableTargetARN": target.arn,
    }


def _policy(target: Target, policy: Policy) -> dict[str, Any]:
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": policy.type,
        _CONFIGURATIONS[policy.type]: dict(policy.configuration),
        "Alarms": alarms.described(target, policy),
        "CreationTime": policy.created,
    }


def _page(request: Parameters, member: str, items: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
    """One page; the token is the position."""
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise Refused("InvalidNextTokenException", "The specified token is not valid.")
    start = int(token)
    end = start + min(request.get("MaxResults", _PAGE), _PAGE)
    reply: dict[str, Any] = {member: list(items[start:end])}
    if end < len(items):
        reply["NextToken"] = str(end)
    return reply
