"""Endpoints: real servers behind a state machine.

    create: Creating -> InService | Failed
    update: InService -> Updating -> InService (new servers, the old ones end)
                                  -> RollingBack -> InService with FailureReason (the old ones stay)
            (``hosting.rollouts``; weights and instance counts alone: ``hosting.capacity``)
    delete: InService | Failed -> Deleting -> gone (``hosting.ending``)
    AWS:    InService -> SystemUpdating -> InService

A transition is over when its modelled time has passed and the servers really are up (or down). While it lasts the
endpoint can be neither updated nor deleted. Billing runs from InService until deletion begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, events, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.hosting import deployment, fleets, scaling, serverless
from localcloud.sagemaker.hosting.capacity import Capacities
from localcloud.sagemaker.hosting.ending import Ending
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.hosting.records import EndpointRecord, change
from localcloud.sagemaker.hosting.rollouts import Rollouts
from localcloud.sagemaker.kinds.endpoint_config import EndpointConfigs
from localcloud.sagemaker.kinds.model import Models
from localcloud.sagemaker.monitoring.analysis import CaptureSource
from localcloud.sagemaker.ports import AssumeDenied, Scope
from localcloud.sagemaker.store import Table, tag_map

_CREATE: Tree = {"EndpointName": ANY, "EndpointConfigName": ANY, "DeploymentConfig": deployment.SUPPORTED, "Tags": TAGS}
_UPDATE: Tree = {
    "EndpointName": ANY,
    "EndpointConfigName": ANY,
    "DeploymentConfig": deployment.SUPPORTED,
    "RetainAllVariantProperties": ANY,
    "ExcludeRetainedVariantProperties": ANY,
    "RetainDeploymentConfig": ANY,
}
_CAPACITIES: Tree = {
    "EndpointName": ANY,
    "DesiredWeightsAndCapacities": {"VariantName": ANY, "DesiredWeight": ANY, "DesiredInstanceCount": ANY},
}
_NAME: Tree = {"EndpointName": ANY}
_RESOURCE = ("endpoint", "EndpointName")
_LISTING = listing.Listing("Endpoints", "Descending")
#: statuses in which an endpoint can be neither updated nor deleted ([B] EndpointStatus, [R] the text)
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_FAILURE_LIMIT = 1024


class Endpoints:
    """Create, Describe, List, Update, Delete, and UpdateEndpointWeightsAndCapacities."""

    def __init__(self, core: Core, configs: EndpointConfigs, models: Models) -> None:
        """No endpoints yet; ``configs`` and ``models`` are what they are made from."""
        self._core = core
        self._configs = configs
        self._models = models
        self._builder = fleets.Builder(core, models)
        self._rollouts = Rollouts(core, self._builder)
        self._capacities = Capacities(core, self._builder)
        #: of the endpoints that are asynchronous
        self.queues = self._builder.queues
        self._ending = Ending(core)
        self._table: Table[EndpointRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateEndpoint": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeEndpoint": Operation(self.describe, _NAME, _RESOURCE),
            "ListEndpoints": Operation(self.list_page, listing.STATUS_LIST),
            "UpdateEndpoint": Operation(self.update, _UPDATE, _RESOURCE),
            "UpdateEndpointWeightsAndCapacities": Operation(self.update_capacities, _CAPACITIES, _RESOURCE),
            "DeleteEndpoint": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Start the servers of a configuration; Creating until they are healthy."""
        asked, scope = request.parameters, request.scope
        name = asked["EndpointName"]
        arn = scope.arn("endpoint", name)
        self._core.require_tagging(request, arn)
        self._authorise_config(request)
        self._check_alarms(request)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, name) is not None:
                raise errors.validation(f'Cannot create already existing endpoint "{arn}".')
            config = self._configs.require(scope, asked["EndpointConfigName"])
            fleet = self._builder.build(scope, name, config)
            deployment.plan(asked.get("DeploymentConfig"), _instances(fleet))  # refuses what no update could follow
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
                announce=self._announce,
            )
            self._core.take(record, fleets.takes(fleet))
            self._table.add(record)
            self._announce(record)
            self._rollouts.begin(record, fleet, deployment.Plan(), durations.ENDPOINT_CREATE)
        return {"EndpointArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Start a second fleet beside the first and give it the traffic, as the DeploymentConfig says.

        Back to the first when it does not come up, or when an alarm rings.
        """
        asked, scope = request.parameters, request.scope
        self._authorise_config(request)
        self._check_alarms(request)
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
            config_asked = asked.get("DeploymentConfig")
            if config_asked is None and asked.get("RetainDeploymentConfig"):
                config_asked = record.deployment
            serverless.check_update(record.fleet.variants, fleet.variants, config_asked)
            plan = deployment.plan(config_asked, _instances(fleet))
            self._core.take(record, fleets.takes(fleet))
            record.deployment = config_asked
            change(self._core, record, "Updating")
            self._rollouts.begin(record, fleet, plan, durations.ENDPOINT_UPDATE)
        return {"EndpointArn": record.arn}

    def update_capacities(self, request: Request) -> dict[str, Any]:
        """Other weights or instance counts for variants of the fleet that serves."""
        with self._core.store.lock:
            record = self.require(request.scope, request["EndpointName"])
            self._change_capacities(record, request["DesiredWeightsAndCapacities"])
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
            change(self._core, record, "Deleting")
        if fleet:
            self._builder.stop_billing(record.arn, fleet)
        gone = partial(self._forget, record)
        self._core.in_background(partial(self._ending.run, fleet, record.name, gone))
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Status, what serves, and what is being rolled out."""
        with self._core.store.lock:
            return self._description(self.require(request.scope, request["EndpointName"]))

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
        """The fleet that answers the next invocation, None when there is none."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            return record.answering() if record else None

    def capture_of(self, scope: Scope, name: str) -> CaptureSource | None:
        """Where this endpoint's requests are (or will be) captured; None: no such endpoint, or no capture."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            fleet = record and (record.fleet or (record.rollout.fleet if record.rollout else None))
            if not fleet or not fleet.capture:
                return None
            variants = tuple(variant.name for variant in fleet.variants)
            return CaptureSource(name, fleet.capture.settings.destination, variants)

    def flush_capture(self, scope: Scope, name: str) -> None:
        """Write what this endpoint has captured so far; nothing happens without an endpoint or a capture."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            capture = record.fleet.capture if record and record.fleet else None
        if capture:
            capture.flush()

    def system_update(self, name: str, seconds: float) -> None:
        """Let AWS update the platform of the endpoint (wherever it is), as it may at any time: SystemUpdating.

        It serves on, and can be neither updated nor deleted until that is over ([B] EndpointStatus). Raises ValueError
        unless there is one endpoint of this name, InService.
        """
        with self._core.store.lock:
            found = [record for record in self._table.all() if record.name == name]
            if len(found) != 1 or found[0].status != "InService":
                raise ValueError(f"{name!r} is no endpoint InService, or more than one")
            change(self._core, found[0], "SystemUpdating")
            end = partial(self._system_updated, found[0])
            self._core.clock.call_later(seconds, end, kind="settle")

    def variant_type(self, scope: Scope, name: str, variant: str) -> str | None:
        """The instance type of a variant that serves or is being started; None when there is none."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            fleet = record and (record.fleet or (record.rollout and record.rollout.fleet))
            variants = fleet.variants if fleet else ()
            return next((found.instance_type for found in variants if found.name == variant), None)

    def variant_count(self, scope: Scope, name: str, variant: str) -> int | None:
        """How many instances a variant in service has; None when there is none in service."""
        with self._core.store.lock:
            record = self._table.get(scope, name)
            variants = record.fleet.variants if record and record.fleet else ()
            return next((found.instance_count for found in variants if found.name == variant), None)

    def scale_variant(
        self, scope: Scope, name: str, variant: str, count: int, done: Callable[[str | None], None]
    ) -> None:
        """What Application Auto Scaling does; ``done`` hears how it ended. Raises ServiceError."""
        with self._core.store.lock:
            wanted = {"VariantName": variant, "DesiredInstanceCount": count}
            self._change_capacities(self.require(scope, name), [wanted], done)

    def reset(self) -> None:
        """End every server and forget every record."""
        with self._core.store.lock:
            records = self._table.all()
            self._table.clear()
            self.queues.reset()
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

    def _change_capacities(
        self,
        record: EndpointRecord,
        wanted: Sequence[Mapping[str, Any]],
        done: Callable[[str | None], None] | None = None,
    ) -> None:
        """Hold the lock."""
        self._require_settled(record)
        if record.fleet is None:
            raise errors.validation(f'Cannot update endpoint "{record.arn}" in status {record.status}.')
        least = 0 if record.fleet.asynchronous else 1
        self._capacities.begin(record, record.fleet, wanted, least, done)

    def _check_alarms(self, request: Request) -> None:
        """The alarms of a DeploymentConfig exist, and the models' roles may look at them ([DG] the note in
        deployment-guardrails-configuration; texts ours). Raises ValidationException. Hold no lock.
        """
        scope, config = request.scope, request.parameters.get("DeploymentConfig", {})
        names = [alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", ())]
        if not names:
            return
        for name, state in self._core.backend.alarm_states(scope, names).items():
            if state is None:
                raise errors.validation(f'Could not find CloudWatch alarm "{name}" of AutoRollbackConfiguration.')
        with self._core.store.lock:
            variants = self._configs.require(scope, request["EndpointConfigName"]).request["ProductionVariants"]
            models = [self._models.require(scope, variant["ModelName"]) for variant in variants]
        for role in dict.fromkeys(model.request["ExecutionRoleArn"] for model in models):
            try:
                credentials = self._core.backend.assume(role, "SageMaker")
            except AssumeDenied as reason:
                raise errors.validation(str(reason)) from None
            for name in names:
                arn = f"arn:aws:cloudwatch:{scope.region}:{scope.account}:alarm:{name}"
                denied = self._core.backend.denial(scope, credentials, "cloudwatch:DescribeAlarms", arn, {})
                if denied:
                    raise errors.validation(f"The alarms of AutoRollbackConfiguration cannot be read. {denied}")

    def _require_settled(self, record: EndpointRecord) -> None:
        if record.status in IN_PROGRESS:
            raise errors.validation(f'Cannot update in-progress endpoint "{record.arn}".')

    def _description(self, record: EndpointRecord) -> dict[str, Any]:
        return {
            **_summary(record),
            **fleets.description(record.fleet),
            "EndpointConfigName": self._config_name(record),
            "FailureReason": record.failure[:_FAILURE_LIMIT] if record.failure else None,
            "LastDeploymentConfig": record.deployment,
            "PendingDeploymentSummary": fleets.pending(record.rollout) if record.rollout else None,
        }

    def _announce(self, record: EndpointRecord) -> None:
        """Hold the lock."""
        detail = events.described("DescribeEndpoint", self._description(record), record)
        detail["EndpointStatus"] = events.upper_snake(record.status)
        self._core.announce(record.scope, "SageMaker Endpoint State Change", [record.arn], detail)

    def _config_name(self, record: EndpointRecord) -> str:
        """The configuration that serves; before anything does, the one asked for."""
        return record.fleet.config_name if record.fleet else str(record.request["EndpointConfigName"])

    def _system_updated(self, record: EndpointRecord) -> None:
        with self._core.store.lock:
            if record.status == "SystemUpdating":
                change(self._core, record, "InService")

    def _forget(self, record: EndpointRecord) -> None:
        with self._core.store.lock:
            self._table.remove(record)


def _instances(fleet: Fleet) -> int:
    """How many instances a fleet has in all."""
    return sum(variant.instance_count for variant in fleet.variants)


def _summary(record: EndpointRecord) -> dict[str, Any]:
    return {
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "EndpointStatus": record.status,
    }
