"""The queue of an asynchronous endpoint: requests wait until an instance has time for them.

A queue belongs to an endpoint and outlives its updates. Without an instance requests wait for one, or until their
RequestTTLSeconds are over ([DG] async-inference).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localcloud.clock import Kind, Timer
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.hosting.asynchronous import Settings
from localcloud.sagemaker.hosting.fleet import Fleet, Variant
from localcloud.sagemaker.ports import MetricDatum, Scope

#: virtual seconds between two readings of the backlog
_TICK = 60.0


@dataclass(frozen=True)
class Asked:
    """One request as it waits."""

    inference_id: str
    #: unique also when callers give the same InferenceId twice
    number: str
    input: str
    #: what the container is told
    headers: Mapping[str, str]
    output: str
    failure: str | None
    #: virtual epoch seconds
    received: float
    expires: float
    #: real seconds that an inference may take
    timeout: float


#: does the work of a request; there is no variant for one that has waited for too long
Work = Callable[["Queue", Variant | None, Asked], None]


class Queue:
    """The requests of one endpoint. ``core.store.lock`` guards it: changes of capacity happen under that lock."""

    def __init__(self, core: Core, scope: Scope, endpoint: str, settings: Settings, work: Work) -> None:
        """Empty, and without a fleet. ``work`` is called on a thread of its own for each request."""
        self.scope = scope
        self.endpoint = endpoint
        self.settings = settings
        #: the execution role of the model that serves
        self.role = ""
        #: its endpoint configuration
        self.config = ""
        self._core = core
        self._work = work
        self._fleet: Fleet | None = None
        self._waiting: deque[Asked] = deque()
        self._running = 0
        self._dispatching = False
        self._tick: Timer | None = None

    def serve(self, fleet: Fleet, settings: Settings) -> None:
        """From now on this fleet answers. Hold the lock."""
        self._fleet, self.settings, self.config = fleet, settings, fleet.config_name
        self.role = fleet.variants[0].spec.role_arn
        self._core.store.changed.notify_all()
        if self._tick is None:
            self._again()

    def leave(self, fleet: Fleet) -> None:
        """The fleet answers no more; what waits when no other follows at once is lost. Hold the lock."""
        if self._fleet is fleet:
            self._fleet = None
            self._core.store.changed.notify_all()

    def close(self) -> None:
        """Nobody answers any more. Hold the lock."""
        self._fleet = None
        if self._tick:
            self._tick.cancel()
        self._core.store.changed.notify_all()

    def put(self, asked: Asked) -> None:
        """Let a request wait for its turn."""
        with self._core.store.lock:
            self._waiting.append(asked)
            self._core.clock.call_at(asked.expires, self._wake, kind="calendar")
            self._core.store.changed.notify_all()
            if not self._dispatching:
                self._dispatching = True
                threading.Thread(target=self._dispatch, name=f"async-{self.endpoint}", daemon=True).start()
            data = self._gauges()
            if self._fleet and self._kind() == "settle":
                self._again()
        self._core.in_background(lambda: self._core.backend.put_metrics(self.scope, data))

    def _wake(self) -> None:
        with self._core.store.lock:
            self._core.store.changed.notify_all()

    def _dispatch(self) -> None:
        """Hand out requests until none waits; on a thread of its own."""
        while True:
            with self._core.store.lock:
                found = self._next()
                while found is None:
                    if self._fleet is None:
                        self._waiting.clear()
                    if not self._waiting:
                        self._dispatching = False
                        return
                    # whoever changes capacity need not know of queues
                    self._core.store.changed.wait(1.0)
                    found = self._next()
                self._running += 1
            threading.Thread(target=self._run, args=found, name=f"async-{self.endpoint}", daemon=True).start()

    def _next(self) -> tuple[Asked, Variant | None, Fleet | None] | None:
        """The next request that can be worked on. Hold the lock."""
        now = self._core.clock.now()
        expired = next((asked for asked in self._waiting if asked.expires <= now), None)
        if expired:
            self._waiting.remove(expired)
            return expired, None, None
        fleet = self._fleet
        if not self._waiting or fleet is None:
            return None
        variant = fleet.variants[0]
        if self._running >= variant.instance_count * self.settings.concurrency or not len(variant.instances):
            return None
        return (self._waiting.popleft(), variant, fleet) if fleet.enter() else None

    def _run(self, asked: Asked, variant: Variant | None, fleet: Fleet | None) -> None:
        try:
            if variant:
                # it may have come for this request: alarms see it before anybody sees the answer, or they add another
                self._report()
            self._work(self, variant, asked)
        finally:
            if fleet:
                fleet.leave()
            with self._core.store.lock:
                self._running -= 1
                self._core.store.changed.notify_all()
            self._report()

    def _report(self) -> None:
        """Put the gauges as they are now. Hold no lock."""
        with self._core.store.lock:
            data = self._gauges()
        self._core.backend.put_metrics(self.scope, data)

    def _again(self) -> None:
        if self._tick:
            self._tick.cancel()
        self._tick = self._core.clock.call_later(_TICK, self._read, kind=self._kind())

    def _kind(self) -> Kind:
        """Requests without an instance, for which scaling will bring one, are on their way to a stable state."""
        instances = sum(variant.instance_count for variant in self._fleet.variants) if self._fleet else 0
        scaled = bool(self._waiting) and self._core.backend.scalable_targets(self.scope, self.endpoint)
        return "settle" if scaled and not instances else "calendar"

    def _read(self) -> None:
        """Once a minute, for as long as the endpoint is there."""
        with self._core.store.lock:
            self._tick = None
            if self._fleet is None:
                return
            data = self._gauges()
            self._again()
        # not in the background: alarms look at this minute when time has gone a little further
        self._core.backend.put_metrics(self.scope, data)

    def _gauges(self) -> list[MetricDatum]:
        """How much waits ([DG] async-inference-monitor). Hold the lock."""
        now = self._core.clock.now()
        # what is being worked on is still in AWS's queue, too ("yet to be processed" and "being processed")
        backlog = len(self._waiting) + self._running
        instances = sum(variant.instance_count for variant in self._fleet.variants) if self._fleet else 0
        oldest = max((now - asked.received for asked in self._waiting), default=0.0)
        values = {
            ("ApproximateBacklogSize", "Count"): float(backlog),
            ("ApproximateAgeOfOldestRequest", "Seconds"): oldest,
            ("HasBacklogWithoutCapacity", "Count"): float(backlog > 0 and instances == 0),
        }
        if instances:
            values["ApproximateBacklogSizePerInstance", "Count"] = backlog / instances
        dimensions = {"EndpointName": self.endpoint}
        return [MetricDatum(name, value, unit, dimensions, now) for (name, unit), value in values.items()]


class Queues:
    """The queues of all asynchronous endpoints."""

    def __init__(self, core: Core) -> None:
        """None yet; ``work`` has to be set before an endpoint serves."""
        self._core = core
        self._queues: dict[tuple[Scope, str], Queue] = {}
        self.work: Work | None = None

    def of(self, scope: Scope, endpoint: str) -> Queue | None:
        """The queue of an endpoint; None for one that is not asynchronous."""
        with self._core.store.lock:
            return self._queues.get((scope, endpoint))

    def serve(self, endpoint: str, fleet: Fleet) -> None:
        """The fleet is in service."""
        settings = fleet.asynchronous
        if settings is None or self.work is None:
            return
        key = fleet.scope, endpoint
        with self._core.store.lock:
            if key not in self._queues:
                self._queues[key] = Queue(self._core, *key, settings, self.work)
            self._queues[key].serve(fleet, settings)

    def leave(self, endpoint: str, fleet: Fleet) -> None:
        """The fleet is not in service any more."""
        with self._core.store.lock:
            queue = self._queues.get((fleet.scope, endpoint))
            if queue:
                queue.leave(fleet)

    def reset(self) -> None:
        """Forget everything that waits."""
        with self._core.store.lock:
            for queue in self._queues.values():
                queue.close()
            self._queues.clear()
