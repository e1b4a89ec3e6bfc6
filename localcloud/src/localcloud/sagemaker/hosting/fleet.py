"""The servers of one endpoint configuration, and which of them answers a request."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from localcloud.sagemaker.hosting.capture import Capture
from localcloud.sagemaker.ports import Backend, Scope, Server, StartFailed, VariantSpec

#: a request may take 60 s; an old fleet waits that long for its last answers before its servers end
_DRAIN_SECONDS = 60.0


@dataclass
class Variant:
    """One production variant: what is asked for and the server that stands for its instances.

    One server answers for all instances of a variant; the instance count is what is billed and reported.
    """

    spec: VariantSpec
    weight: float
    instance_type: str
    instance_count: int
    volume_gb: int | None = None
    server: Server | None = None
    #: epoch seconds at which the image was resolved, for DeployedImages
    resolved: float = 0.0

    @property
    def name(self) -> str:
        """VariantName."""
        return self.spec.variant


@dataclass
class Fleet:
    """All variants of an endpoint under one configuration."""

    scope: Scope
    config_name: str
    variants: Sequence[Variant]
    capture: Capture | None
    _in_flight: int = 0
    _closed: bool = False
    _idle: threading.Condition = field(default_factory=threading.Condition)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Make the choice of variants repeatable."""
        # seeded by the configuration, so that a run can be repeated; traffic shares are no secret
        self._random = random.Random(self.config_name)  # noqa: S311

    def start(self, backend: Backend) -> None:
        """Start every server and wait until all are healthy. Raises StartFailed with none left running."""
        try:
            for variant in self.variants:
                variant.server = backend.start_server(self.scope, variant.spec)
        except StartFailed:
            self.stop()
            raise

    def choose(self, target: str | None) -> Variant | None:
        """The variant named by TargetVariant, or one by weight; None when there is no such variant."""
        if target is not None:
            return next((variant for variant in self.variants if variant.name == target), None)
        if len(self.variants) == 1:
            return self.variants[0]
        weights = [variant.weight for variant in self.variants]
        with self._idle:
            # all weights zero: no share is asked for, so every variant gets the same
            return self._random.choices(self.variants, weights if any(weights) else None)[0]

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
            self._idle.notify_all()

    def drain(self, *, keep_capture: bool = False) -> None:
        """Wait for the requests being answered, write what is captured (or keep it for later), end the servers."""
        deadline = time.monotonic() + _DRAIN_SECONDS
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
            if variant.server:
                variant.server.stop()
                variant.server = None
