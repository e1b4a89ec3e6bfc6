"""Notebook instances: a machine with a volume that outlives its stops.

    create, start: Pending -> InService | Failed (a lifecycle script failed)
    stop:          InService -> Stopping -> Stopped
    update:        Stopped | Failed -> Updating -> Stopped
    delete:        Stopped | Failed -> Deleting -> gone

Every other call is refused with the states that would do (facts teardown 1.6). The instance is billed from InService
until StopNotebookInstance is called ([B]), the volume from creation until deletion, and an interface stays in the
subnet all that time.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing, quotas
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.notebook_lifecycle_config import Hook, NotebookLifecycleConfigs
from localcloud.sagemaker.kinds.notebook_scripts import NotebookScripts
from localcloud.sagemaker.ports import Scope, Timer
from localcloud.sagemaker.store import Record, Table, named, tag_map

_METADATA: Tree = {"MinimumInstanceMetadataServiceVersion": ANY}
_SETTINGS: Tree = {
    "NotebookInstanceName": ANY,
    "InstanceType": ANY,
    "IpAddressType": only("ipv4"),
    "RoleArn": ANY,
    "LifecycleConfigName": ANY,
    "VolumeSizeInGB": ANY,
    "RootAccess": ANY,
    "PlatformIdentifier": ANY,
    "InstanceMetadataServiceConfiguration": _METADATA,
}
_CREATE: Tree = {**_SETTINGS, "SubnetId": ANY, "SecurityGroupIds": ANY, "DirectInternetAccess": ANY, "Tags": TAGS}
_UPDATE: Tree = {**_SETTINGS, "DisassociateLifecycleConfig": ANY}
_NAME: Tree = {"NotebookInstanceName": ANY}
_LIST: Tree = {**listing.STATUS_LIST, "NotebookInstanceLifecycleConfigNameContains": ANY}
_KIND = "notebook-instance"
_RESOURCE = (_KIND, "NotebookInstanceName")
#: SortBy: "The default is Name" ([B])
_LISTING = listing.Listing("NotebookInstances", "Ascending", "Name")
#: members that a request may leave out ([B]; the platform from the registry schema)
_DEFAULTS: Mapping[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": "notebook-al2023-v1",
    "IpAddressType": "ipv4",
}
#: states out of which an instance gets by itself
IN_PROGRESS = ("Pending", "Stopping", "Updating", "Deleting")
#: what EC2 shows of the interface ([R] turbot and others match on it)
_INTERFACE = (
    "[Do not delete] Network Interface created to access resources in your VPC for SageMaker Notebook Instance {}"
)
_FAILURE_LIMIT = 1024


@dataclass(eq=False)
class NotebookRecord(Record):
    """One instance; ``request`` holds its settings, defaults and updates included."""

    interface: str | None = None
    failure: str | None = None
    timer: Timer | None = None
    #: the creation is over: its script never runs again
    created_once: bool = False
    #: ends a script that runs when the server is reset
    cancelled: threading.Event = field(default_factory=threading.Event)


class NotebookInstances:
    """Create, Describe, List, Update, Start, Stop and Delete of NotebookInstance, and its presigned URL."""

    def __init__(self, core: Core, configs: NotebookLifecycleConfigs) -> None:
        """No instances yet; ``configs`` are the scripts they may run."""
        self._core = core
        self._configs = configs
        self._scripts = NotebookScripts(core, configs)
        self._table: Table[NotebookRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateNotebookInstance": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeNotebookInstance": Operation(self.describe, _NAME, _RESOURCE),
            "ListNotebookInstances": Operation(self.list_page, _LIST),
            "UpdateNotebookInstance": Operation(self.update, _UPDATE, _RESOURCE),
            "StartNotebookInstance": Operation(self.start, _NAME, _RESOURCE),
            "StopNotebookInstance": Operation(self.stop, _NAME, _RESOURCE),
            "DeleteNotebookInstance": Operation(self.delete, _NAME, _RESOURCE),
            "CreatePresignedNotebookInstanceUrl": Operation(
                self.presigned_url, {**_NAME, "SessionExpirationDurationInSeconds": ANY}, _RESOURCE
            ),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Check everything that AWS checks before it answers, put the interface into the subnet, begin to start."""
        scope, settings = request.scope, {**_DEFAULTS, **request.parameters}
        name = settings["NotebookInstanceName"]
        arn = scope.arn(_KIND, name)
        subnet = settings.get("SubnetId")
        if settings["DirectInternetAccess"] == "Disabled" and not subnet:
            # [B] "only if you set a value for the SubnetId parameter"; text [K]
            raise errors.validation("DirectInternetAccess can be set to Disabled only when SubnetId is set.")
        if settings.get("SecurityGroupIds") and not subnet:
            raise errors.validation("SecurityGroupIds can be set only when SubnetId is set.")
        self._core.require_tagging(request, arn)
        self._core.require_role(request, settings["RoleArn"])
        with self._core.store.lock:
            self._require_new(scope, name)
            self._require_config(scope, settings.get("LifecycleConfigName"))
        interface = None
        if subnet:
            groups = settings.get("SecurityGroupIds", [])
            interface = self._core.backend.attach_interface(scope, subnet, groups, _INTERFACE.format(arn))
        now = self._core.clock.now()
        tags = tag_map(settings.get("Tags"))
        record = NotebookRecord(scope, name, arn, settings, now, now, "Pending", tags, interface=interface)
        try:
            with self._core.store.lock:
                self._require_new(scope, name)
                self._core.take(record, {"Total number of notebook instances": 1, **_instance(record)})
                self._use_config(record, settings.get("LifecycleConfigName"))
                self._table.add(record)
                self._bill_volume(record)
                self._begin(record, "Pending", durations.NOTEBOOK_START, self._up)
        except errors.ServiceError:
            if interface:
                self._core.backend.detach_interface(scope, interface)
            raise
        return {"NotebookInstanceArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The settings and the state."""
        with self._core.store.lock:
            record = self._require(request)
            settings = record.request
            return {
                **settings,
                **_summary(record),
                "SecurityGroups": settings.get("SecurityGroupIds"),
                "NetworkInterfaceId": record.interface,
                "FailureReason": record.failure[:_FAILURE_LIMIT] if record.failure else None,
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        part = request.parameters.get("NotebookInstanceLifecycleConfigNameContains", "").lower()
        with self._core.store.lock:
            records = [
                record
                for record in self._table.of(request.scope)
                if part in str(record.request.get("LifecycleConfigName", "")).lower()
            ]
            return listing.page(request.parameters, records, _LISTING, _summary)

    def start(self, request: Request) -> dict[str, Any]:
        """A new machine with the old volume; the OnStart script runs again."""
        with self._core.store.lock:
            record = self._require(request)
            _require_status(record, ("Stopped", "Failed"), "Pending")
            self._core.take(record, _instance(record))
            record.failure = None
            self._begin(record, "Pending", durations.NOTEBOOK_START, self._up)
        return {}

    def stop(self, request: Request) -> dict[str, Any]:
        """The machine ends, the volume stays; "stops charging ... when you call StopNotebookInstance" ([B])."""
        with self._core.store.lock:
            record = self._require(request)
            _require_status(record, ("InService",), "Stopping")
            self._core.meter.stop(record.arn)
            self._begin(record, "Stopping", durations.NOTEBOOK_STOP, self._stopped)
        self._core.in_background(partial(self._core.backend.end_machine, record.arn))
        return {}

    def update(self, request: Request) -> dict[str, Any]:
        """Change the settings of an instance that does not run; it is Stopped afterwards."""
        changes = {k: v for k, v in request.parameters.items() if k != "DisassociateLifecycleConfig"}
        scope = request.scope
        if "RoleArn" in changes:
            self._core.require_role(request, changes["RoleArn"])
        with self._core.store.lock:
            record = self._require(request)
            _require_status(record, ("Stopped", "Failed"), "Updating")
            self._require_config(scope, changes.get("LifecycleConfigName"))
            before = record.request["VolumeSizeInGB"]
            size = changes.get("VolumeSizeInGB", before)
            if size < before:
                # [B] "you can increase the volume size when you update ..., but you can't decrease"; text [K]
                raise errors.validation(f"VolumeSizeInGB cannot be decreased from {before} to {size}.")
            if request.parameters.get("DisassociateLifecycleConfig"):
                self._use_config(record, None)
            if "LifecycleConfigName" in changes:
                self._use_config(record, changes["LifecycleConfigName"])
            record.request = {**record.request, **changes, "NotebookInstanceName": record.name}
            record.failure = None
            if size != before:
                self._bill_volume(record)
            self._begin(record, "Updating", durations.NOTEBOOK_UPDATE, self._stopped)
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Deleting at once; then volume and interface are gone with it."""
        with self._core.store.lock:
            record = self._require(request)
            _require_status(record, ("Stopped", "Failed"), "Deleting")
            self._core.meter.stop(_volume(record))
            self._begin(record, "Deleting", durations.NOTEBOOK_DELETE, self._gone)
        return {}

    def presigned_url(self, request: Request) -> dict[str, Any]:
        """A URL as AWS makes them; no Jupyter answers behind it here. Only of an instance InService ([I] text)."""
        with self._core.store.lock:
            record = self._require(request)
            _require_status(record, ("InService",), "InService")
        return {"AuthorizedUrl": f"https://{_url(record)}?authToken={secrets.token_urlsafe(48)}"}

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            for record in self._table.all():
                if record.timer:
                    record.timer.cancel()
                record.cancelled.set()
            self._table.clear()

    def _require(self, request: Request) -> NotebookRecord:
        record = named(self._table, request.scope, request["NotebookInstanceName"])
        if record is None:
            raise errors.validation("RecordNotFound")
        return record

    def _require_new(self, scope: Scope, name: str) -> None:
        taken = named(self._table, scope, name)
        if taken is not None:
            raise errors.validation(f"Cannot create a duplicate Notebook Instance ({taken.arn})")

    def _require_config(self, scope: Scope, name: str | None) -> None:
        if name:
            self._configs.require(scope, name, "describe")

    def _use_config(self, record: NotebookRecord, name: str | None) -> None:
        """Let a lifecycle configuration know who names it. Hold the lock."""
        old = self._configs.find(record.scope, record.request.get("LifecycleConfigName", ""))
        if old:
            old.users.discard(record.arn)
        record.request.pop("LifecycleConfigName", None)
        if name:
            config = self._configs.require(record.scope, name, "describe")
            config.users.add(record.arn)
            record.request["LifecycleConfigName"] = config.name

    def _bill_volume(self, record: NotebookRecord) -> None:
        size = record.request["VolumeSizeInGB"]
        self._core.meter.start(_volume(record), "notebook-volume", "GB-month", "notebook volume", record.tags, size)

    def _begin(
        self, record: NotebookRecord, status: str, seconds: float, then: Callable[[NotebookRecord], None]
    ) -> None:
        """Enter a state that ends by itself after ``seconds``. Hold the lock."""
        self._change(record, status)
        record.timer = self._core.clock.call_later(seconds, partial(self._end, record, then), kind="settle")

    def _end(self, record: NotebookRecord, then: Callable[[NotebookRecord], None]) -> None:
        with self._core.store.lock:
            known = self._table.get(record.scope, record.name) is record
        if known:  # not reset meanwhile
            then(record)

    def _change(self, record: NotebookRecord, status: str) -> None:
        record.status = status
        record.modified = self._core.clock.now()
        self._core.store.changed.notify_all()

    def _up(self, record: NotebookRecord) -> None:
        """The machine is there: run its scripts, if it has any, before it is in service."""
        hooks: Sequence[Hook] = ("OnStart",) if record.created_once else ("OnCreate", "OnStart")
        record.created_once = True
        self._scripts.boot(record, hooks, record.cancelled, partial(self._booted, record))

    def _booted(self, record: NotebookRecord, failure: str | None) -> None:
        """Its scripts have ended: well, or with the reason of a failure."""
        with self._core.store.lock:
            if self._table.get(record.scope, record.name) is not record:
                return  # reset meanwhile
            record.failure = failure
            if failure is not None:
                self._release_instance(record)
                self._change(record, "Failed")
                return
            rate = f"{record.request['InstanceType']} notebook"
            self._core.meter.start(record.arn, "notebook-instance", "hour", rate, record.tags)
            self._change(record, "InService")

    def _stopped(self, record: NotebookRecord) -> None:
        with self._core.store.lock:
            self._release_instance(record)
            self._change(record, "Stopped")

    def _release_instance(self, record: NotebookRecord) -> None:
        """The machine ends: it is none of the account's any more. Hold the lock."""
        record.uses = {name: amount for name, amount in record.uses.items() if name not in _instance(record)}

    def _gone(self, record: NotebookRecord) -> None:
        self._core.in_background(partial(self._core.backend.forget_machine, record.arn))
        if record.interface:
            self._core.backend.detach_interface(record.scope, record.interface)
        with self._core.store.lock:
            self._use_config(record, None)
            self._table.remove(record)


def _require_status(record: NotebookRecord, allowed: tuple[str, ...], target: str) -> None:
    """Raise AWS's refusal unless the instance is in one of the ``allowed`` states."""
    if record.status not in allowed:
        raise errors.validation(
            f"Status ({record.status}) not in ([{', '.join(allowed)}]). "
            f"Unable to transition to ({target}) for Notebook Instance ({record.arn})"
        )


def _instance(record: NotebookRecord) -> dict[str, float]:
    """What a machine of the record takes of the quotas."""
    return {quotas.instances(record.request["InstanceType"], "notebook instance"): 1}


def _volume(record: NotebookRecord) -> str:
    return f"{record.arn}/volume"


def _url(record: NotebookRecord) -> str:
    return f"{record.name.lower()}.notebook.{record.scope.region}.sagemaker.aws"


def _summary(record: NotebookRecord) -> dict[str, Any]:
    return {
        "NotebookInstanceName": record.name,
        "NotebookInstanceArn": record.arn,
        "NotebookInstanceStatus": record.status,
        "Url": _url(record),
        "InstanceType": record.request["InstanceType"],
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "NotebookInstanceLifecycleConfigName": record.request.get("LifecycleConfigName"),
    }
