"""Scaling: an alarm that rings makes its policy act, within the target's bounds and after its cooldowns.

[AAS] application-auto-scaling-target-tracking, -step-scaling-policies, create-target-tracking-policy (cooldowns).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from localcloud.alarms.evaluator import Raised
from localcloud.autoscaling import decision
from localcloud.autoscaling.activities import Activities, Activity
from localcloud.autoscaling.targets import Policy, ScalingTargets, Target
from localcloud.clock import Clock
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.ports import MetricDatum, Scope

logger = logging.getLogger("localcloud.autoscaling")

#: seconds, for variants of endpoints ([B] ScaleOutCooldown, ScaleInCooldown, Cooldown)
_COOLDOWN = 300.0
_MINUTE = 60.0

#: (why it failed, None when it did not)
Done = Callable[[str | None], None]


class Variants(Protocol):
    """The variants of endpoints, as scaling sees them."""

    def variant_type(self, scope: Scope, name: str, variant: str) -> str | None:
        """The instance type of a variant; None when there is none."""

    def variant_count(self, scope: Scope, name: str, variant: str) -> int | None:
        """How many instances a variant in service has; None when there is none in service."""

    def scale_variant(self, scope: Scope, name: str, variant: str, count: int, done: Done) -> None:
        """Begin to change the instance count. Raises ServiceError."""


class Scaler:
    """One for a server."""

    def __init__(
        self,
        clock: Clock,
        targets: ScalingTargets,
        variants: Variants,
        put_metrics: Callable[[Scope, Sequence[MetricDatum]], None],
        alarm_state: Callable[[Scope, str], str | None],
    ) -> None:
        """``put_metrics`` puts points of AWS/SageMaker, ``alarm_state`` says how a CloudWatch alarm is."""
        self._clock = clock
        self._targets = targets
        self._variants = variants
        self._put_metrics = put_metrics
        self._alarm_state = alarm_state
        self.activities = Activities()

    def variant_type(self, scope: Scope, endpoint: str, variant: str) -> str | None:
        """The instance type of a variant; None when there is none."""
        return self._variants.variant_type(scope, endpoint, variant)

    def act(self, policy_arn: str, alarm: Raised) -> None:
        """An alarm with this policy among its actions is in state ALARM."""
        scope = Scope(alarm.account, alarm.region)
        found = self._targets.by_policy(scope, policy_arn)
        if found is None:
            return
        target, policy = found
        count = self._variants.variant_count(scope, target.endpoint, target.variant)
        if count is None or self.activities.running(scope, target.resource):
            return
        wanted = self._wanted(target, policy, alarm, count)
        if wanted is None:
            return
        wanted = max(target.minimum, min(target.maximum, wanted))
        if wanted != count:
            cause = f"monitor alarm {alarm.name} in state ALARM triggered policy {policy.name}"
            self._scale(target, count, wanted, cause, policy)

    def keep_in_bounds(self, target: Target) -> None:
        """The bounds were set: a variant outside goes to the nearer one ([R] the causes in the field)."""
        count = self._variants.variant_count(target.scope, target.endpoint, target.variant)
        if count is None:
            return
        if count < target.minimum:
            self._scale(target, count, target.minimum, f"minimum capacity was set to {target.minimum}")
        elif count > target.maximum:
            self._scale(target, count, target.maximum, f"maximum capacity was set to {target.maximum}")

    def put_zeros(self) -> None:
        """A variant that gets no request reports zero, so that it can scale in ([DG] endpoint-auto-scaling).

        Here only while there is something to scale in. A zero changes no sum.
        """
        moment = self._clock.now() // _MINUTE * _MINUTE - 1
        for target in self._targets.all():
            if not any(policy.tracks_invocations for policy in target.policies.values()):
                continue
            count = self._variants.variant_count(target.scope, target.endpoint, target.variant)
            if count is not None and count > target.minimum:
                dimensions = {"EndpointName": target.endpoint, "VariantName": target.variant}
                zero = MetricDatum("InvocationsPerInstance", 0.0, "None", dimensions, moment)
                self._put_metrics(target.scope, [zero])

    def reset(self) -> None:
        """Forget what was done."""
        self.activities.clear()

    def _wanted(self, target: Target, policy: Policy, alarm: Raised, count: int) -> int | None:
        values = [value for value in alarm.values[-alarm.periods :] if value is not None]
        if not values:
            return None
        cooling = policy.out_until is not None and self._clock.now() < policy.out_until
        # what a scale-out has added counts as done while it takes effect: only a larger one goes further
        base = policy.out_from if cooling and policy.out_from is not None else count
        if policy.type == "StepScaling":
            wanted = decision.stepped(policy.configuration, base, alarm.threshold, values[-1])
            if wanted is None:
                return None
            return self._allowed(target, policy, count, wanted)
        goal = float(policy.configuration["TargetValue"])
        if policy.alarms and alarm.name == policy.alarms[0]:
            wanted = decision.tracked(base, values[-1], goal)
            return self._allowed(target, policy, count, wanted) if wanted > count else None
        # the largest of all periods: scaling in is cautious
        wanted = decision.tracked(count, max(values), goal)
        if wanted >= count or policy.configuration.get("DisableScaleIn") or not self._all_low(target, policy):
            return None
        return self._allowed(target, policy, count, wanted)

    def _allowed(self, target: Target, policy: Policy, count: int, wanted: int) -> int | None:
        """What suspensions and the cooldown of the last scale-in leave of a wish."""
        if wanted > count:
            return None if target.suspended["DynamicScalingOutSuspended"] else wanted
        blocked = policy.in_until is not None and self._clock.now() < policy.in_until
        return None if blocked or target.suspended["DynamicScalingInSuspended"] else wanted

    def _all_low(self, target: Target, asking: Policy) -> bool:
        """Several tracking policies scale in only when all of them would."""
        others = [
            policy
            for policy in target.policies.values()
            if policy is not asking and policy.alarms and not policy.configuration.get("DisableScaleIn")
        ]
        return all(self._alarm_state(target.scope, policy.alarms[1]) == "ALARM" for policy in others)

    def _scale(self, target: Target, count: int, wanted: int, cause: str, policy: Policy | None = None) -> None:
        activity = Activity(target.scope, target.resource, wanted, cause, self._clock.now())
        self.activities.add(activity)
        done = partial(self._done, activity, policy, count)
        try:
            self._variants.scale_variant(target.scope, target.endpoint, target.variant, wanted, done)
        except ServiceError as refused:
            activity.fail(self._clock.now(), refused.message)

    def _done(self, activity: Activity, policy: Policy | None, before: int, failure: str | None) -> None:
        now = self._clock.now()
        if failure is not None:
            activity.fail(now, failure)
            return
        activity.succeed(now)
        if policy is None:
            return
        if activity.capacity > before:
            policy.out_from, policy.out_until = before, now + _seconds(policy.configuration, "ScaleOutCooldown")
            policy.in_until = None  # a scale-out ends the cooldown of a scale-in
        else:
            policy.in_until = now + _seconds(policy.configuration, "ScaleInCooldown")


def _seconds(configuration: Any, member: str) -> float:
    return float(configuration.get(member, configuration.get("Cooldown", _COOLDOWN)))
