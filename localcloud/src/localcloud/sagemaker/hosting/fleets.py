"""From an endpoint configuration to a fleet: what to start, what to report, what to bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.sagemaker import quotas
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.hosting import asynchronous, serverless
from localcloud.sagemaker.hosting.capture import Capture, CaptureSettings
from localcloud.sagemaker.hosting.fleet import Fleet, Variant, part
from localcloud.sagemaker.hosting.queue import Queues
from localcloud.sagemaker.hosting.records import Rollout
from localcloud.sagemaker.kinds.model import Models, container_of, model_data
from localcloud.sagemaker.ports import Scope, VariantSpec
from localcloud.sagemaker.store import Record


class Builder:
    """Makes fleets and keeps the meter right about them."""

    def __init__(self, core: Core, models: Models) -> None:
        """``models`` are what variants serve."""
        self._core = core
        self._models = models
        self.queues = Queues(core)

    def build(
        self,
        scope: Scope,
        endpoint: str,
        config: Record,
        current: Fleet | None = None,
        keep: frozenset[str] = frozenset(),
    ) -> Fleet:
        """A fleet that is not started. Properties in ``keep`` come from ``current``. Hold the store's lock.

        Raises ValidationException when a model is gone.
        """
        asked = config.request
        kept = {variant.name: variant for variant in current.variants} if current else {}
        variants = [
            self._variant(scope, endpoint, variant, kept.get(variant["VariantName"]), keep)
            for variant in asked["ProductionVariants"]
        ]
        settings = CaptureSettings.of(asked.get("DataCaptureConfig"))
        if current and "DataCaptureConfig" in keep:
            settings = current.capture.settings if current.capture else None
        capture = None
        if settings:
            capture = Capture(
                scope,
                endpoint,
                settings,
                clock=self._core.clock,
                backend=self._core.backend,
                run=self._core.in_background,
            )
        return Fleet(scope, config.name, variants, capture, asynchronous.Settings.of(asked.get("AsyncInferenceConfig")))

    def start_billing(
        self, endpoint_arn: str, fleet: Fleet, tags: Mapping[str, str], *, pending: bool = False, share: float = 1.0
    ) -> None:
        """Instances and volumes run from now on; one line of the meter for each.

        ``pending``: they run beside the fleet in service; ``share``: so many of them.
        """
        if not pending:
            self.queues.serve(endpoint_arn.rpartition("/")[2], fleet)
        for variant in fleet.variants:
            if variant.serverless and variant.on_demand:
                arn = f"{endpoint_arn}/{variant.name}"
                serverless.start_billing(self._core.meter, arn, variant.serverless, variant.on_demand, tags)
                continue
            self.bill(endpoint_arn, variant, tags, pending=pending, share=share)

    def bill(
        self, endpoint_arn: str, variant: Variant, tags: Mapping[str, str], *, pending: bool = False, share: float = 1.0
    ) -> None:
        """The same for one variant; one without instances costs nothing."""
        arn, count = _line(endpoint_arn, variant, pending), part(variant.instance_count, share)
        if not count:
            self._stop(arn)
            return
        self._core.meter.start(arn, "endpoint-instance", "hour", f"{variant.instance_type} hosting", tags, count)
        if variant.volume_gb:
            size = variant.volume_gb * count
            self._core.meter.start(f"{arn}/volume", "endpoint-volume", "GB-month", "hosting volume", tags, size)

    def _stop(self, line: str) -> None:
        self._core.meter.stop(line)
        self._core.meter.stop(f"{line}/volume")

    def stop_billing(self, endpoint_arn: str, fleet: Fleet, *, pending: bool = False) -> None:
        """Nothing of this fleet is billed any more."""
        if not pending:
            self.queues.leave(endpoint_arn.rpartition("/")[2], fleet)
        for variant in fleet.variants:
            self._stop(_line(endpoint_arn, variant, pending))
            serverless.stop_billing(self._core.meter, f"{endpoint_arn}/{variant.name}")

    def _variant(
        self, scope: Scope, endpoint: str, asked: Mapping[str, Any], kept: Variant | None, keep: frozenset[str]
    ) -> Variant:
        found = self._models.require(scope, asked["ModelName"])
        model, container = found.request, container_of(found)
        spec = VariantSpec(
            endpoint=endpoint,
            variant=asked["VariantName"],
            image=container["Image"],
            model_data_url=model_data(container),
            environment=container.get("Environment", {}),
            role_arn=model["ExecutionRoleArn"],
            network_isolation=model.get("EnableNetworkIsolation", False),
        )
        variant = Variant(
            spec,
            asked.get("InitialVariantWeight", 1.0),
            asked.get("InstanceType", ""),
            asked.get("InitialInstanceCount", 0),
            asked.get("VolumeSizeInGB"),
            resolved=self._core.clock.now(),
        )
        settings = serverless.Settings.of(asked)
        if settings:
            variant.serverless = settings
            variant.on_demand = serverless.OnDemand(settings, self._core.clock, self._core.in_background)
            return variant
        if kept and "DesiredInstanceCount" in keep:
            variant.instance_count = kept.instance_count
        if kept and "DesiredWeight" in keep:
            variant.weight = kept.weight
        return variant


def takes(fleet: Fleet) -> dict[str, float]:
    """What a fleet takes of the account's quotas."""
    amounts: Counter[str] = Counter()
    for variant in fleet.variants:
        if not variant.serverless:
            amounts.update(takes_of(variant, variant.instance_count))
    return dict(amounts)


