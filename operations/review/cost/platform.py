"""What is no SageMaker: storage, network, keys, alarms, functions and state machines."""

from __future__ import annotations

from collections.abc import Iterator

from operations.review.assembly import Resource
from operations.review.cost.endpoints import deployed_by_pipeline
from operations.review.cost.line import Line
from operations.review.cost.monitors import watched_by_pipeline
from operations.review.cost.reading import at, mapping, number, sequence, text, word
from operations.review.cost.scene import Scene
from sandcastle.config.catalogue import HOURS_PER_MONTH

FREE_DASHBOARDS = 3
"""Of an account (CloudWatch's prices)."""

SCALING_ALARMS = 2
"""What target tracking makes by itself for each policy: one to grow, one to shrink (Application Auto Scaling)."""


def bucket(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what is kept in a bucket."""
    size = scene.assumed.stored_gb
    yield scene.item(resource, "content", "buckets", "storage", "s3 standard", size, f"{size:g} GB in each")


def file_system(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what is kept in a file system."""
    size = scene.assumed.stored_gb
    yield scene.item(resource, "content", "file systems", "storage", "efs standard", size, f"{size:g} GB in each")


def volume(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a volume, billed by its size."""
    kind = word(resource.properties.get("VolumeType", "gp2"), scene.stack) or "?"
    size = number(resource.properties.get("Size"), scene.stack)
    yield scene.item(resource, "size", f"volume, {kind}", "fixed", f"ebs {kind}", size, f"{size or 0:g} GB")


def vpc_endpoint(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield an interface endpoint by hour and zone, and what goes through it; gateway endpoints are free."""
    kind = resource.properties.get("VpcEndpointType", "Gateway")
    if kind == "Gateway":
        return
    name = text(resource.properties.get("ServiceName")).split(".", 3)[-1]
    if kind != "Interface":
        yield scene.unpriced(resource, "hours", f"VPC endpoint of kind {kind}", "fixed")
        return
    subnets = resource.properties.get("SubnetIds")
    zones = len(subnets) if isinstance(subnets, list) else None
    yield scene.item(
        resource, "hours", f"interface endpoint for {name}", "fixed", "interface endpoint",
        None if zones is None else zones * HOURS_PER_MONTH,
        "in how many zones is not known" if zones is None else f"{HOURS_PER_MONTH} h in each of {zones} zones",
    )  # fmt: skip
    size = scene.assumed.data_gb
    yield scene.item(
        resource, "data", "data through interface endpoints", "use", "interface endpoint data", size,
        f"{size:g} GB a month through each",
    )  # fmt: skip


def nat_gateway(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a NAT gateway by the hour, and what goes through it."""
    size = scene.assumed.data_gb
    yield scene.item(resource, "hours", "NAT gateway", "fixed", "nat gateway", HOURS_PER_MONTH, f"{HOURS_PER_MONTH} h")
    yield scene.item(
        resource,
        "data",
        "data through NAT gateways",
        "use",
        "nat gateway data",
        size,
        f"{size:g} GB a month through each",
    )


def address(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a public address."""
    yield scene.item(
        resource, "hours", "public IPv4 address", "fixed", "public ipv4", HOURS_PER_MONTH, f"{HOURS_PER_MONTH} h"
    )


def key(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a key, and requests to it."""
    times = scene.assumed.key_requests
    yield scene.item(resource, "month", "key", "fixed", "kms key", 1, "a month")
    yield scene.item(
        resource, "requests", "requests to keys", "use", "kms requests", times / 10_000, f"{times:,.0f} a month"
    )


def alarm(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield an alarm, billed by each metric that it watches; a period below a minute makes it a dearer one."""
    metrics = [mapping(one) for one in sequence(resource.properties.get("Metrics"))]
    watched = sum(1 for one in metrics if "MetricStat" in one) or 1
    periods = [resource.properties.get("Period"), *(at(one, "MetricStat", "Period") for one in metrics)]
    fast = any((number(one, scene.stack) or 60) < 60 for one in periods)
    item = "high-resolution alarm" if fast else "alarm"
    yield scene.item(resource, "month", f"{item}s", "fixed", item, watched, "a month each")


def scaling_policy(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield the alarms that target tracking makes by itself."""
    if resource.properties.get("PolicyType") == "TargetTrackingScaling":
        yield scene.item(
            resource,
            "alarms",
            "alarms of scaling",
            "fixed",
            "alarm",
            SCALING_ALARMS,
            f"{SCALING_ALARMS} for each variant",
        )


def dashboard(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a dashboard: free as long as the account has no more than three."""
    all_ = [one for one in scene.assembly.resources() if one.type == resource.type]
    if all_.index(resource) >= FREE_DASHBOARDS:
        yield scene.item(resource, "month", "dashboard", "fixed", "dashboard", 1, "beyond the three that are free")
        return
    how = f"one of the {FREE_DASHBOARDS} that an account has for nothing"
    yield scene.line(resource, "month", "dashboard", "fixed", 0.0, assumption=how)


def function(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a function's calls; and, for the one that deploys what a pipeline made, the endpoint and its monitors."""
    if "MONITOR_INSTANCE" in mapping(at(resource.properties, "Environment", "Variables")):
        if line := deployed_by_pipeline(scene, resource):
            yield line
            if away := scene.night(line):
                yield away
        yield from watched_by_pipeline(scene, resource)
    arm = "arm64" in sequence(resource.properties.get("Architectures"))
    memory, assumed = number(resource.properties.get("MemorySize", 128), scene.stack), scene.assumed
    how = f"{assumed.calls:,.0f} calls a month of each, {assumed.call_seconds:g} s long"
    units = None if memory is None else assumed.calls * assumed.call_seconds * memory / 1024
    item = "lambda compute arm" if arm else "lambda compute x86"
    compute = scene.item(resource, "calls", "functions", "use", item, units, how)
    calls = scene.item(resource, "calls", "functions", "use", "lambda requests", assumed.calls / 1e6, how)
    if compute.monthly is None or calls.monthly is None:
        yield compute if compute.monthly is None else calls
    else:
        yield compute.changed(monthly=compute.monthly + calls.monthly)


def state_machine(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a state machine's transitions."""
    if resource.properties.get("StateMachineType", "STANDARD") != "STANDARD":
        yield scene.unpriced(resource, "runs", "express state machine", "use")
        return
    times = scene.assumed.transitions
    yield scene.item(
        resource, "transitions", "state machines", "use", "step functions standard", times / 1000,
        f"{times:,.0f} transitions a month of each",
    )  # fmt: skip
