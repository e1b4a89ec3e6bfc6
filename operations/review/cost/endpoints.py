"""Endpoints: instances that run whether or not anybody asks, and what is billed by request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operations.review.assembly import Resource, Stack
from operations.review.cost.line import Line
from operations.review.cost.reading import at, mapping, number, sequence, target, text, word
from operations.review.cost.scene import Scene
from sandcastle.config.catalogue import HOURS_PER_MONTH

CONFIG = "AWS::SageMaker::EndpointConfig"


def endpoint(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what each variant costs, by the configuration that the endpoint has."""
    config = _config(scene.stack, resource.properties.get("EndpointConfigName"))
    if config is None:
        yield scene.unpriced(resource, "instances", "endpoint", "fixed", "its configuration is not in its stack")
        return
    keys = ("ProductionVariants", "ShadowProductionVariants")
    variants = [mapping(one) for key in keys for one in sequence(config.properties.get(key))]
    if not variants:
        yield scene.unpriced(resource, "instances", "endpoint", "fixed", "its variants are only known at the deploy")
    for variant in variants:
        name = word(variant.get("VariantName"), scene.stack) or "?"
        what = "endpoint" if len(variants) == 1 else f"endpoint, variant {name}"
        if "ServerlessConfig" in variant:
            yield from _serverless(scene, resource, name, what, mapping(variant["ServerlessConfig"]))
        else:
            yield from _on_instances(scene, resource, name, what, variant)


def standing(scene: Scene, resource: Resource, name: str, what: str, instance: str | None, count: float | None) -> Line:
    """Return the line of instances that run all month; none of them is nothing, whatever one would cost."""
    if count == 0:
        return scene.line(
            resource, f"instances {name}", f"{what}, none at rest", "fixed", 0.0, assumption="scaled to 0"
        )
    size = "?" if count is None else f"{count:g}"
    hours = None if count is None else count * HOURS_PER_MONTH
    more = f"{what}, {size} x {instance or '?'}"
    return scene.instance(
        resource, f"instances {name}", more, "fixed", "hosting", instance, hours, f"{HOURS_PER_MONTH} h of each"
    )


def _on_instances(scene: Scene, resource: Resource, name: str, what: str, variant: Mapping[str, Any]) -> Iterator[Line]:
    instance = word(variant.get("InstanceType"), scene.stack)
    least, most = _limits(scene.stack, resource, name)
    count = number(variant.get("InitialInstanceCount", 1), scene.stack) if least is None else least
    line = standing(scene, resource, name, what, instance, count)
    yield line
    if away := scene.night(line):
        yield away
    if most is not None and (count is None or most > count):
        hours = scene.assumed.busy_hours
        how = f"{hours:g} h a month of one more; scaling goes up to {most:g}"
        yield scene.instance(
            resource, f"scaling {name}", f"{what}, each further instance", "use", "hosting", instance, hours, how
        )
    disk = number(variant.get("VolumeSizeInGB"), scene.stack)
    if disk and count:
        yield scene.item(
            resource, f"disk {name}", f"{what}, disks", "fixed", "endpoint storage", disk * count, f"{disk:g} GB each"
        )


def _serverless(scene: Scene, resource: Resource, name: str, what: str, config: Mapping[str, Any]) -> Iterator[Line]:
    memory, assumed = number(config.get("MemorySizeInMB"), scene.stack), scene.assumed
    size = None if memory is None else memory / 1024
    units = None if size is None else size * assumed.requests * assumed.request_seconds
    how = f"{assumed.requests:,.0f} requests a month, {assumed.request_seconds:g} s each" + (
        "" if size is None else f", {size:g} GB"
    )
    yield scene.item(resource, f"requests {name}", f"{what}, serverless", "use", "serverless inference", units, how)
    if number(config.get("ProvisionedConcurrency"), scene.stack) != 0 and "ProvisionedConcurrency" in config:
        yield scene.unpriced(resource, f"ready {name}", "serverless concurrency that is kept ready", "fixed")


def _limits(stack: Stack, resource: Resource, variant: str) -> tuple[float | None, float | None]:
    """Return the fewest and the most instances that scaling gives a variant, None without scaling."""
    for one in stack.resources.values():
        if one.type != "AWS::ApplicationAutoScaling::ScalableTarget":
            continue
        which = one.properties.get("ResourceId")
        if text(which).endswith(f"/variant/{variant}") and target(which) == resource.logical_id:
            return number(one.properties.get("MinCapacity"), stack), number(one.properties.get("MaxCapacity"), stack)
    return None, None


def _config(stack: Stack, name: Any) -> Resource | None:
    """Return the configuration that a reference or a name means."""
    found = stack.resources.get(target(name) or "")
    if found is not None and found.type == CONFIG:
        return found
    known = word(name, stack)
    named = (one for one in stack.resources.values() if one.type == CONFIG)
    return next((one for one in named if known and one.properties.get("EndpointConfigName") == known), None)


def deployed_by_pipeline(scene: Scene, resource: Resource) -> Line | None:
    """Return the line of the endpoint that a pipeline's function makes once a run was good enough, if it is one."""
    variables = at(resource.properties, "Environment", "Variables")
    if not {"ENDPOINT", "INSTANCE", "INSTANCES"} <= set(mapping(variables)):
        return None
    count = number(variables["INSTANCES"], scene.stack)
    line = standing(scene, resource, "main", "endpoint", word(variables["INSTANCE"], scene.stack), count)
    return line.changed(assumption=f"{line.assumption}, once a run has deployed it") if line.monthly else line
