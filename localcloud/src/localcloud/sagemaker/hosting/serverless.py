"""Serverless variants: a server when somebody asks, none when nobody has asked for a while.

The first request after a pause waits for a server to start, which OverheadLatency and ModelSetupTime show; requests
beyond MaxConcurrency are throttled; what is billed is the time of inference, by the millisecond and the memory size
([DG] serverless-endpoints). ProvisionedConcurrency keeps servers running, and is billed for as long.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from localcloud.clock import Clock, Timer
from localcloud.meter import Meter
from localcloud.sagemaker import durations, errors
from localcloud.sagemaker.hosting.instances import process_limit, start
from localcloud.sagemaker.ports import Reply, Server, StartFailed, Unreachable

#: what MemorySizeInMB may be ([DG] serverless-endpoints; the service model only has the smallest and the largest)
MEMORY_SIZES = tuple(range(1024, 6145, 1024))
#: a request's body, bytes ([DG] serverless-endpoints-monitoring: 4 MB)
BODY_LIMIT = 4 * 1024 * 1024


class Throttled(Exception):
    """As many requests are being answered as MaxConcurrency allows."""


@dataclass(frozen=True)
class Settings:
    """A ServerlessConfig."""

    memory_mb: int
    max_concurrency: int
    #: servers that run all the time
    provisioned: int

    @classmethod
    def of(cls, variant: Mapping[str, Any]) -> Settings | None:
        """The settings of a production variant; None for one on instances."""
        config = variant.get("ServerlessConfig")
        if config is None:
            return None
        return cls(config["MemorySizeInMB"], config["MaxConcurrency"], config.get("ProvisionedConcurrency", 0))

    def as_request(self) -> dict[str, int]:
        """ServerlessConfig as Describe shows it."""
        shown = {"MemorySizeInMB": self.memory_mb, "MaxConcurrency": self.max_concurrency}
        return {**shown, "ProvisionedConcurrency": self.provisioned} if self.provisioned else shown


def check(config: Mapping[str, Any]) -> None:
    """What an endpoint configuration with a serverless variant may not have. Raises ValidationException.

    The exclusions are those of [DG] serverless-endpoints ("Feature exclusions"); the texts are ours.
    """
    variants: Sequence[Mapping[str, Any]] = config["ProductionVariants"]
    serverless = [variant for variant in variants if variant.get("ServerlessConfig")]
    if not serverless:
        return
    if len(variants) > 1:
        raise errors.validation("A serverless endpoint can have only one production variant.")
    [variant] = serverless
    name, settings = variant["VariantName"], Settings.of(variant)
    for member in ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB", "AcceleratorType"):
        if member in variant:
            raise errors.validation(f"{member} cannot be set for the serverless production variant {name}.")
    if settings and settings.memory_mb not in MEMORY_SIZES:
        sizes = ", ".join(map(str, MEMORY_SIZES))
        raise errors.validation(f"MemorySizeInMB {settings.memory_mb} is not supported. Valid values are: {sizes}.")
    if settings and settings.provisioned > settings.max_concurrency:
        raise errors.validation(f"ProvisionedConcurrency of variant {name} cannot be greater than its MaxConcurrency.")
    for member in ("DataCaptureConfig", "AsyncInferenceConfig", "VpcConfig", "ShadowProductionVariants"):
        if config.get(member):
            raise errors.validation(f"{member} is not supported for serverless endpoints.")


class _Variant(Protocol):
    @property
    def serverless(self) -> Settings | None: ...


def check_update(old: Sequence[_Variant], new: Sequence[_Variant], deployment: Mapping[str, Any] | None) -> None:
    """An endpoint on instances does not become serverless ([DG] serverless-endpoints; texts ours).

    Raises ValidationException.
    """
    if not any(variant.serverless for variant in new):
        return
    if not any(variant.serverless for variant in old):
        raise errors.validation("An endpoint on instances cannot be updated to a serverless endpoint.")
    if deployment:
        raise errors.not_supported("UpdateEndpoint", "DeploymentConfig of a serverless endpoint")


@dataclass(eq=False)
class _Running:
    server: Server
    in_flight: int = 0


class OnDemand:
    """The servers of one serverless variant. Safe from any thread.

    AWS has one for each request that is being answered; here there are at most ``instances.process_limit``, which
    answer further requests side by side.
    """

    def __init__(self, settings: Settings, clock: Clock, run: Callable[[Callable[[], object]], object]) -> None:
        """Nothing runs. ``run`` takes work off the clock's thread."""
        self._settings = settings
        self._clock = clock
        self._run = run
        self._starter: Callable[[], Server] | None = None
        self._running: list[_Running] = []
        self._starting = 0
        self._answering = 0
        self._timer: Timer | None = None
        self._free = threading.Condition()
        #: told the seconds of each inference
        self.bill: Callable[[float], object] = lambda _seconds: None

    @property
    def concurrency(self) -> float:
        """The part of MaxConcurrency that is in use."""
        return self._answering / self._settings.max_concurrency

    def prepare(self, starter: Callable[[], Server]) -> None:
        """Start a server to see that it works, and keep as many as are provisioned. Raises StartFailed."""
        keep = min(self._settings.provisioned, process_limit())
        servers = start([starter] * max(1, keep))
        with self._free:
            self._starter = starter
            self._running = [_Running(server) for server in servers[:keep]]
        for server in servers[keep:]:
            server.stop()

    def invoke(self, body: bytes, headers: dict[str, str]) -> Reply:
        """One request; starts a server when none is free. Raises Throttled, Unreachable."""
        with self._free:
            if self._answering >= self._settings.max_concurrency:
                raise Throttled
            self._answering += 1
            if self._timer:
                self._timer.cancel()
                self._timer = None
        try:
            taken, setup_ms = self._take()
            try:
                reply = taken.server.invoke(body, headers)
            finally:
                self._give_back(taken)
            self.bill(math.ceil(reply.latency_ms) / 1000)
            return replace(reply, setup_ms=setup_ms)
        finally:
            with self._free:
                self._answering -= 1
                if self._answering == 0 and self._starter is not None:
                    due = durations.SERVERLESS_IDLE
                    self._timer = self._clock.call_later(due, lambda: self._run(self._rest), kind="calendar")

    def stop(self) -> None:
        """End every server; nothing is started any more."""
        with self._free:
            leaving, self._running, self._starter = self._running, [], None
            if self._timer:
                self._timer.cancel()
            self._free.notify_all()
        for running in leaving:
            running.server.stop()

    def _take(self) -> tuple[_Running, float]:
        """A server for a request, and the milliseconds that it took to start. Raises Unreachable."""
        with self._free:
            while True:
                if self._starter is None:
                    raise Unreachable("the endpoint has ended")
                idle = min(self._running, key=lambda running: running.in_flight, default=None)
                full = len(self._running) + self._starting >= process_limit()
                if idle and (full or not idle.in_flight):
                    idle.in_flight += 1
                    return idle, 0.0
                if not full:
                    break
                self._free.wait()
            self._starting += 1
            starter = self._starter
        return self._start(starter)

    def _start(self, starter: Callable[[], Server]) -> tuple[_Running, float]:
        began = time.perf_counter()
        made = None
        try:
            made = _Running(starter(), 1)
        except StartFailed as reason:
            raise Unreachable(str(reason)) from None
        finally:
            with self._free:
                self._starting -= 1
                ended = self._starter is None
                if made and not ended:
                    self._running.append(made)
                self._free.notify_all()
        if ended:
            made.server.stop()
            raise Unreachable("the endpoint has ended")
        return made, (time.perf_counter() - began) * 1000

    def _give_back(self, taken: _Running) -> None:
        with self._free:
            taken.in_flight -= 1
            self._free.notify_all()

    def _rest(self) -> None:
        """Nobody has asked for a while: end what is not provisioned."""
        with self._free:
            if self._answering:
                return
            keep = min(self._settings.provisioned, process_limit())
            leaving, self._running = self._running[keep:], self._running[:keep]
        for running in leaving:
            running.server.stop()


def start_billing(
    meter: Meter, variant_arn: str, settings: Settings, servers: OnDemand, tags: Mapping[str, str]
) -> None:
    """Inference is billed as it happens, provisioned concurrency from now on."""
    rate = f"serverless {settings.memory_mb} MB"
    servers.bill = partial(meter.count, variant_arn, "serverless-inference", rate, tags)
    if settings.provisioned:
        kind, key = "serverless-provisioned", f"{rate} provisioned"
        meter.start(f"{variant_arn}/provisioned", kind, "second", key, tags, settings.provisioned)


def stop_billing(meter: Meter, variant_arn: str) -> None:
    """Provisioned concurrency is not billed any more; what was used stays on the meter."""
    meter.stop(f"{variant_arn}/provisioned")