def takes_of(variant: Variant, instances: int) -> dict[str, int]:
    """What so many instances of a variant take."""
    names = quotas.instances(variant.instance_type, "endpoint"), "Number of instances across active endpoints"
    return dict.fromkeys(names, instances)


def description(fleet: Fleet | None) -> dict[str, Any]:
    """What DescribeEndpoint says about the fleet that serves."""
    if fleet is None:
        return {}
    settings = fleet.capture.settings if fleet.capture else None
    return {
        "ProductionVariants": list(_summaries(fleet)),
        "DataCaptureConfig": {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": settings.percentage,
            "DestinationS3Uri": settings.destination,
            "KmsKeyId": settings.kms_key,
        }
        if settings
        else None,
        "AsyncInferenceConfig": fleet.asynchronous.request if fleet.asynchronous else None,
    }


def pending(rollout: Rollout) -> dict[str, Any]:
    """PendingDeploymentSummary of a fleet that is being rolled out."""
    return {
        "EndpointConfigName": rollout.fleet.config_name,
        "ProductionVariants": list(_summaries(rollout.fleet, rollout)),
        "StartTime": rollout.started,
    }


def _line(endpoint_arn: str, variant: Variant, pending: bool) -> str:
    """What the meter calls the instances of a variant."""
    return f"{endpoint_arn}/{variant.name}" + ("/new-fleet" if pending else "")


def _up(variant: Variant, rollout: Rollout) -> int:
    """How many instances of a new fleet's variant there are."""
    if rollout.stage == "Creating":
        return 0
    return part(variant.instance_count, rollout.share if rollout.plan.rolling else 1.0)


def _summaries(fleet: Fleet, rollout: Rollout | None = None) -> Iterator[dict[str, Any]]:
    for variant in fleet.variants:
        image = {
            "SpecifiedImage": variant.spec.image,
            "ResolvedImage": variant.spec.image,
            "ResolutionTime": variant.resolved,
        }
        desired_weight, desired_count = variant.desired_weight, variant.desired_count
        shown = {
            "VariantName": variant.name,
            "DeployedImages": [image],
            "CurrentWeight": variant.weight,
            "DesiredWeight": variant.weight if desired_weight is None else desired_weight,
            "CurrentInstanceCount": _up(variant, rollout) if rollout else variant.instance_count,
            "DesiredInstanceCount": variant.instance_count if desired_count is None else desired_count,
            "InstanceType": variant.instance_type,
        }
        if variant.serverless:
            config = variant.serverless.as_request()
            shown = {
                "VariantName": variant.name,
                "DeployedImages": [image],
                "CurrentServerlessConfig": None if rollout else config,
                "DesiredServerlessConfig": config,
            }
        if rollout:
            shown["VariantStatus"] = [{"Status": rollout.stage, "StartTime": rollout.since}]
        yield shown
