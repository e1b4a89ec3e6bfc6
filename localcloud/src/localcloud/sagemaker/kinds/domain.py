"""Domains: the settings of a Studio, and what it holds in the caller's VPC.

    create: (5 s invisible) Pending -> InService | Failed
    update: InService -> Updating -> InService | Update_Failed
    delete: InService | Failed | Update_Failed | Delete_Failed -> Deleting -> gone | Delete_Failed

A domain has a real home EFS with its security groups (``studio.network``) unless told not to. DeleteDomain leaves
them unless RetentionPolicy says Delete, and so they keep subnets and the VPC alive (facts teardown 1.1).
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import tag_map
from localcloud.sagemaker.studio import domain_changes, settings
from localcloud.sagemaker.studio.records import (
    DomainRecord,
    Studio,
    already_exists,
    associated,
    domain_arn,
    not_found,
    profile_arn,
    require_in_service,
)
from localcloud.sagemaker.studio.states import States, failure_text, require_settled

_DOMAIN_SETTINGS: Tree = {
    "SecurityGroupIds": ANY,
    "ExecutionRoleIdentityConfig": only("DISABLED"),
    "DockerSettings": {"EnableDockerAccess": only("DISABLED")},
    "IpAddressType": only("ipv4"),
}
_CREATE: Tree = {
    "DomainName": ANY,
    "AuthMode": only("IAM"),
    "DefaultUserSettings": settings.USER_SETTINGS,
    "DefaultSpaceSettings": settings.DEFAULT_SPACE_SETTINGS,
    "DomainSettings": _DOMAIN_SETTINGS,
    "SubnetIds": ANY,
    "VpcId": ANY,
    "AppNetworkAccessType": ANY,
    "HomeEfsFileSystemCreation": ANY,
    "TagPropagation": ANY,
    "AppSecurityGroupManagement": ANY,
    "Tags": TAGS,
}
_UPDATE: Tree = {
    "DomainId": ANY,
    "DefaultUserSettings": settings.USER_SETTINGS,
    "DefaultSpaceSettings": settings.DEFAULT_SPACE_SETTINGS,
    "DomainSettingsForUpdate": _DOMAIN_SETTINGS,
    "SubnetIds": ANY,
    "VpcId": ANY,
    "AppNetworkAccessType": ANY,
    "HomeEfsFileSystemCreation": ANY,
    "TagPropagation": ANY,
    "AppSecurityGroupManagement": ANY,
}
_DELETE: Tree = {"DomainId": ANY, "RetentionPolicy": {"HomeEfsFileSystem": ANY}}
_PRESIGN: Tree = {
    "DomainId": ANY,
    "UserProfileName": ANY,
    "SpaceName": ANY,
    "SessionExpirationDurationInSeconds": ANY,
    "ExpiresInSeconds": ANY,
    "LandingUri": ANY,
}
_LISTING = listing.Listing("Domains", "Ascending")
_ID_ALPHABET = string.ascii_lowercase + string.digits
_DEFAULTS = {
    "AppNetworkAccessType": "PublicInternetOnly",
    "HomeEfsFileSystemCreation": "Enabled",
    "TagPropagation": "DISABLED",
}


class Domains:
    """CreateDomain, DescribeDomain, ListDomains, UpdateDomain, DeleteDomain, CreatePresignedDomainUrl."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """No domains yet."""
        self._core = core
        self._studio = studio
        self._states = States(core)
        #: home file systems that are billed: file system id -> ARN of the meter's line
        self._billed: dict[str, str] = {}
        core.backend.network.watch_file_systems(self._file_system_deleted)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateDomain": Operation(self.create, _CREATE, lambda scope, _: domain_arn(scope, "*")),
            "DescribeDomain": Operation(self.describe, {"DomainId": ANY}, ("domain", "DomainId")),
            "ListDomains": Operation(self.list_page, {"NextToken": ANY, "MaxResults": ANY}),
            "UpdateDomain": Operation(self.update, _UPDATE, ("domain", "DomainId")),
            "DeleteDomain": Operation(self.delete, _DELETE, ("domain", "DomainId")),
            "CreatePresignedDomainUrl": Operation(self.presign, _PRESIGN, _profile_of),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Pending; the network is made when the modelled time has passed."""
        asked, scope = {**_DEFAULTS, **request.parameters}, request.scope
        domain_id = "d-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))
        arn = domain_arn(scope, domain_id)
        self._core.require_tagging(request, arn)
        domain_changes.check_create(asked)
        for role in _roles(asked):
            self._core.require_role(request, role)
        now = self._core.clock.now()
        with self._core.store.lock:
            for other in self._studio.domains.of(scope):
                if other.request["DomainName"] == asked["DomainName"]:
                    raise already_exists("Domain", other.arn)
            domain_changes.check_configs(self._studio, scope, asked)
            record = DomainRecord(scope, domain_id, arn, asked, now, now, "Pending", tag_map(asked.get("Tags")))
            self._core.take(record, {"Total domains": 1})
            self._studio.domains.add(record)
            self._states.later(self._studio.domains, record, durations.DOMAIN_UNSEEN, self._seen)
        return {"DomainArn": arn, "DomainId": domain_id, "Url": _url(record)}

    def update(self, request: Request) -> dict[str, Any]:
        """Updating; what the change needs of the network is done when the modelled time has passed."""
        asked, scope = request.parameters, request.scope
        for role in _roles(asked):
            self._core.require_role(request, role)
        with self._core.store.lock:
            record = self._studio.domain(scope, asked["DomainId"])
            require_settled(record, "Domain", "update")
            if record.status not in ("InService", "Update_Failed"):
                raise errors.resource_in_use(f"Unable to update Domain [{record.arn}] in status {record.status}.")
            domain_changes.check_update(self._studio, record, asked)
            domain_changes.check_configs(self._studio, scope, asked)
            after = domain_changes.applied(record.request, asked)
            self._states.change(record, "Updating")
            step = partial(self._apply, after=after)
            self._states.later(self._studio.domains, record, durations.DOMAIN_UPDATE, step)
        return {"DomainArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Refused while anything is in the domain; then Deleting, and gone or Delete_Failed."""
        asked, scope = request.parameters, request.scope
        retention = (asked.get("RetentionPolicy") or {}).get("HomeEfsFileSystem", "Retain")
        with self._core.store.lock:
            record = self._studio.domain(scope, asked["DomainId"])
            require_settled(record, "Domain", "delete")
            if self._studio.profiles_of(scope, record.name):
                raise associated("Domain", record.arn, "UserProfile")
            if self._studio.spaces_of(scope, record.name):
                raise associated("Domain", record.arn, "Space")
            again = record.status == "Delete_Failed"
            self._states.change(record, "Deleting")
            step = partial(self._tear_down, retention=retention, again=again)
            self._states.later(self._studio.domains, record, durations.DOMAIN_DELETE, step)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Settings as they are, and what was made in the VPC."""
        with self._core.store.lock:
            record = self._studio.domain(request.scope, request["DomainId"])
            if not record.visible:
                raise not_found("Domain", record.arn)
            home = record.home.file_system if record.home else None
            return {
                **record.request,
                **_summary(record),
                "HomeEfsFileSystemId": home,
                "FailureReason": failure_text(record),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            rows = [record for record in self._studio.domains.of(request.scope) if record.visible]
            return listing.page(request.parameters, rows, _LISTING, _summary)

    def presign(self, request: Request) -> dict[str, Any]:
        """A URL that lets a person in for some minutes. Nobody answers there: Studio's pages are not modelled."""
        asked, scope = request.parameters, request.scope
        with self._core.store.lock:
            record = self._studio.domain(scope, asked["DomainId"])
            profile = self._studio.profile(scope, record.name, asked["UserProfileName"])
            require_in_service(profile, "UserProfile", "create a presigned URL")
            if "SpaceName" in asked:
                self._studio.space(scope, record.name, asked["SpaceName"])
        landing = f"&redirect={quote(asked['LandingUri'])}" if "LandingUri" in asked else ""
        return {"AuthorizedUrl": f"{_url(record)}/auth?token={secrets.token_urlsafe(48)}{landing}"}

    def reset(self) -> None:
        """Forget every record; what EC2 and EFS hold goes with them."""
        with self._core.store.lock:
            for record in self._studio.domains.all():
                if record.timer:
                    record.timer.cancel()
                self._core.backend.network.release(record.home.groups if record.home else ())
            self._studio.domains.clear()
            self._billed.clear()

    def _seen(self, record: DomainRecord) -> None:
        record.visible = True
        self._core.store.changed.notify_all()
        enabled = record.request["HomeEfsFileSystemCreation"] == "Enabled"
        seconds = durations.DOMAIN_CREATE if enabled else durations.DOMAIN_CREATE_WITHOUT_EFS
        self._states.later(self._studio.domains, record, seconds - durations.DOMAIN_UNSEEN, self._furnish)

    def _furnish(self, record: DomainRecord) -> None:
        def done(record: DomainRecord, _: None) -> None:
            self._states.change(record, "InService")

        work = partial(self._make_network, wanted=record.request)
        self._states.in_background(self._studio.domains, record, work, done, self._fail("Failed"))

    def _apply(self, record: DomainRecord, after: dict[str, Any]) -> None:
        """The rest of an update: file system and mount targets that the new settings ask for."""

        def done(record: DomainRecord, _: None) -> None:
            record.request = after
            self._states.change(record, "InService")

        work = partial(self._make_network, wanted=after)
        self._states.in_background(self._studio.domains, record, work, done, self._fail("Update_Failed"))

    def _fail(self, status: str) -> Callable[[DomainRecord, str], None]:
        return lambda record, reason: self._states.change(record, status, reason)

    def _make_network(self, record: DomainRecord, wanted: Mapping[str, Any]) -> None:
        """What the settings want and the domain does not have yet. What is made is known at once, so that a delete
        finds it also when the next step fails. Raises NetworkFailed."""
        network, scope = self._core.backend.network, record.scope
        network.check(scope, wanted["VpcId"], wanted["SubnetIds"])
        enabled = wanted["HomeEfsFileSystemCreation"] == "Enabled"
        if record.home is None and (enabled or self._core.switches.get("no-efs-groups") == "made"):
            record.home = network.make_groups(scope, record.name, wanted["VpcId"])
        if not enabled or record.home is None:
            return
        if record.home.file_system is None:
            record.home = network.make_file_system(scope, record.name, record.home)
            self._bill(record, str(record.home.file_system))
        for subnet in wanted["SubnetIds"]:
            if subnet not in record.home.subnets:
                record.home = network.add_mount_target(scope, record.home, subnet)

    def _tear_down(self, record: DomainRecord, retention: str, again: bool) -> None:
        work = partial(self._remove_network, retention=retention, again=again)
        self._states.in_background(self._studio.domains, record, work, self._gone, self._fail("Delete_Failed"))

    def _remove_network(self, record: DomainRecord, retention: str, again: bool) -> tuple[str, ...]:
        """Remove what the policy says; returns the groups that stay. Raises NetworkFailed."""
        network, home = self._core.backend.network, record.home
        if home is None:
            return ()
        if home.file_system and network.file_system_exists(record.scope, home.file_system):
            if retention == "Delete":
                network.remove_file_system(record.scope, home.file_system)
        elif home.file_system and not again:
            # [R] aws-nuke#1004: deleted before the domain. That the second attempt succeeds is [I]
            raise domain_changes.home_is_missing(home.file_system)
        if retention == "Delete" and self._core.switches.get("retention-delete-groups") == "yes":
            network.remove_groups(record.scope, home)
            return ()
        return home.groups

    def _gone(self, record: DomainRecord, groups: tuple[str, ...]) -> None:
        if groups:
            network = self._core.backend.network
            network.hold(groups)
            self._core.clock.call_later(durations.NFS_GROUPS_HELD, partial(network.release, groups), kind="settle")
        self._studio.domains.remove(record)

    def _bill(self, record: DomainRecord, file_system: str) -> None:
        scope = record.scope
        arn = f"arn:aws:elasticfilesystem:{scope.region}:{scope.account}:file-system/{file_system}"
        self._billed[file_system] = arn
        size = durations.HOME_EFS_GB
        self._core.meter.start(arn, "efs-storage", "gb-hour", "efs standard storage", record.tags, size)

    def _file_system_deleted(self, file_system: str) -> None:
        arn = self._billed.pop(file_system, None)
        if arn:
            self._core.meter.stop(arn)


def _roles(asked: Mapping[str, Any]) -> list[str]:
    """Every execution role that the request names."""
    named = (asked.get("DefaultUserSettings"), asked.get("DefaultSpaceSettings"))
    return list(dict.fromkeys(role for part in named for role in settings.roles(part)))


def _profile_of(scope: Scope, request: Mapping[str, Any]) -> str:
    """CreatePresignedDomainUrl is authorised on the profile (service authorization)."""
    return profile_arn(scope, str(request.get("DomainId", "*")), str(request.get("UserProfileName", "*")))


def _url(record: DomainRecord) -> str:
    return f"https://{record.name}.studio.{record.scope.region}.sagemaker.aws"


def _summary(record: DomainRecord) -> dict[str, Any]:
    return {
        "DomainArn": record.arn,
        "DomainId": record.name,
        "DomainName": record.request["DomainName"],
        "Status": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "Url": _url(record),
    }
