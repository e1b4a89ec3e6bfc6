"""Dashboards take tags, from templates and from TagResource, as alarms do.

MiniStack drops a template's and refuses the calls for whatever is no alarm. AWS: AWS::CloudWatch::Dashboard has Tags
(registry schema), and TagResource takes dashboards (botocore, cloudwatch).
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from localcloud.adapter.identity import account_id

_TYPE = "AWS::CloudWatch::Dashboard"


def install() -> None:
    """Keep the tags of templates, and let the calls for tags find dashboards."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update = handlers["create"], handlers["update"]

    def tagged_create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = create(logical_id, props, stack_name)
        _tag(made[0], props)
        return made

    def tagged_update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        made = update(physical_id, old, new, stack_name)
        _tag(made[0], new)
        return made

    handlers.update(create=tagged_create, update=tagged_update)
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")
    refusal = cloudwatch._validate_alarm_tag_arn

    def validate(arn: str, is_json: bool = False, is_cbor: bool = False) -> Any:
        return None if arn in _arns() else refusal(arn, is_json=is_json, is_cbor=is_cbor)

    cloudwatch._validate_alarm_tag_arn = validate


def _tag(name: str, props: dict[str, Any]) -> None:
    """Have exactly the template's tags, as CloudFormation does it."""
    tags = {tag["Key"]: str(tag.get("Value", "")) for tag in props.get("Tags") or []}
    cloudwatch._resource_tags[f"arn:aws:cloudwatch::{account_id()}:dashboard/{name}"] = tags


def _arns() -> set[str]:
    return {dashboard["DashboardArn"] for dashboard in cloudwatch._dashboards.values()}
