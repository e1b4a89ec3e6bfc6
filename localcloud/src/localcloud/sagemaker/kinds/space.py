"""Spaces: where an app runs and what it keeps. A space bills its volume until it is deleted, also when stopped.

    create: Pending -> InService;  update: InService -> Updating -> InService;  delete: -> Deleting -> gone

A private space belongs to a profile, a shared one to everybody of the domain (its owner may delete it); without both
it is a space of Studio Classic, whose files are on the home EFS. No app may be left when it is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import tag_map
from localcloud.sagemaker.studio import settings, tags
from localcloud.sagemaker.studio.records import (
    DomainRecord,
    SpaceRecord,
    Studio,
    already_exists,
    associated,
    owner_context,
    require_in_service,
    space_arn,
)
from localcloud.sagemaker.studio.states import States, failure_text, require_settled

_NAME: Tree = {"DomainId": ANY, "SpaceName": ANY}
_CREATE: Tree = {
    **_NAME,
    "SpaceSettings": settings.SPACE_SETTINGS,
    "OwnershipSettings": {"OwnerUserProfileName": ANY},
    "SpaceSharingSettings": {"SharingType": ANY},
    "SpaceDisplayName": ANY,
    "Tags": TAGS,
}
_UPDATE: Tree = {**_NAME, "SpaceSettings": settings.SPACE_SETTINGS, "SpaceDisplayName": ANY}
_LIST: Tree = {**listing.ORDERED_LIST, "DomainIdEquals": ANY, "SpaceNameContains": ANY}
_LISTING = listing.Listing("Spaces", "Ascending")


class Spaces:
    """CreateSpace, DescribeSpace, ListSpaces, UpdateSpace, DeleteSpace."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """No spaces yet."""
        self._core = core
        self._studio = studio
        self._states = States(core)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateSpace": Operation(self.create, _CREATE, _arn, _asked_owner),
            "DescribeSpace": Operation(self.describe, _NAME, _arn),
            "ListSpaces": Operation(self.list_page, _LIST),
            "UpdateSpace": Operation(self.update, _UPDATE, _arn, self._studio.space_context),
            "DeleteSpace": Operation(self.delete, _NAME, _arn, self._studio.space_context),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """In a domain that is InService, for a profile that is. Billing begins."""
        asked, scope = request.parameters, request.scope
        domain_id, name = asked["DomainId"], asked["SpaceName"]
        arn = space_arn(scope, domain_id, name)
        self._core.require_tagging(request, arn)
        now = self._core.clock.now()
        with self._core.store.lock:
            domain = self._studio.domain(scope, domain_id)
            require_in_service(domain, "Domain", f"create Space [{arn}]")
            if self._studio.spaces.get(scope, f"{domain_id}/{name}"):
                raise already_exists("Space", arn)
            record = SpaceRecord(scope, f"{domain_id}/{name}", arn, asked, now, now, "Pending")
            record.domain, record.space = domain_id, name
            self._take_owner(domain, record)
            self._check_settings(scope, asked)
            record.storage_gb = self._storage(domain, record, asked.get("SpaceSettings") or {})
            self._core.take(record, {"Maximum number of Studio spaces allowed per account": 1})
            self._studio.spaces.add(record)
            self._bill(record)
            self._states.later(self._studio.spaces, record, durations.SPACE_CREATE, self._in_service)
        return {"SpaceArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Settings of a space without apps; its volume can grow, not shrink ([K])."""
        asked, scope = request.parameters, request.scope
        with self._core.store.lock:
            record = self._studio.space(scope, asked["DomainId"], asked["SpaceName"])
            require_in_service(record, "Space", "update it")
            changed = asked.get("SpaceSettings") or {}
            if changed and self._studio.living_apps(scope, record.domain, space=record.space):
                raise errors.resource_in_use(
                    f"Unable to update Space [{record.arn}] because App(s) are associated with it."
                )
            self._check_settings(scope, asked)
            old = record.request.get("SpaceSettings") or {}
            if changed.get("AppType", old.get("AppType")) != old.get("AppType"):
                raise errors.validation(f"AppType of Space [{record.arn}] cannot be changed.")
            new = settings.merged(old, changed)
            size = self._storage(self._studio.domain(scope, record.domain), record, new)
            if record.storage_gb and size and size < record.storage_gb:
                raise errors.validation(f"EbsVolumeSizeInGb of Space [{record.arn}] cannot be reduced.")
            after = {**record.request, "SpaceSettings": new}
            if "SpaceDisplayName" in asked:
                after["SpaceDisplayName"] = asked["SpaceDisplayName"]
            self._states.change(record, "Updating")
            step = partial(self._updated, after=after, size=size)
            self._states.later(self._studio.spaces, record, durations.SPACE_UPDATE, step)
        return {"SpaceArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Refused while apps are left; its volume is billed until it is gone."""
        with self._core.store.lock:
            record = self._studio.space(request.scope, request["DomainId"], request["SpaceName"])
            require_settled(record, "Space", "delete")
            if self._studio.living_apps(record.scope, record.domain, space=record.space):
                raise associated("Space", record.arn, "App")
            self._states.change(record, "Deleting")
            self._states.later(self._studio.spaces, record, durations.SPACE_DELETE, self._gone)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Settings as they are."""
        with self._core.store.lock:
            record = self._studio.space(request.scope, request["DomainId"], request["SpaceName"])
            return {
                **record.request,
                **_summary(record),
                "SpaceArn": record.arn,
                "Url": f"https://{record.domain}.studio.{record.scope.region}.sagemaker.aws/jupyterlab/default/lab",
                "FailureReason": failure_text(record),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        asked = request.parameters
        with self._core.store.lock:
            rows = [
                record
                for record in self._studio.spaces.of(request.scope)
                if asked.get("DomainIdEquals", record.domain) == record.domain
                and asked.get("SpaceNameContains", "").lower() in record.space.lower()
            ]
            return listing.page(asked, rows, _LISTING, _summary)

    def reset(self) -> None:
        """Forget every record and what its machine kept."""
        with self._core.store.lock:
            records = self._studio.spaces.all()
            self._studio.spaces.clear()
        for record in records:
            if record.timer:
                record.timer.cancel()
            self._core.in_background(partial(self._core.backend.forget_machine, record.arn))

    def _take_owner(self, domain: DomainRecord, record: SpaceRecord) -> None:
        """Owner, sharing and tags. Raises ValidationException ([K]: the two settings come together)."""
        asked = record.request
        owner = (asked.get("OwnershipSettings") or {}).get("OwnerUserProfileName")
        sharing = (asked.get("SpaceSharingSettings") or {}).get("SharingType")
        if (owner is None) != (sharing is None):
            raise errors.validation("OwnershipSettings and SpaceSharingSettings must be specified together.")
        profile = self._studio.profile(record.scope, domain.name, owner) if owner else None
        if profile:
            require_in_service(profile, "UserProfile", f"create Space [{record.arn}]")
        record.owner, record.sharing = owner, sharing
        record.tags = tags.inherited(domain, profile, None, tag_map(asked.get("Tags")))

    def _check_settings(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        settings.check_configs(self._studio, scope, settings.config_references(asked.get("SpaceSettings")))

    def _storage(self, domain: DomainRecord, record: SpaceRecord, wanted: Mapping[str, Any]) -> int | None:
        """Size of the volume in GB. Raises ValidationException for one beyond the administrator's limit ([I] text)."""
        if wanted.get("AppType", "JupyterServer") in settings.CLASSIC:
            return None
        default, most = settings.storage_limits(settings.layers(self._studio, domain, record))
        asked = (wanted.get("SpaceStorageSettings") or {}).get("EbsStorageSettings") or {}
        size = int(asked.get("EbsVolumeSizeInGb", default))
        if size > most:
            raise errors.validation(f"EbsVolumeSizeInGb {size} exceeds the maximum of {most} GB.")
        return size

    def _bill(self, record: SpaceRecord) -> None:
        if record.storage_gb:
            kind, size = "studio-space-storage", record.storage_gb
            self._core.meter.start(record.arn, kind, "gb-hour", "studio space storage", record.tags, size)

    def _in_service(self, record: SpaceRecord) -> None:
        self._states.change(record, "InService")

    def _updated(self, record: SpaceRecord, after: dict[str, Any], size: int | None) -> None:
        record.request = after
        if size != record.storage_gb:
            record.storage_gb = size
            self._bill(record)
        self._states.change(record, "InService")

    def _gone(self, record: SpaceRecord) -> None:
        self._studio.spaces.remove(record)
        self._core.meter.stop(record.arn)
        self._core.in_background(partial(self._core.backend.forget_machine, record.arn))


def _arn(scope: Scope, request: Mapping[str, Any]) -> str:
    return space_arn(scope, str(request.get("DomainId", "*")), str(request.get("SpaceName", "*")))


def _asked_owner(scope: Scope, request: Mapping[str, Any]) -> dict[str, object]:
    """Owner and sharing that a new space is to have."""
    owner, sharing = request.get("OwnershipSettings"), request.get("SpaceSharingSettings")
    return owner_context(
        scope,
        str(request.get("DomainId")),
        owner.get("OwnerUserProfileName") if isinstance(owner, Mapping) else None,
        sharing.get("SharingType") if isinstance(sharing, Mapping) else None,
    )


def _summary(record: SpaceRecord) -> dict[str, Any]:
    own = record.request.get("SpaceSettings") or {}
    storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": record.storage_gb}} if record.storage_gb else None
    return {
        "DomainId": record.domain,
        "SpaceName": record.space,
        "Status": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "SpaceDisplayName": record.request.get("SpaceDisplayName"),
        "SpaceSettingsSummary": {"AppType": own.get("AppType"), "SpaceStorageSettings": storage},
        "SpaceSharingSettingsSummary": record.request.get("SpaceSharingSettings"),
        "OwnershipSettingsSummary": record.request.get("OwnershipSettings"),
    }
