"""UpdateEndpointWeightsAndCapacities: other weights, more or fewer instances of the fleet that serves.

    InService -> Updating -> InService

New instances take requests once they are healthy and the modelled time has passed; those that go finish their answers.
When new ones do not come up everything stays as it was, with a FailureReason.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.hosting import fleets, instances
from localcloud.sagemaker.hosting.fleet import Fleet, Variant
from localcloud.sagemaker.hosting.records import EndpointRecord, change
from localcloud.sagemaker.ports import Server, StartFailed

logger = logging.getLogger("localcloud.sagemaker")


@dataclass(eq=False)
class _Change:
    fleet: Fleet
    done: Callable[[str | None], None] | None
    waited: bool = False
    started: bool = False
    failure: str | None = None
    #: servers that are up and take no requests yet
    servers: dict[str, list[Server]] = field(default_factory=dict)


class Capacities:
    """Changes weights and instance counts."""

    def __init__(self, core: Core, builder: fleets.Builder) -> None:
        """``builder`` keeps the meter right."""
        self._core = core
        self._builder = builder

    def begin(
        self,
        record: EndpointRecord,
        fleet: Fleet,
        wanted: Sequence[Mapping[str, Any]],
        least: int,
        done: Callable[[str | None], None] | None = None,
    ) -> None:
        """Begin to change; ``least`` is the smallest instance count. Hold the lock, the endpoint is InService.

        ``done`` is called at the end, with the reason when it failed.
        Raises ValidationException and changes nothing when a variant is not there or may not be as small.
        """
        variants = {variant.name: variant for variant in fleet.variants}
        for item in wanted:
            if item["VariantName"] not in variants:
                raise errors.validation(f'Could not find variant "{item["VariantName"]}" of endpoint "{record.arn}".')
            if variants[item["VariantName"]].serverless and "DesiredInstanceCount" in item:
                raise errors.validation(f"Serverless variant {item['VariantName']} has no instances.")
            if item.get("DesiredInstanceCount", least) < least:
                raise errors.validation(
                    f"DesiredInstanceCount of variant {item['VariantName']} must be at least {least}: only an "
                    "asynchronous endpoint may have no instances."
                )
        self._core.take(record, self._growth(variants, wanted))
        seconds = durations.ENDPOINT_WEIGHTS
        for item in wanted:
            variant = variants[item["VariantName"]]
            variant.desired_weight = item.get("DesiredWeight", variant.weight)
            variant.desired_count = item.get("DesiredInstanceCount", variant.instance_count)
            if variant.desired_count != variant.instance_count:
                seconds = durations.ENDPOINT_CAPACITY
        change(self._core, record, "Updating")
        made = _Change(fleet, done)
        self._core.clock.call_later(seconds, partial(self._time_passed, record, made), kind="settle")
        self._core.in_background(partial(self._start, record, made))

    def _growth(self, variants: Mapping[str, Variant], wanted: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        growth: Counter[str] = Counter()
        for item in wanted:
            variant = variants[item["VariantName"]]
            growth.update(
                fleets.takes_of(variant, max(0, item.get("DesiredInstanceCount", 0) - variant.instance_count))
            )
        return dict(+growth)

    def _time_passed(self, record: EndpointRecord, made: _Change) -> None:
        with self._core.store.lock:
            made.waited = True
            self._settle(record, made)

    def _start(self, record: EndpointRecord, made: _Change) -> None:
        """Bring the missing servers up; on a thread of its own."""
        try:
            for variant in made.fleet.variants:
                count = variant.instance_count if variant.desired_count is None else variant.desired_count
                made.servers[variant.name] = variant.start_missing(made.fleet.scope, self._core.backend, count)
        except StartFailed as reason:
            made.failure = str(reason)
        # whatever is wrong here is localcloud's fault and must end the update, or it would go on for ever
        except Exception as error:
            logger.exception("instances of %s could not be started", record.arn)
            made.failure = f"[localcloud] {error}"
        with self._core.store.lock:
            made.started = True
            if self._core.store.by_arn(record.arn) is record:
                self._settle(record, made)
                return
        self._end(made)  # the service was reset meanwhile

    def _settle(self, record: EndpointRecord, made: _Change) -> None:
        """Go on when both the clock and the servers are ready. Hold the lock."""
        if not (made.waited and made.started) or record.fleet is not made.fleet:
            return
        for variant in made.fleet.variants:
            weight, count, variant.desired_weight, variant.desired_count = (
                variant.desired_weight,
                variant.desired_count,
                None,
                None,
            )
            if made.failure is None:
                self._apply(record, made, variant, weight, count)
        if made.failure is not None:
            self._core.in_background(partial(self._end, made))
        record.failure = made.failure
        record.uses = fleets.takes(made.fleet)
        change(self._core, record, "InService")
        if made.done:
            made.done(made.failure)

    def _apply(
        self, record: EndpointRecord, made: _Change, variant: Variant, weight: float | None, count: int | None
    ) -> None:
        if weight is not None:
            variant.weight = weight
        if count is None or count == variant.instance_count:
            return
        variant.instance_count = count
        variant.instances.add(made.servers.get(variant.name, []))
        self._core.in_background(variant.shrink(count))
        self._builder.bill(record.arn, variant, record.tags)

    def _end(self, made: _Change) -> None:
        instances.each([server.stop for servers in made.servers.values() for server in servers])
