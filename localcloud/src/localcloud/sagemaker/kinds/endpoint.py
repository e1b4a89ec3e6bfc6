"""Endpoints: real servers behind a state machine.

    create: Creating -> InService | Failed
    update: InService -> Updating -> InService (new servers, the old ones end)
                                  -> RollingBack -> InService with FailureReason (the old ones stay)
    delete: InService | Failed -> Deleting -> gone (``hosting.ending``)
    AWS:    InService -> SystemUpdating -> InService

A transition is over when its modelled time has passed and the servers really are up (or down). While it lasts the
endpoint can be neither updated nor deleted. Billing runs from InService until deletion begins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.hosting import deployment, fleets, scaling
from localcloud.sagemaker.hosting.ending import Ending
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.kinds.endpoint_config import EndpointConfigs
from localcloud.sagemaker.kinds.model import Models
from localcloud.sagemaker.monitoring.analysis import CaptureSource
from localcloud.sagemaker.ports import Scope, StartFailed, Timer
from localcloud.sagemaker.store import Record, Table, tag_map

logger = logging.getLogger("localcloud.sagemaker")

_CREATE: Tree = {"EndpointName": ANY, "EndpointConfigName": ANY, "DeploymentConfig": deployment.SUPPORTED, "Tags": TAGS}
_UPDATE: Tree = {
    "EndpointName": ANY,
    "EndpointConfigName": ANY,
    "DeploymentConfig": deployment.SUPPORTED,
    "RetainAllVariantProperties": ANY,
    "ExcludeRetainedVariantProperties": ANY,
    "RetainDeploymentConfig": only(False),
}
_NAME: Tree = {"EndpointName": ANY}
_RESOURCE = ("endpoint", "EndpointName")
_LISTING = listing.Listing("Endpoints", "Descending")
#: statuses in which an endpoint can be neither updated nor deleted ([B] EndpointStatus, [R] the text)
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_FAILURE_LIMIT = 1024


@dataclass(eq=False)
class Rollout:
    """A fleet on its way into service."""

    fleet: Fleet
    started: float
    timer: Timer | None = None
    #: the modelled time has passed
    waited: bool = False
    #: the servers are healthy
    ready: bool = False
    failure: str | None = None


@dataclass(eq=False)
class EndpointRecord(Record):
    """One endpoint: the fleet that serves and the one that is being started."""

    fleet: Fleet | None = None
    rollout: Rollout | None = None
    failure: str | None = None
    deployment: dict[str, Any] | None = None


class Endpoints:
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint, DeleteEndpoint."""

    def __init__(self, core: Core, configs: EndpointConfigs, models: Models) -> None:
        """No endpoints yet; ``configs`` and ``models`` are what they are made from."""
        self._core = core
        self._configs = configs
        self._builder = fleets.Builder(core, models)
        self._ending = Ending(core)
        self._table: Table[EndpointRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateEndpoint": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeEndpoint": Operation(self.describe, _NAME, _RESOURCE),
            "ListEndpoints": Operation(self.list_page, listing.STATUS_LIST),
            "UpdateEndpoint": Operation(self.update, _UPDATE, _RESOURCE),
            "DeleteEndpoint": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Start the servers of a configuration; Creating until they are healthy."""
        asked, scope = request.parameters, request.scope
        name = asked["EndpointName"]
        arn = scope.arn("endpoint", name)
        self._core.require_tagging(request, arn)
        self._authorise_config(request)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, name) is not None:
                raise errors.validation(f'Cannot create already existing endpoint "{arn}".')
            config = self._configs.require(scope, asked["EndpointConfigName"])
            fleet = self._builder.build(scope, name, config)
            record = EndpointRecord(
                scope,
                name,
                arn,
                asked,
                now,
                now,
                "Creating",
                tag_map(asked.get("Tags")),
                deployment=asked.get("DeploymentConfig"),
            )
            self._core.take(record, fleets.takes(fleet))
            self._table.add(record)
            self._roll_out(record, fleet, durations.ENDPOINT_CREATE)
        return {"EndpointArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Start a second fleet beside the first and switch when it is healthy; back to the first when it is not."""
        asked, scope = request.parameters, request.scope
        self._authorise_config(request)
        with self._core.store.lock:
            record = self.require(scope, asked["EndpointName"])
            self._require_settled(record)
            if record.fleet is None:
                # Failed: "DeleteEndpoint is the only operation that can be performed" ([B] EndpointStatus)
                raise errors.validation(f'Cannot update endpoint "{record.arn}" in status {record.status}.')
            # the configuration in use must still exist ([R] terraform-provider-aws issues 40048, 48997)
            self._configs.require(scope, record.fleet.config_name)
            config = self._configs.require(scope, asked["EndpointConfigName"])
            keep = deployment.kept(asked)
            fleet = self._builder.build(scope, record.name, config, record.fleet if keep else None, keep)
            scaling.check_update(self._core, scope, record.name, record.fleet, fleet)
            self._core.take(record, fleets.takes(fleet))
            record.deployment = asked.get("DeploymentConfig")
            self._change(record, "Updating")
            self._roll_out(record, fleet, durations.ENDPOINT_UPDATE + deployment.waits(record.deployment))
        return {"EndpointArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Deleting at once, gone when the servers have ended and the modelled time has passed."""
        with self._core.store.lock:
            self._require_settled(self.require(request.scope, request["EndpointName"]))
        scaling.deregister(self._core, request, request["EndpointName"])
        with self._core.store.lock:
            record = self.require(request.scope, request["EndpointName"])
            self._require_settled(record)
            fleet, record.fleet = record.fleet, None
            record.uses = {}
            self._change(record, "Deleting")
        if fleet:
            self._builder.stop_billing(record.arn, fleet)
        gone = partial(self._forget, record)
        self._core.in_background(partial(self._ending.run, fleet, record.name, gone))
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Status, what serves, and what is being rolled out."""
        with self._core.store.lock:
            record = self.require(request.scope, request["EndpointName"])
            return {
                **_summary(record),
                **fleets.description(record.fleet),
                "EndpointConfigName": self._config_name(record),
                "FailureReason": record.failure[:_FAILURE_LIMIT] if record.failure else None,
                "LastDeploymentConfig": record.deployment,
                "PendingDeploymentSummary": (
                    fleets.pending(record.rollout.fleet, record.rollout.started) if record.rollout else None
                ),
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def require(self, scope: Scope, name: str) -> EndpointRecord:
        """The endpoint of this name. Raises AWS's ValidationException when there is none."""
        record = self._table.get(scope, name)
        if record is None:
            raise errors.validation(f'Could not find endpoint "{scope.arn("endpoint", name)}".')
        return record

    def serving(self, scope: Scope, name: str) -> Fleet | None:
        """The fleet that answers invocations now, None when there is none."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            return record.fleet if record else None

    def capture_of(self, scope: Scope, name: str) -> CaptureSource | None:
        """Where this endpoint's requests are (or will be) captured; None: no such endpoint, or no capture."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            fleet = record and (record.fleet or (record.rollout.fleet if record.rollout else None))
            if not fleet or not fleet.capture:
                return None
            variants = tuple(variant.name for variant in fleet.variants)
            return CaptureSource(name, fleet.capture.settings.destination, variants)

    def system_update(self, name: str, seconds: float) -> None:
        """Let AWS update the platform of the endpoint (wherever it is), as it may at any time: SystemUpdating.

        It serves on, and can be neither updated nor deleted until that is over ([B] EndpointStatus). Raises ValueError
        unless there is one endpoint of this name, InService.
        """
        with self._core.store.lock:
            found = [record for record in self._table.all() if record.name == name]
            if len(found) != 1 or found[0].status != "InService":
                raise ValueError(f"{name!r} is no endpoint InService, or more than one")
            self._change(found[0], "SystemUpdating")
            end = partial(self._system_updated, found[0])
            self._core.clock.call_later(seconds, end, kind="settle")

    def variant_type(self, scope: Scope, name: str, variant: str) -> str | None:
        """The instance type of a variant that serves or is being started; None when there is none."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            fleet = record and (record.fleet or (record.rollout and record.rollout.fleet))
            variants = fleet.variants if fleet else ()
            return next((found.instance_type for found in variants if found.name == variant), None)

    def reset(self) -> None:
        """End every server and forget every record."""
        with self._core.store.lock:
            records = self._table.all()
            self._table.clear()
        for record in records:
            rollout = record.rollout
            if rollout and rollout.timer:
                rollout.timer.cancel()
            for fleet in (record.fleet, rollout.fleet if rollout else None):
                if fleet:
                    self._core.in_background(fleet.stop)

    def _authorise_config(self, request: Request) -> None:
        """Create and update are authorised on the endpoint and on the configuration (service authorization)."""
        arn = request.scope.arn("endpoint-config", request["EndpointConfigName"])
        self._core.require_permission(request, f"sagemaker:{request.operation}", arn)

    def _require_settled(self, record: EndpointRecord) -> None:
        if record.status in IN_PROGRESS:
            raise errors.validation(f'Cannot update in-progress endpoint "{record.arn}".')

    def _config_name(self, record: EndpointRecord) -> str:
        """The configuration that serves; before anything does, the one asked for."""
        return record.fleet.config_name if record.fleet else str(record.request["EndpointConfigName"])

    def _change(self, record: EndpointRecord, status: str) -> None:
        record.status = status
        record.modified = self._core.clock.now()
        self._core.store.changed.notify_all()

    def _roll_out(self, record: EndpointRecord, fleet: Fleet, seconds: float) -> None:
        """Start the servers on a thread and the modelled time on the clock. Hold the lock."""
        rollout = Rollout(fleet, self._core.clock.now())
        record.rollout = rollout
        rollout.timer = self._core.clock.call_later(seconds, partial(self._time_passed, record, rollout), kind="settle")
        self._core.in_background(partial(self._start, record, rollout))

    def _time_passed(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            rollout.waited = True
            self._settle(record, rollout)

    def _start(self, record: EndpointRecord, rollout: Rollout) -> None:
        """Bring the servers up; on a thread of its own."""
        failure = None
        try:
            rollout.fleet.start(self._core.backend)
        except StartFailed as reason:
            failure = str(reason)
        # whatever is wrong here is localcloud's fault and must end the rollout, or it would go on for ever
        except Exception as error:
            logger.exception("the servers of %s could not be started", record.arn)
            failure = f"[localcloud] {error}"
        with self._core.store.lock:
            if self._table.get(record.scope, record.name) is record:
                rollout.ready, rollout.failure = failure is None, failure
                self._settle(record, rollout)
                return
        rollout.fleet.stop()  # the service was reset meanwhile

    def _settle(self, record: EndpointRecord, rollout: Rollout) -> None:
        """Go on when both the clock and the servers are ready. Hold the lock."""
        if record.rollout is not rollout:
            return
        if rollout.failure is not None:
            if rollout.timer:
                rollout.timer.cancel()
            # AWS restarts a crashing container for a long time before it gives up
            patience = min(durations.ENDPOINT_CRASH_LOOP, deployment.time_limit(record.deployment))
            give_up = partial(self._give_up, record, rollout)
            rollout.timer = self._core.clock.call_later(patience, give_up, kind="settle")
        elif rollout.ready and rollout.waited:
            old, record.fleet, record.rollout, record.failure = record.fleet, rollout.fleet, None, None
            if old:
                self._builder.stop_billing(record.arn, old)
                self._core.in_background(old.drain)
            self._builder.start_billing(record.arn, rollout.fleet, record.tags)
            record.uses = fleets.takes(rollout.fleet)
            self._change(record, "InService")

    def _give_up(self, record: EndpointRecord, rollout: Rollout) -> None:
        """A first deployment fails; an update goes back to the servers that still run."""
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            record.failure = rollout.failure
            if record.fleet is None:
                record.rollout = None
                record.uses = {}
                self._change(record, "Failed")
                return
            self._change(record, "RollingBack")
            back = partial(self._rolled_back, record, rollout)
            rollout.timer = self._core.clock.call_later(durations.ENDPOINT_ROLLBACK, back, kind="settle")

    def _rolled_back(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            if record.rollout is rollout and record.fleet:
                record.rollout = None
                record.uses = fleets.takes(record.fleet)
                self._change(record, "InService")

    def _system_updated(self, record: EndpointRecord) -> None:
        with self._core.store.lock:
            if record.status == "SystemUpdating":
                self._change(record, "InService")

    def _forget(self, record: EndpointRecord) -> None:
        with self._core.store.lock:
            self._table.remove(record)


def _summary(record: EndpointRecord) -> dict[str, Any]:
    return {
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "EndpointStatus": record.status,
    }
