"""A stack is authorised by its whole ARN and its tags.

MiniStack authorises a call that names a stack on ``stack/NAME/*``, and knows no tags of stacks, so that a permission
with a condition on ``aws:ResourceTag`` denies everything. AWS: the resource is ``stack/NAME/ID`` and its tags count
(service-authorization/latest/reference/list_awscloudformation.html). A call that names no stack, like DescribeStacks
for all, needs ``*`` in both. Resource groups list stacks too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers

from localcloud.adapter.authorised_on import Request, correct
from localcloud.adapter.services import register_tag_collector


def install() -> None:
    """Register the tags and correct what requests of CloudFormation are authorised on."""
    register_tag_collector("cloudformation", _tags)
    correct("cloudformation", _stack)


def _stack(_: Request, arn: str) -> str:
    if ":stack/" not in arn:
        return arn
    stack = handlers._resolve_stack(arn.split(":stack/")[1].removesuffix("/*") if arn.endswith("/*") else arn)
    return str(stack["StackId"]) if stack else arn


def _tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for stack in list(cloudformation._stacks.values()):
        if not str(stack.get("StackStatus")).startswith("DELETE_COMPLETE"):
            yield stack["StackId"], [{"Key": tag["Key"], "Value": tag["Value"]} for tag in stack.get("Tags") or []]
