"""User profiles: a person in a domain, with settings of their own.

    create: Pending -> InService;  update: InService -> Updating -> InService;  delete: -> Deleting -> gone

Neither apps (Failed and Deleted ones excepted) nor spaces that it owns may be left when it is deleted.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import tag_map
from localcloud.sagemaker.studio import settings
from localcloud.sagemaker.studio.records import (
    DomainRecord,
    ProfileRecord,
    Studio,
    already_exists,
    associated,
    profile_arn,
    require_in_service,
)
from localcloud.sagemaker.studio.states import States, failure_text, require_settled

_NAME: Tree = {"DomainId": ANY, "UserProfileName": ANY}
_CREATE: Tree = {**_NAME, "UserSettings": settings.USER_SETTINGS, "Tags": TAGS}
_UPDATE: Tree = {**_NAME, "UserSettings": settings.USER_SETTINGS}
_LIST: Tree = {**listing.ORDERED_LIST, "DomainIdEquals": ANY, "UserProfileNameContains": ANY}
_LISTING = listing.Listing("UserProfiles", "Ascending")
#: the first number of a user on the home EFS ([K])
_FIRST_UID = 200_005


class UserProfiles:
    """CreateUserProfile, DescribeUserProfile, ListUserProfiles, UpdateUserProfile, DeleteUserProfile."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """No profiles yet."""
        self._core = core
        self._studio = studio
        self._states = States(core)
        self._uids = itertools.count(_FIRST_UID)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateUserProfile": Operation(self.create, _CREATE, _arn),
            "DescribeUserProfile": Operation(self.describe, _NAME, _arn),
            "ListUserProfiles": Operation(self.list_page, _LIST),
            "UpdateUserProfile": Operation(self.update, _UPDATE, _arn),
            "DeleteUserProfile": Operation(self.delete, _NAME, _arn),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """In a domain that is InService."""
        asked, scope = request.parameters, request.scope
        domain_id, name = asked["DomainId"], asked["UserProfileName"]
        arn = profile_arn(scope, domain_id, name)
        self._core.require_tagging(request, arn)
        self._require_roles(request)
        now = self._core.clock.now()
        with self._core.store.lock:
            domain = self._studio.domain(scope, domain_id)
            require_in_service(domain, "Domain", f"create UserProfile [{arn}]")
            if self._studio.profiles.get(scope, f"{domain_id}/{name}"):
                raise already_exists("UserProfile", arn)
            self._check_settings(domain, asked)
            record = ProfileRecord(
                scope,
                f"{domain_id}/{name}",
                arn,
                asked,
                now,
                now,
                "Pending",
                tag_map(asked.get("Tags")),
                domain=domain_id,
                profile=name,
                uid=next(self._uids),
            )
            self._core.take(record, {"Maximum number of Studio user profiles allowed per account": 1})
            self._studio.profiles.add(record)
            self._states.later(self._studio.profiles, record, durations.PROFILE_CREATE, self._in_service)
        return {"UserProfileArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Change what the request names; apps that run keep what they started with."""
        asked, scope = request.parameters, request.scope
        self._require_roles(request)
        with self._core.store.lock:
            record = self._studio.profile(scope, asked["DomainId"], asked["UserProfileName"])
            require_in_service(record, "UserProfile", "update it")
            self._check_settings(self._studio.domain(scope, record.domain), asked)
            new = settings.merged(record.request.get("UserSettings") or {}, asked.get("UserSettings") or {})
            self._states.change(record, "Updating")
            step = partial(self._updated, new=new)
            self._states.later(self._studio.profiles, record, durations.PROFILE_UPDATE, step)
        return {"UserProfileArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Refused while it has apps or owns spaces ([DG], [DGn] domain-user-profile-remove)."""
        with self._core.store.lock:
            record = self._studio.profile(request.scope, request["DomainId"], request["UserProfileName"])
            require_settled(record, "UserProfile", "delete")
            if self._studio.living_apps(record.scope, record.domain, profile=record.profile):
                raise associated("UserProfile", record.arn, "App")
            if self._studio.spaces_of(record.scope, record.domain, owner=record.profile):
                raise associated("UserProfile", record.arn, "Space")
            self._states.change(record, "Deleting")
            self._states.later(self._studio.profiles, record, durations.PROFILE_DELETE, self._studio.profiles.remove)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Settings as they are."""
        with self._core.store.lock:
            record = self._studio.profile(request.scope, request["DomainId"], request["UserProfileName"])
            return {
                **record.request,
                **_summary(record),
                "UserProfileArn": record.arn,
                "HomeEfsFileSystemUid": str(record.uid),
                "FailureReason": failure_text(record),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        asked = request.parameters
        with self._core.store.lock:
            rows = [
                record
                for record in self._studio.profiles.of(request.scope)
                if asked.get("DomainIdEquals", record.domain) == record.domain
                and asked.get("UserProfileNameContains", "").lower() in record.profile.lower()
            ]
            return listing.page(asked, rows, _LISTING, _summary)

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            for record in self._studio.profiles.all():
                if record.timer:
                    record.timer.cancel()
            self._studio.profiles.clear()

    def _require_roles(self, request: Request) -> None:
        for role in settings.roles(request.parameters.get("UserSettings")):
            self._core.require_role(request, role)

    def _check_settings(self, domain: DomainRecord, asked: Mapping[str, Any]) -> None:
        mine, default = asked.get("UserSettings") or {}, domain.request.get("DefaultUserSettings") or {}
        settings.check_configs(self._studio, domain.scope, settings.config_references(mine))
        if domain.request["AppNetworkAccessType"] == "VpcOnly" and not settings.security_groups([mine, default]):
            # [B] UserSettings.SecurityGroups; the text is [I]
            raise errors.validation("SecurityGroups are required in UserSettings when the domain is VpcOnly.")

    def _in_service(self, record: ProfileRecord) -> None:
        self._states.change(record, "InService")

    def _updated(self, record: ProfileRecord, new: dict[str, Any]) -> None:
        record.request = {**record.request, "UserSettings": new}
        self._states.change(record, "InService")


def _arn(scope: Scope, request: Mapping[str, Any]) -> str:
    return profile_arn(scope, str(request.get("DomainId", "*")), str(request.get("UserProfileName", "*")))


def _summary(record: ProfileRecord) -> dict[str, Any]:
    return {
        "DomainId": record.domain,
        "UserProfileName": record.profile,
        "Status": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }
