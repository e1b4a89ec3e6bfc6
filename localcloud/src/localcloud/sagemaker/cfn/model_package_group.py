"""AWS::SageMaker::ModelPackageGroup. Ref is the ARN; name and description are create-only.

The handler deletes no packages: a group that anything was registered in fails the stack ([H], [R] the API's text).
"""

from __future__ import annotations

import json
from typing import Any

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Api, Props, add_system_tags, gone_is_fine, name_of
from localcloud.sagemaker.cfn.hidden import creating, hiding
from localcloud.sagemaker.core import Core

_POLICY = "ModelPackageGroupPolicy"
_API = Api("ModelPackageGroup", frozenset({"ModelPackageGroupName", "ModelPackageGroupDescription", _POLICY, "Tags"}))
_TYPE = f"AWS::SageMaker::{_API.kind}"


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        wanted = str(props.get("ModelPackageGroupName") or logical_id)
        leave_out = frozenset({_POLICY})
        _, arn = creating(_TYPE, wanted, lambda: _API.create(logical_id, props, leave_out))
        add_system_tags(core, arn, props)
        if props.get(_POLICY):
            hiding("CREATE", lambda: _put_policy(arn, props))
        return arn, _attributes(arn)

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _API.check(new)
        if new.get(_POLICY):
            hiding("UPDATE", lambda: _put_policy(physical_id, new))
        elif old.get(_POLICY):
            hiding("UPDATE", lambda: _call("DeleteModelPackageGroupPolicy", physical_id))
        _API.update_tags(physical_id, old, new)
        return physical_id, _attributes(physical_id)

    def delete(physical_id: str, props: Props) -> None:
        del props
        gone_is_fine(lambda: hiding("DELETE", lambda: _call("DeleteModelPackageGroup", physical_id)))

    adapter.register_cfn_type(
        _TYPE,
        create=create,
        update=update,
        delete=delete,
        replacing=("ModelPackageGroupName", "ModelPackageGroupDescription"),
        tag_property="Tags",
    )


def _put_policy(arn: str, props: Props) -> dict[str, Any]:
    policy = props[_POLICY]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return _API.call("PutModelPackageGroupPolicy", {_API.name_member: name_of(arn), "ResourcePolicy": text})


def _call(operation: str, arn: str) -> dict[str, Any]:
    return _API.call(operation, {_API.name_member: name_of(arn)})


def _attributes(arn: str) -> dict[str, str]:
    return {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}
