"""What is known of an endpoint: the fleet that serves, and the one that is on its way into service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker.core import Core
from localcloud.sagemaker.hosting.deployment import Plan
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.hosting.traffic import FLEETS, Draw
from localcloud.sagemaker.ports import Timer
from localcloud.sagemaker.store import Record


@dataclass(eq=False)
class Rollout:
    """A fleet on its way into service."""

    fleet: Fleet
    plan: Plan
    started: float
    #: VariantStatus of the new fleet's variants, and since when
    stage: str = "Creating"
    since: float = 0.0
    timer: Timer | None = None
    #: the modelled time has passed
    waited: bool = False
    #: the servers are healthy
    ready: bool = False
    failure: str | None = None
    #: the part of the requests that the new fleet answers, and which step of the plan that is
    share: float = 0.0
    step: int = 0
    draw: Draw = field(init=False)

    def __post_init__(self) -> None:
        """The first stage begins with the rollout."""
        self.since = self.started
        self.draw = Draw(self.fleet.config_name, FLEETS)

    def enter(self, stage: str, moment: float) -> None:
        """Another stage begins; epoch seconds."""
        self.stage, self.since = stage, moment


@dataclass(eq=False)
class EndpointRecord(Record):
    """One endpoint."""

    fleet: Fleet | None = None
    rollout: Rollout | None = None
    failure: str | None = None
    deployment: dict[str, Any] | None = None
    #: tells EventBridge the status that it has now
    announce: Callable[[EndpointRecord], None] = lambda _: None

    def answering(self) -> Fleet | None:
        """The fleet for the next request: while an update shifts traffic, the new one gets its share."""
        rollout = self.rollout
        if rollout and self.fleet and rollout.share and rollout.draw.next() < rollout.share:
            return rollout.fleet
        return self.fleet


def change(core: Core, record: EndpointRecord, status: str) -> None:
    """The endpoint is in another status from now on. Hold the lock."""
    record.status = status
    record.modified = core.clock.now()
    record.announce(record)
    core.store.changed.notify_all()
