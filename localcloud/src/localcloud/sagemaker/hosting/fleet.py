"""The servers of one endpoint configuration, and which variant answers a request."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from localcloud.sagemaker.hosting import asynchronous, instances
from localcloud.sagemaker.hosting.capture import Capture
from localcloud.sagemaker.hosting.instances import DRAIN_SECONDS, Instances
from localcloud.sagemaker.hosting.serverless import OnDemand, Settings
from localcloud.sagemaker.hosting.traffic import VARIANTS, Draw
from localcloud.sagemaker.ports import Backend, Reply, Scope, Server, StartFailed, VariantSpec


@dataclass
class Variant:
    """One production variant: what is asked for and the servers that stand for its instances.

    There is a process for each instance up to a limit (``instances.process_limit``); the instance count is what is
    billed and reported.
    """

    spec: VariantSpec
    weight: float
    instance_type: str
    instance_count: int
    volume_gb: int | None = None
    #: epoch seconds at which the image was resolved, for DeployedImages
    resolved: float = 0.0
    #: what an UpdateEndpointWeightsAndCapacities on its way asks for; None: nothing else than there is
    desired_weight: float | None = None
    desired_count: int | None = None
    instances: Instances = field(default_factory=Instances)
    #: instead of instances: what a serverless variant is, and its servers
    serverless: Settings | None = None
    on_demand: OnDemand | None = None

    @property
    def name(self) -> str:
        """VariantName."""
        return self.spec.variant

    def grow(self, scope: Scope, backend: Backend, count: int) -> None:
        """Start what is missing to so many instances. Raises StartFailed with nothing changed."""
        if self.on_demand:
            self.on_demand.prepare(partial(backend.start_server, scope, self.spec))
            return
        self.instances.add(self.start_missing(scope, backend, count))

    def start_missing(self, scope: Scope, backend: Backend, count: int) -> list[Server]:
        """Start what is missing to so many instances; they take no requests yet. Raises StartFailed."""
        missing = instances.processes_for(count) - len(self.instances)
        return instances.start([partial(backend.start_server, scope, self.spec)] * missing)

    def shrink(self, count: int) -> Callable[[], None]:
        """Give requests to the processes of so many instances alone; what is returned ends the others."""
        return self.instances.shrink(instances.processes_for(count))

    def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
        """One request to one of the servers; ``limit`` as ``ports.Server``. Raises Unreachable, Throttled."""
        if self.on_demand:
            return self.on_demand.invoke(body, headers)
        return self.instances.invoke(body, headers, limit)

    def stop(self) -> None:
        """End every server now."""
        (self.on_demand or self.instances).stop()


@dataclass
class Fleet:
    """All variants of an endpoint under one configuration."""

    scope: Scope
    config_name: str
    variants: Sequence[Variant]
    capture: Capture | None
    asynchronous: asynchronous.Settings | None = None
    _in_flight: int = 0
    _closed: bool = False
    _idle: threading.Condition = field(default_factory=threading.Condition)
    _draw: Draw = field(init=False)

    def __post_init__(self) -> None:
        """Make the choice of variants repeatable."""
        self._draw = Draw(self.config_name, VARIANTS)

    def start(self, backend: Backend, share: float = 1.0) -> None:
        """Start the servers of a part of the instances and wait until all are healthy.

        Raises StartFailed with none left running.
        """
        try:
            for variant in self.variants:
                variant.grow(self.scope, backend, part(variant.instance_count, share))
        except StartFailed:
            self.stop()
            raise

    def choose(self, target: str | None) -> Variant | None:
        """The variant named by TargetVariant, or one by weight; None when there is no such variant."""
        if target is not None:
            return next((variant for variant in self.variants if variant.name == target), None)
        if len(self.variants) == 1:
            return self.variants[0]
        return self._draw.choose(self.variants, [variant.weight for variant in self.variants])

    def enter(self) -> bool:
        """Begin to answer a request; False when the fleet is being replaced or ended. ``leave`` afterwards."""
        with self._idle:
            if not self._closed:
                self._in_flight += 1
            return not self._closed

    def leave(self) -> None:
        """A request is answered."""
        with self._idle:
            self._in_flight -= 1
            if self._closed:
                self._idle.notify_all()

    def drain(self, *, keep_capture: bool = False) -> None:
        """Wait for the requests being answered, write what is captured (or keep it for later), end the servers."""
        deadline = time.monotonic() + DRAIN_SECONDS
        with self._idle:
            self._closed = True
            while self._in_flight and time.monotonic() < deadline:
                self._idle.wait(deadline - time.monotonic())
        if self.capture and keep_capture:
            self.capture.hold()
        elif self.capture:
            self.capture.flush()
        self.stop()

    def stop(self) -> None:
        """End every server now."""
        for variant in self.variants:
            variant.stop()


def part(count: int, share: float) -> int:
    """A share of so many instances, in whole ones."""
    return math.ceil(count * share - 1e-9)
