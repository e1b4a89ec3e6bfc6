"""Fleets on their way into service: started, given traffic step by step, watched, and taken back when an alarm rings.

    Creating -> (ActivatingTraffic -> Baking) for each step of the plan -> the old fleet ends -> InService
    any of them -> RollingBack -> InService with FailureReason, on the old fleet

A rolling update brings up the instances of a step before it (Updating) and ends as many of the old fleet after it. Old
instances come back in a rollback; all traffic is theirs from its first moment.

Baking goes minute by minute on timers of the clock's kind ``bake``: requests come in real time, and what they do in the
real moment that each virtual minute lasts is what the alarms see at its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from localcloud.sagemaker import durations
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.hosting import fleets
from localcloud.sagemaker.hosting.deployment import Plan
from localcloud.sagemaker.hosting.fleet import Fleet, part
from localcloud.sagemaker.hosting.records import EndpointRecord, Rollout, change
from localcloud.sagemaker.ports import StartFailed

logger = logging.getLogger("localcloud.sagemaker")

_MINUTE = 60.0


class Rollouts:
    """Brings fleets into service. What it changes, it changes under the store's lock."""

    def __init__(self, core: Core, builder: fleets.Builder) -> None:
        """``builder`` keeps the meter right."""
        self._core = core
        self._builder = builder

    def begin(self, record: EndpointRecord, fleet: Fleet, plan: Plan, seconds: float) -> None:
        """Start the servers on a thread and the modelled time on the clock. Hold the lock."""
        rollout = Rollout(fleet, plan, self._core.clock.now())
        record.rollout = rollout
        self._prepare(record, rollout, seconds, plan.shares[0] if plan.rolling else 1.0)

    def _prepare(self, record: EndpointRecord, rollout: Rollout, seconds: float, share: float) -> None:
        """Bring up instances for so much of the traffic."""
        rollout.waited = rollout.ready = False
        rollout.timer = self._core.clock.call_later(seconds, partial(self._time_passed, record, rollout), kind="settle")
        self._core.in_background(partial(self._start, record, rollout, share))

    def _time_passed(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            rollout.waited = True
        self._settle(record, rollout)

    def _start(self, record: EndpointRecord, rollout: Rollout, share: float) -> None:
        """Bring the servers up; on a thread of its own."""
        failure = None
        try:
            rollout.fleet.start(self._core.backend, share)
        except StartFailed as reason:
            failure = str(reason)
        # whatever is wrong here is localcloud's fault and must end the rollout, or it would go on for ever
        except Exception as error:
            logger.exception("the servers of %s could not be started", record.arn)
            failure = f"[localcloud] {error}"
        with self._core.store.lock:
            known = self._core.store.by_arn(record.arn) is record
            if known:
                rollout.ready, rollout.failure = failure is None, failure
        if known:
            self._settle(record, rollout)
        else:
            rollout.fleet.stop()  # the service was reset meanwhile

    def _settle(self, record: EndpointRecord, rollout: Rollout) -> None:
        """Go on when both the clock and the servers are ready."""
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            if rollout.failure is not None:
                if rollout.timer:
                    rollout.timer.cancel()
                # AWS restarts a crashing container for a long time before it gives up
                patience = min(durations.ENDPOINT_CRASH_LOOP, rollout.started + rollout.plan.time_limit - self._now())
                give_up = partial(self._give_up, record, rollout, rollout.failure)
                self._later(rollout, max(0.0, patience), give_up)
                return
            if not (rollout.ready and rollout.waited):
                return
        self._shift(record, rollout)

    def _shift(self, record: EndpointRecord, rollout: Rollout) -> None:
        """Give the new fleet the traffic of the next step, and begin to watch it."""
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            plan = rollout.plan
            rollout.enter("ActivatingTraffic", self._now())
            rollout.share = plan.shares[rollout.step]
            if record.fleet and plan.waits and (plan.rolling or rollout.step == 0):
                up = rollout.share if plan.rolling else 1.0
                self._builder.start_billing(record.arn, rollout.fleet, record.tags, pending=True, share=up)
            if plan.bake:
                rollout.enter("Baking", self._now())
        self._watch(record, rollout, self._now() + rollout.plan.bake)

    def _watch(self, record: EndpointRecord, rollout: Rollout, until: float) -> None:
        """Look at the alarms, now and every minute, until the step has baked."""
        reason = self._alarm(record, rollout) if rollout.plan.bake else None
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            if reason is None and self._now() - rollout.started > rollout.plan.time_limit:
                reason = "The deployment did not complete within MaximumExecutionTimeoutInSeconds."
            if reason is None and self._now() < until:
                again = partial(self._watch, record, rollout, until)
                self._later(rollout, min(_MINUTE, until - self._now()), again, bake=True)
                return
        if reason is not None:
            self._give_up(record, rollout, reason)
        else:
            self._step_done(record, rollout)

    def _alarm(self, record: EndpointRecord, rollout: Rollout) -> str | None:
        """Why the update must not go on: the alarms that ring. Hold no lock."""
        if not rollout.plan.alarms:
            return None
        states = self._core.backend.alarm_states(record.scope, rollout.plan.alarms)
        ringing = [name for name, state in states.items() if state == "ALARM"]
        if not ringing:
            return None
        return f"The deployment was rolled back because of CloudWatch alarms in state ALARM: {', '.join(ringing)}."

    def _step_done(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            plan = rollout.plan
            rollout.step += 1
            if rollout.step < len(plan.shares):
                if not plan.rolling:
                    self._later(rollout, 0.0, partial(self._shift, record, rollout))
                    return
                self._end_part(record, 1 - rollout.share)
                rollout.enter("Updating", self._now())
                self._prepare(record, rollout, durations.ENDPOINT_BATCH, plan.shares[rollout.step])
                return
            if plan.termination_wait:
                self._later(rollout, plan.termination_wait, partial(self._complete, record, rollout))
                return
        self._complete(record, rollout)

    def _end_part(self, record: EndpointRecord, share: float) -> None:
        """End the old instances that a rolling update has replaced. Hold the lock."""
        for variant in record.fleet.variants if record.fleet else ():
            if variant.desired_count is None:
                variant.desired_count = variant.instance_count
            variant.instance_count = max(1, part(variant.desired_count, share))
            self._core.in_background(variant.shrink(variant.instance_count))
        if record.fleet:
            self._builder.start_billing(record.arn, record.fleet, record.tags)

    def _complete(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            old, record.fleet, record.rollout, record.failure = record.fleet, rollout.fleet, None, None
            if old:
                self._builder.stop_billing(record.arn, rollout.fleet, pending=True)
                self._builder.stop_billing(record.arn, old)
                self._core.in_background(old.drain)
            self._builder.start_billing(record.arn, rollout.fleet, record.tags)
            record.uses = fleets.takes(rollout.fleet)
            change(self._core, record, "InService")

    def _give_up(self, record: EndpointRecord, rollout: Rollout, reason: str) -> None:
        """A first deployment fails; an update goes back to the servers that still run."""
        with self._core.store.lock:
            if record.rollout is not rollout:
                return
            record.failure = reason
            if record.fleet is None:
                record.rollout = None
                record.uses = {}
                change(self._core, record, "Failed")
                return
            rollout.share = 0.0
            rollout.enter("Deleting", self._now())
            change(self._core, record, "RollingBack")
            self._later(rollout, durations.ENDPOINT_ROLLBACK, partial(self._rolled_back, record, rollout))
            self._core.in_background(rollout.fleet.drain)
            self._core.in_background(partial(self._restore, record, record.fleet))

    def _restore(self, record: EndpointRecord, fleet: Fleet) -> None:
        """Bring back what a rolling update has ended of the old fleet; on a thread of its own."""
        for variant in fleet.variants:
            if variant.desired_count is None:
                continue
            try:
                variant.grow(fleet.scope, self._core.backend, variant.desired_count)
            except StartFailed:
                logger.exception("instances of %s did not come back", record.arn)
            with self._core.store.lock:
                variant.instance_count, variant.desired_count = variant.desired_count, None
                if record.fleet is fleet:
                    self._builder.start_billing(record.arn, fleet, record.tags)

    def _rolled_back(self, record: EndpointRecord, rollout: Rollout) -> None:
        with self._core.store.lock:
            if record.rollout is rollout and record.fleet:
                record.rollout = None
                record.uses = fleets.takes(record.fleet)
                self._builder.stop_billing(record.arn, rollout.fleet, pending=True)
                change(self._core, record, "InService")

    def _later(self, rollout: Rollout, seconds: float, step: Callable[[], None], *, bake: bool = False) -> None:
        rollout.timer = self._core.clock.call_later(seconds, step, kind="bake" if bake else "settle")

    def _now(self) -> float:
        return self._core.clock.now()
