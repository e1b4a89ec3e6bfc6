"""AWS::SageMaker::UserProfile. Ref is ``<domain id>|<user profile name>``: no name to hand on.

Its schema has no idle settings. Apps and owned spaces are not drained: they fail the delete.
"""

from __future__ import annotations

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.cfn.studio_type import StudioType, changes
from localcloud.sagemaker.core import Core

_REPLACING = ("DomainId", "SingleSignOnUserIdentifier", "SingleSignOnUserValue", "UserProfileName")
_TYPE = StudioType("UserProfile", ("DomainId", "UserProfileName"))


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _TYPE.check(logical_id, props)
        identifier = f"{props.get('UserProfileName')}|{props.get('DomainId')}"
        arn = _TYPE.create(props, identifier)["UserProfileArn"]
        physical_id = _TYPE.physical_id(props)
        _TYPE.in_service(core, arn, props, physical_id)
        return physical_id, {"UserProfileArn": arn}

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _TYPE.check(physical_id, new)
        named, arn = _TYPE.named(physical_id), _arn(physical_id)
        changed = changes(old, new, "UserSettings")
        if changed:
            _TYPE.call("UpdateUserProfile", {**named, **changed})
        _TYPE.update_tags(arn, old, new)
        _TYPE.in_service(core, arn, named, physical_id)
        return physical_id, {"UserProfileArn": arn}

    def delete(physical_id: str, props: Props) -> None:
        del props
        _TYPE.delete(core, _arn(physical_id), _TYPE.named(physical_id))

    adapter.register_cfn_type(
        _TYPE.type_name,
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _arn(physical_id: str) -> str:
    path = physical_id.replace("|", "/")
    return f"arn:aws:sagemaker:{adapter.region()}:{adapter.account_id()}:user-profile/{path}"
