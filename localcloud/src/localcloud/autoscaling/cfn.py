"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy, over the service's own API (registry schemas).

A target that went with its endpoint, and a policy that went with its target, are deleted already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.autoscaling.service import NAME
from localcloud.botocore_models import service_model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Props

_IDENTITY = ("ResourceId", "ScalableDimension", "ServiceNamespace")
_TARGET = frozenset({*_IDENTITY, "MinCapacity", "MaxCapacity", "RoleARN", "ScheduledActions", "SuspendedState", "Tags"})
_POLICY = frozenset(
    {
        *_IDENTITY,
        "PolicyName",
        "PolicyType",
        "ScalingTargetId",
        "StepScalingPolicyConfiguration",
        "TargetTrackingScalingPolicyConfiguration",
        "PredictiveScalingPolicyConfiguration",
    }
)


def install() -> None:
    """Register both types."""
    adapter.register_cfn_type(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        create=_create_target,
        update=_update_target,
        delete=_delete_target,
        replacing=_IDENTITY,
        tag_property="Tags",
    )
    adapter.register_cfn_type(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        create=_create_policy,
        update=lambda _physical_id, _old, new, stack_name: _create_policy("", new, stack_name),
        delete=_delete_policy,
        replacing=("PolicyName", "ScalingTargetId", *_IDENTITY),
    )


def _create_target(logical_id: str, props: Props, stack_name: str) -> adapter.Provisioned:
    del logical_id, stack_name
    _check_target(props)
    tags = _tags(props)
    _call("RegisterScalableTarget", {k: v for k, v in props.items() if k != "Tags"} | ({"Tags": tags} if tags else {}))
    # Ref: the parts of the primary identifier
    identifier = "|".join(props[name] for name in _IDENTITY)
    return identifier, {"Id": identifier}


def _update_target(physical_id: str, old: Props, new: Props, stack_name: str) -> adapter.Provisioned:
    del stack_name
    _check_target(new)
    arn = _call("RegisterScalableTarget", {k: v for k, v in new.items() if k != "Tags"})["ScalableTargetARN"]
    before, after = _tags(old), _tags(new)
    if set(before) - set(after):
        _call("UntagResource", {"ResourceARN": arn, "TagKeys": sorted(set(before) - set(after))})
    if after:
        _call("TagResource", {"ResourceARN": arn, "Tags": after})
    return physical_id, {"Id": physical_id}


def _delete_target(physical_id: str, props: Props) -> None:
    del props
    identity = dict(zip(_IDENTITY, physical_id.split("|"), strict=True))
    _gone_is_fine(lambda: _call("DeregisterScalableTarget", identity))


def _create_policy(logical_id: str, props: Props, stack_name: str) -> adapter.Provisioned:
    del logical_id, stack_name
    _check(props, _POLICY)
    given = {k: v for k, v in props.items() if k != "ScalingTargetId"} | _identity(props)
    arn: str = _call("PutScalingPolicy", given)["PolicyARN"]
    return arn, {"Arn": arn}


def _delete_policy(physical_id: str, props: Props) -> None:
    del physical_id
    request = {"PolicyName": props["PolicyName"], **_identity(props)}
    _gone_is_fine(lambda: _call("DeleteScalingPolicy", request))


def _identity(props: Props) -> dict[str, str]:
    """What a policy belongs to: named by ScalingTargetId (the Ref of a target) or part by part."""
    if "ScalingTargetId" in props:
        parts = str(props["ScalingTargetId"]).split("|")
        if len(parts) != len(_IDENTITY):
            raise CfnError(f"ScalingTargetId {props['ScalingTargetId']!r} is not the Ref of a scalable target")
        return dict(zip(_IDENTITY, parts, strict=True))
    missing = [name for name in _IDENTITY if name not in props]
    if missing:
        raise CfnError(f"a scaling policy needs ScalingTargetId or {', '.join(missing)}")
    return {name: str(props[name]) for name in _IDENTITY}


def _check_target(props: Props) -> None:
    _check(props, _TARGET)
    if props.get("ScheduledActions"):
        raise CfnError(
            "[localcloud] AWS::ApplicationAutoScaling::ScalableTarget: ScheduledActions is not supported yet"
        )


def _check(props: Props, known: frozenset[str]) -> None:
    unknown = sorted(set(props) - known)
    if unknown:
        raise CfnError(f"Encountered unsupported property {unknown[0]}")


def _tags(props: Props) -> dict[str, str]:
    """The template's tags without CloudFormation's own: the type has no system tags (registry schema)."""
    return {tag["Key"]: str(tag["Value"]) for tag in props.get("Tags") or [] if not tag["Key"].startswith("aws:")}


def _call(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    service = service_model(NAME)
    shape = service.operation_model(operation).input_shape
    target = f"{service.metadata['targetPrefix']}.{operation}"
    status, reply = adapter.call_json(NAME, target, coerced(shape, dict(parameters)) if shape else parameters)
    if status >= 400:
        raise CfnError(
            f"{reply.get('message')} (Service: ApplicationAutoScaling; Status Code: {status}; "
            f"Error Code: {reply.get('__type')})"
        )
    return reply


def _gone_is_fine(call: Callable[[], object]) -> None:
    try:
        call()
    except CfnError as error:
        if "ObjectNotFoundException" not in str(error):
            raise
