"""AWS::SageMaker::App: apps of a user profile only. Ref is ``<app name>|<app type>|<domain id>|<user profile name>``.

The schema has no SpaceName, so an app of a space is never CloudFormation's. A Deleted or Failed app counts as gone.
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.cfn.studio_type import StudioType
from localcloud.sagemaker.core import Core

#: RecoveryMode has no update either: no UpdateApp exists
_REPLACING = ("AppName", "AppType", "DomainId", "RecoveryMode", "ResourceSpec", "UserProfileName")
_TYPE = StudioType("App", ("AppName", "AppType", "DomainId", "UserProfileName"))
_GONE = ("Deleted", "Failed")


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(logical_id, props)
        physical_id = _TYPE.physical_id({name: props.get(name) for name in _TYPE.names})
        arn = _TYPE.create(props, physical_id)["AppArn"]
        _TYPE.in_service(core, arn, props, physical_id)
        return physical_id, {"AppArn": arn}

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(physical_id, new)
        _TYPE.update_tags(_arn(physical_id), old, new)
        return physical_id, {"AppArn": _arn(physical_id)}

    def delete(physical_id: str, props: Props) -> None:
        del props
        named = _TYPE.named(physical_id)
        found = _TYPE.describe(named)
        if found and found["Status"] not in _GONE:
            _TYPE.delete(core, _arn(physical_id), named, _GONE)

    adapter.register_cfn_type(
        _TYPE.type_name,
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _arn(physical_id: str) -> str:
    named = _TYPE.named(physical_id)
    path = "/".join(named[name] for name in ("DomainId", "UserProfileName", "AppType", "AppName"))
    return f"arn:aws:sagemaker:{adapter.region()}:{adapter.account_id()}:app/{path}"
