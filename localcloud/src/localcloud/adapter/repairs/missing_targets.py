"""A subscription needs its topic and a permission its function.

MiniStack makes AWS::SNS::Subscription and AWS::Lambda::Permission for what does not exist, and nothing ever happens.
AWS refuses both (sns/latest/api/API_Subscribe.html, lambda/latest/api/API_AddPermission.html).
"""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc, sns
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props


def install() -> None:
    """Wrap the handlers' creates and updates."""
    _check("AWS::SNS::Subscription", _topic)
    _check("AWS::Lambda::Permission", _function)


def _check(type_name: str, check: Any) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[type_name]
    before_create, before_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Props, stack: str) -> Any:
        check(props)
        return before_create(logical_id, props, stack)

    def update(physical_id: str, old: Props, new: Props, *rest: Any) -> Any:
        check(new)
        return before_update(physical_id, old, new, *rest)

    handlers["create"], handlers["update"] = create, update


def _topic(props: Props) -> None:
    arn = props.get("TopicArn", "")
    if sns.topic_policy_for_arn(arn) is None:
        raise CfnError(f"Topic does not exist: {arn} (Service: Sns, Status Code: 404, Error Code: NotFound)")


def _function(props: Props) -> None:
    reference = props.get("FunctionName", "")
    if lambda_svc._get_func_record_for_ref(reference)[0] is None:
        raise CfnError(
            f"Function not found: {reference} (Service: Lambda, Status Code: 404, "
            "Error Code: ResourceNotFoundException)"
        )
