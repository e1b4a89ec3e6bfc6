"""AWS::SageMaker::Domain. Ref is the domain's id.

The published handler deletes without RetentionPolicy, so the home EFS stays with its mount targets and groups; whether
today's handler deletes it is switch ``domain-handler-efs``. It drains nothing: a user, a space, an app in the domain
fails the delete.
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.cfn.studio_type import StudioType, changes
from localcloud.sagemaker.core import Core

#: VpcId is so under conditions that are not published; a domain with a home EFS cannot move ([K])
_REPLACING = ("AuthMode", "DomainName", "KmsKeyId", "VpcId")
_TYPE = StudioType("Domain", ("DomainId",))
_UPDATED = (
    "AppNetworkAccessType",
    "AppSecurityGroupManagement",
    "DefaultSpaceSettings",
    "DefaultUserSettings",
    "DomainSettings",
    "HomeEfsFileSystemCreation",
    "SubnetIds",
    "TagPropagation",
)
_ATTRIBUTES = (
    "DomainArn",
    "DomainId",
    "HomeEfsFileSystemId",
    "SecurityGroupIdForDomainBoundary",
    "SingleSignOnApplicationArn",
    "SingleSignOnManagedApplicationInstanceId",
    "Url",
)


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(logical_id, props)
        made = _TYPE.create(props, str(props.get("DomainName")))
        domain = made["DomainId"]
        return domain, _attributes(_TYPE.in_service(core, made["DomainArn"], made, domain))

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(physical_id, new)
        named = _TYPE.named(physical_id)
        arn = _arn(physical_id)
        changed = changes(old, new, *_UPDATED)
        if changed:
            if changed.get("AppNetworkAccessType") == "VpcOnly":
                changed |= {"VpcId": new.get("VpcId"), "SubnetIds": new.get("SubnetIds")}
            if "DomainSettings" in changed:
                changed["DomainSettingsForUpdate"] = changed.pop("DomainSettings")
            _TYPE.call("UpdateDomain", {**named, **changed})
        _TYPE.update_tags(arn, old, new)
        return physical_id, _attributes(_TYPE.in_service(core, arn, named, physical_id))

    def delete(physical_id: str, props: Props) -> None:
        del props
        parameters: dict[str, Any] = dict(_TYPE.named(physical_id))
        if core.switches.get("domain-handler-efs") == "delete":
            parameters["RetentionPolicy"] = {"HomeEfsFileSystem": "Delete"}
        _TYPE.delete(core, _arn(physical_id), parameters)

    adapter.register_cfn_type(
        _TYPE.type_name,
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _arn(domain: str) -> str:
    return f"arn:aws:sagemaker:{adapter.region()}:{adapter.account_id()}:domain/{domain}"


def _attributes(domain: dict[str, Any]) -> dict[str, Any]:
    return {name: domain[name] for name in _ATTRIBUTES if name in domain}
