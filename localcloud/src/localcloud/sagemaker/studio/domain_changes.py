"""What CreateDomain and UpdateDomain refuse, and the settings after an update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.ports import NetworkFailed, Scope
from localcloud.sagemaker.studio import settings
from localcloud.sagemaker.studio.records import DomainRecord, Studio

#: members that an update replaces as a whole or sets; the others are merged
_REPLACED = ("SubnetIds", "AppNetworkAccessType", "HomeEfsFileSystemCreation", "TagPropagation", "VpcId")


def check_create(asked: Mapping[str, Any]) -> None:
    """What the model leaves optional for Unified Studio and RStudio. Raises ValidationException ([K] texts)."""
    _check_app_groups(asked)
    if not asked.get("VpcId") or not asked.get("SubnetIds"):
        raise errors.validation("VpcId and SubnetIds are required.")
    if not asked["DefaultUserSettings"].get("ExecutionRole"):
        raise errors.validation("ExecutionRole is required in DefaultUserSettings.")
    if asked.get("DefaultSpaceSettings") and not asked["DefaultSpaceSettings"].get("ExecutionRole"):
        raise errors.validation("ExecutionRole is required in DefaultSpaceSettings.")


def check_update(studio: Studio, record: DomainRecord, asked: Mapping[str, Any]) -> None:
    """Raises ValidationException. Texts: [R] terraform-provider-aws#31912, #45528, #39923; the EFS one is [I]."""
    _check_app_groups(asked)
    now = record.request
    if asked.get("AppNetworkAccessType") == "VpcOnly" and not (asked.get("VpcId") and asked.get("SubnetIds")):
        raise errors.validation("VpcId and Subnet IDs are required for updating domains to VpcOnly mode.")
    if asked.get("VpcId", now["VpcId"]) != now["VpcId"]:
        raise errors.validation(f"VpcId of Domain [{record.arn}] cannot be changed.")
    if asked.get("HomeEfsFileSystemCreation") == "Disabled" and now["HomeEfsFileSystemCreation"] == "Enabled":
        raise errors.validation("HomeEfsFileSystemCreation cannot be changed from Enabled to Disabled.")
    removed = set(now["SubnetIds"]) - set(asked.get("SubnetIds", now["SubnetIds"]))
    moved = asked.get("AppNetworkAccessType", now["AppNetworkAccessType"]) != now["AppNetworkAccessType"]
    if (removed or moved or "DomainSettingsForUpdate" in asked) and studio.living_apps(record.scope, record.name):
        raise errors.validation(
            f"Unable to update Domain [{record.arn}] with InService App. Delete all InService apps in the domain "
            "including shared Apps for [domain-shared] User Profile, and try again."
        )


def check_configs(studio: Studio, scope: Scope, asked: Mapping[str, Any]) -> None:
    """Every lifecycle configuration that the settings name exists. Raises ValidationException."""
    for member in ("DefaultUserSettings", "DefaultSpaceSettings"):
        settings.check_configs(studio, scope, settings.config_references(asked.get(member)))


def applied(now: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The domain's settings after the update."""
    after = dict(now)
    for member in _REPLACED:
        if member in asked:
            after[member] = asked[member]
    renamed = {"DomainSettingsForUpdate": "DomainSettings"}
    for member in ("DefaultUserSettings", "DefaultSpaceSettings", "DomainSettingsForUpdate"):
        if member in asked:
            name = renamed.get(member, member)
            after[name] = settings.merged(after.get(name), asked[member])
    return after


def home_is_missing(file_system: str) -> NetworkFailed:
    """FailureReason of a delete whose home EFS was deleted before it ([I] text)."""
    return NetworkFailed(f"Unable to delete the domain because its EFS file system {file_system} does not exist.")


def _check_app_groups(asked: Mapping[str, Any]) -> None:
    if "AppSecurityGroupManagement" in asked:
        raise errors.validation("AppSecurityGroupManagement can only be set for Rstudio enabled domains.")
