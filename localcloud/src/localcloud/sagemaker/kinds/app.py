"""Apps: what a person works in, on an instance that is billed while it runs.

    create: Pending -> InService | Failed;  delete: InService -> Deleting -> Deleted (listed for 24 hours)

An app belongs to a space (JupyterLab, Code Editor) or to a user profile (the types of Studio Classic), never to both.
Only one that is InService can be deleted: a Failed one is gone already, as its instance is, and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing, quotas
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.store import tag_map
from localcloud.sagemaker.studio import settings, tags
from localcloud.sagemaker.studio.records import (
    LIVING_APP,
    AppRecord,
    DomainRecord,
    ProfileRecord,
    SpaceRecord,
    Studio,
    already_exists,
    app_arn,
    not_found,
    require_in_service,
)
from localcloud.sagemaker.studio.startup import Startup
from localcloud.sagemaker.studio.states import States, failure_text

_NAME: Tree = {
    "DomainId": ANY,
    "UserProfileName": ANY,
    "SpaceName": ANY,
    "AppType": only(*settings.APP_SETTINGS),
    "AppName": ANY,
}
_CREATE: Tree = {**_NAME, "ResourceSpec": settings.RESOURCE_SPEC, "RecoveryMode": only(False), "Tags": TAGS}
_LIST: Tree = {**listing.ORDERED_LIST, "DomainIdEquals": ANY, "UserProfileNameEquals": ANY, "SpaceNameEquals": ANY}
_LISTING = listing.Listing("Apps", "Ascending")
#: the one name that these types take ([K]; Studio's pages use no other)
_DEFAULT_NAME = "default"


class Apps:
    """CreateApp, DescribeApp, ListApps, DeleteApp."""

    def __init__(self, core: Core, studio: Studio) -> None:
        """No apps yet."""
        self._core = core
        self._studio = studio
        self._states = States(core)
        self._startup = Startup(core, studio)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateApp": Operation(self.create, _CREATE, app_arn, self._studio.space_context),
            "DescribeApp": Operation(self.describe, _NAME, app_arn),
            "ListApps": Operation(self.list_page, _LIST),
            "DeleteApp": Operation(self.delete, _NAME, app_arn, self._studio.space_context),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Pending until the modelled time has passed and the lifecycle script has ended."""
        asked, scope = request.parameters, request.scope
        _check_names(asked)
        arn = app_arn(scope, asked)
        self._core.require_tagging(request, arn)
        now = self._core.clock.now()
        with self._core.store.lock:
            domain = self._studio.domain(scope, asked["DomainId"])
            require_in_service(domain, "Domain", f"create App [{arn}]")
            profile, space = self._holder(request)
            old = self._studio.apps.get(scope, arn)
            if old and old.status in LIVING_APP:
                raise already_exists("App", arn)
            record = AppRecord(
                scope,
                arn,
                arn,
                asked,
                now,
                now,
                "Pending",
                domain=domain.name,
                space=space.space if space else None,
                profile=None if space else asked["UserProfileName"],
                app_type=asked["AppType"],
                app_name=asked["AppName"],
            )
            self._settle_spec(domain, record)
            record.tags = tags.inherited(domain, profile, space, tag_map(asked.get("Tags")))
            if record.app_type not in settings.CLASSIC:
                self._core.take(record, {quotas.apps(record.app_type, record.spec["InstanceType"]): 1})
            if old:
                if old.timer:
                    old.timer.cancel()
                self._studio.apps.remove(old)
            self._studio.apps.add(record)
            self._states.later(self._studio.apps, record, durations.APP_CREATE, self._start)
        return {"AppArn": arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Stop and delete. Texts of what is gone: [R] terraform-provider-aws app.go; of what is on its way: [I]."""
        _check_names(request.parameters)
        with self._core.store.lock:
            record = self._require(request)
            if record.status == "Deleted":
                raise errors.validation(f"App [{record.arn}] has already been deleted.")
            if record.status == "Failed":
                raise errors.validation(f"App [{record.arn}] previously failed and was automatically deleted.")
            if record.status != "InService":
                validation = self._core.switches.get("busy-app-delete") == "validation"
                refusal = errors.validation if validation else errors.resource_in_use
                raise refusal(f"Unable to delete App [{record.arn}] in status {record.status}.")
            self._shut_down(record)
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """What runs. A Deleted app is described for 24 hours."""
        _check_names(request.parameters)
        with self._core.store.lock:
            record = self._require(request)
            seen = self._core.clock.now() if record.status == "InService" else record.modified
            return {
                **_summary(record),
                "AppArn": record.arn,
                # the same value whether somebody works or not ([B] LastUserActivityTimestamp)
                "LastHealthCheckTimestamp": seen,
                "LastUserActivityTimestamp": seen,
                "RecoveryMode": False,
                "FailureReason": failure_text(record),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries, Deleted apps of the last 24 hours among them."""
        asked = request.parameters
        if "UserProfileNameEquals" in asked and "SpaceNameEquals" in asked:
            raise errors.validation("UserProfileNameEquals and SpaceNameEquals cannot be specified together.")
        with self._core.store.lock:
            rows = [
                record
                for record in self._studio.apps.of(request.scope)
                if asked.get("DomainIdEquals", record.domain) == record.domain
                and asked.get("UserProfileNameEquals", record.profile) == record.profile
                and asked.get("SpaceNameEquals", record.space) == record.space
            ]
            return listing.page(asked, rows, _LISTING, _summary)

    def reset(self) -> None:
        """Forget every record and end the scripts."""
        with self._core.store.lock:
            for record in self._studio.apps.all():
                record.cancelled.set()
                if record.timer:
                    record.timer.cancel()
            self._studio.apps.clear()

    def _holder(self, request: Request) -> tuple[ProfileRecord | None, SpaceRecord | None]:
        """(the user whose app it is, the space it is in). Both must be InService."""
        asked, scope = request.parameters, request.scope
        what = f"create App [{app_arn(scope, asked)}]"
        if "SpaceName" not in asked:
            profile = self._studio.profile(scope, asked["DomainId"], asked["UserProfileName"])
            require_in_service(profile, "UserProfile", what)
            return profile, None
        space = self._studio.space(scope, asked["DomainId"], asked["SpaceName"])
        require_in_service(space, "Space", what)
        app_type = (space.request.get("SpaceSettings") or {}).get("AppType")
        classic = app_type in (None, *settings.CLASSIC) and asked["AppType"] in settings.CLASSIC
        if not classic and app_type != asked["AppType"]:
            raise errors.validation(
                f"AppType {asked['AppType']} does not match the AppType {app_type} of Space [{space.arn}]."
            )
        owner = self._studio.profiles.get(scope, f"{space.domain}/{space.owner}") if space.owner else None
        return owner, space

    def _settle_spec(self, domain: DomainRecord, record: AppRecord) -> None:
        """Instance type, lifecycle configuration and role, after every default. Raises ValidationException."""
        found = settings.layers(self._studio, domain, record)
        record.spec = settings.resource_spec(found, record.app_type, record.request.get("ResourceSpec"))
        instance = record.spec.get("InstanceType")
        if record.app_type == "JupyterServer" and instance != "system":
            raise errors.validation("JupyterServer apps only support the system instance type.")  # [B] ResourceSpec
        if record.app_type == "KernelGateway":
            if instance is None:
                raise errors.validation("InstanceType is required for KernelGateway apps.")  # [B] CreateApp
            record.spec["InstanceType"] = "ml.t3.medium" if instance == "system" else instance
        elif record.app_type != "JupyterServer" and instance == "system":
            raise errors.validation(f"{record.app_type} apps do not support the system instance type.")  # [I]
        arn = record.spec.get("LifecycleConfigArn")
        named = [(record.app_type, arn)] if arn else []
        settings.check_configs(self._studio, record.scope, iter(named))
        role = settings.execution_role(found)
        if role is None:
            raise errors.validation("No ExecutionRole: a shared space needs DefaultSpaceSettings.")
        record.role = role

    def _start(self, record: AppRecord) -> None:
        self._states.in_background(self._studio.apps, record, self._startup.start, self._started, self._fail)

    def _started(self, record: AppRecord, problem: str | None) -> None:
        if problem:
            self._fail(record, problem)
            return
        self._states.change(record, "InService")
        instance = record.spec["InstanceType"]
        if instance != "system":  # that of a JupyterServer app is free ([K])
            rate = f"{instance} studio"
            self._core.meter.start(record.arn, "studio-app-instance", "hour", rate, record.tags)
        domain = self._studio.domain(record.scope, record.domain)
        idle = settings.idle_seconds(settings.layers(self._studio, domain, record), record.app_type)
        if idle is not None:
            # nobody works in it here, so it is idle from the start; only time that passes anyway shuts it down
            self._states.later(self._studio.apps, record, idle, self._shut_down, kind="calendar")

    def _fail(self, record: AppRecord, reason: str) -> None:
        self._states.change(record, "Failed", reason)
        self._core.in_background(partial(self._startup.end, record))
        self._remember(record)

    def _shut_down(self, record: AppRecord) -> None:
        """InService to Deleting. Hold the lock."""
        self._core.meter.stop(record.arn)
        self._states.change(record, "Deleting")
        self._states.later(self._studio.apps, record, durations.APP_DELETE, self._end)

    def _end(self, record: AppRecord) -> None:
        def done(record: AppRecord, _: None) -> None:
            self._states.change(record, "Deleted")
            self._remember(record)

        self._states.in_background(self._studio.apps, record, self._startup.end, done, self._fail)

    def _remember(self, record: AppRecord) -> None:
        """Its instance is given back; a day later nobody knows of it."""
        record.uses = {}
        forget = self._studio.apps.remove
        self._states.later(self._studio.apps, record, durations.APP_REMEMBERED, forget, kind="calendar")

    def _require(self, request: Request) -> AppRecord:
        arn = app_arn(request.scope, request.parameters)
        record = self._studio.apps.get(request.scope, arn)
        belongs = record and (record.space is None) == ("SpaceName" not in request.parameters)
        if record is None or not belongs:
            raise not_found("App", arn)
        return record


def _check_names(asked: Mapping[str, Any]) -> None:
    """One holder, and one that the type allows. Raises ValidationException ([I] texts; the rules are [B] and [R])."""
    if ("SpaceName" in asked) == ("UserProfileName" in asked):
        raise errors.validation("Exactly one of SpaceName and UserProfileName must be specified.")
    if "UserProfileName" in asked and asked["AppType"] not in settings.CLASSIC:
        raise errors.validation(f"{asked['AppType']} apps need a SpaceName.")
    if asked["AppType"] != "KernelGateway" and asked["AppName"] != _DEFAULT_NAME:
        raise errors.validation(f"AppName of a {asked['AppType']} app must be {_DEFAULT_NAME}.")


def _summary(record: AppRecord) -> dict[str, Any]:
    return {
        "DomainId": record.domain,
        "UserProfileName": record.profile,
        "SpaceName": record.space,
        "AppType": record.app_type,
        "AppName": record.app_name,
        "Status": record.status,
        "CreationTime": record.created,
        "ResourceSpec": record.spec,
    }
