"""Lifecycle configurations of Studio: a script for an app type, without a status and without an update.

One cannot be deleted while an app that runs uses it or settings of a domain, a profile or a space name it ([B]).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, tag_map
from localcloud.sagemaker.studio import settings
from localcloud.sagemaker.studio.records import Studio, already_exists, not_found

_CREATE: Tree = {
    "StudioLifecycleConfigName": ANY,
    "StudioLifecycleConfigContent": ANY,
    "StudioLifecycleConfigAppType": ANY,
    "Tags": TAGS,
}
_NAME: Tree = {"StudioLifecycleConfigName": ANY}
_LIST: Tree = {
    **listing.ORDERED_LIST,
    "NameContains": ANY,
    "AppTypeEquals": ANY,
    "CreationTimeAfter": ANY,
    "CreationTimeBefore": ANY,
}
_RESOURCE = ("studio-lifecycle-config", "StudioLifecycleConfigName")
_LISTING = listing.Listing("StudioLifecycleConfigs", "Descending")


class StudioLifecycleConfigs:
    """CreateStudioLifecycleConfig, DescribeStudioLifecycleConfig, ListStudioLifecycleConfigs and Delete."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """None yet."""
        self._core = core
        self._studio = studio

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateStudioLifecycleConfig": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeStudioLifecycleConfig": Operation(self.describe, _NAME, _RESOURCE),
            "ListStudioLifecycleConfigs": Operation(self.list_page, _LIST),
            "DeleteStudioLifecycleConfig": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """The content is base64; what it decodes to runs when an app starts."""
        asked, scope = request.parameters, request.scope
        name = asked["StudioLifecycleConfigName"]
        arn = scope.arn(_RESOURCE[0], name)
        self._core.require_tagging(request, arn)
        settings.decoded(asked["StudioLifecycleConfigContent"])
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._studio.configs.get(scope, name):
                raise already_exists("StudioLifecycleConfig", arn)
            self._studio.configs.add(Record(scope, name, arn, asked, now, now, tags=tag_map(asked.get("Tags"))))
        return {"StudioLifecycleConfigArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request and when it was made."""
        with self._core.store.lock:
            record = self._require(request)
            return {**record.request, **_summary(record)}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        asked = request.parameters
        with self._core.store.lock:
            rows = [
                record
                for record in self._studio.configs.of(request.scope)
                if asked.get("AppTypeEquals") in (None, record.request["StudioLifecycleConfigAppType"])
            ]
            return listing.page(asked, rows, _LISTING, _summary)

    def delete(self, request: Request) -> dict[str, Any]:
        """Refused while in use ([B] the rule and the code, [I] the text)."""
        with self._core.store.lock:
            record = self._require(request)
            user = next(self._users(record), None)
            if user:
                raise errors.resource_in_use(
                    f"Unable to delete StudioLifecycleConfig [{record.arn}] because it is in use by [{user}]."
                )
            self._studio.configs.remove(record)
        return {}

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._studio.configs.clear()

    def _users(self, record: Record) -> Iterator[str]:
        """ARNs of the apps that use it and of what names it in its settings."""
        scope = record.scope
        for app in self._studio.apps.of(scope):
            if app.status in ("Pending", "InService") and app.spec.get("LifecycleConfigArn") == record.arn:
                yield app.arn
        holders: list[Record] = [*self._studio.domains.of(scope), *self._studio.profiles.of(scope)]
        for holder in [*holders, *self._studio.spaces.of(scope)]:
            for member in ("DefaultUserSettings", "DefaultSpaceSettings", "UserSettings", "SpaceSettings"):
                named = settings.config_references(holder.request.get(member))
                if any(arn == record.arn for _, arn in named):
                    yield holder.arn

    def _require(self, request: Request) -> Record:
        scope: Scope = request.scope
        name = request["StudioLifecycleConfigName"]
        record = self._studio.configs.get(scope, name)
        if record is None:
            raise not_found("StudioLifecycleConfig", scope.arn(_RESOURCE[0], name))
        return record


def _summary(record: Record) -> dict[str, Any]:
    return {
        "StudioLifecycleConfigArn": record.arn,
        "StudioLifecycleConfigName": record.name,
        "StudioLifecycleConfigAppType": record.request["StudioLifecycleConfigAppType"],
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }
