"""Scalable targets and their policies, by account and region."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.clock import Clock
from localcloud.json_service import Refused
from localcloud.sagemaker.ports import Scope

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@dataclass(eq=False)
class Policy:
    """One scaling policy; ``alarms`` are the names of those that it made itself."""

    arn: str
    name: str
    type: str
    configuration: Mapping[str, Any]
    created: float
    alarms: list[str] = field(default_factory=list)
    #: the last scale-out began with so many instances, and its cooldown lasts until then (epoch seconds)
    out_from: int | None = None
    out_until: float | None = None
    #: until when nothing is scaled in
    in_until: float | None = None

    @property
    def tracks_invocations(self) -> bool:
        """Whether its metric is the predefined one of real-time variants."""
        return self.type == "TargetTrackingScaling" and "PredefinedMetricSpecification" in self.configuration


@dataclass(eq=False)
class Target:
    """One scalable target: ``endpoint/<endpoint>/variant/<variant>`` and its bounds."""

    scope: Scope
    resource: str
    arn: str
    minimum: int
    maximum: int
    created: float
    suspended: Mapping[str, bool]
    tags: dict[str, str]
    policies: dict[str, Policy] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.resource.split("/")[1]

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.resource.split("/")[3]


class ScalingTargets:
    """All targets of one server. Thread-safe; alarms are the callers' business (``alarms``)."""

    def __init__(self, clock: Clock) -> None:
        """None yet."""
        self._clock = clock
        self._lock = threading.RLock()
        self._targets: dict[tuple[Scope, str], Target] = {}

    def register(self, scope: Scope, resource: str, changes: Mapping[str, Any]) -> Target:
        """Make a target, or change what is given of one. Raises Refused."""
        with self._lock:
            found = self._targets.get((scope, resource))
            low = changes.get("MinCapacity", found.minimum if found else None)
            high = changes.get("MaxCapacity", found.maximum if found else None)
            if low is None or high is None:
                # [B] "you must specify values for the minimum and maximum capacity"; text [K]
                raise Refused("ValidationException", "MinCapacity and MaxCapacity must be specified.")
            if low > high:
                raise Refused("ValidationException", "Minimum capacity cannot be greater than maximum capacity")
            if found is None:
                arn = arn_prefix(scope) + secrets.token_hex(17)
                found = Target(scope, resource, arn, low, high, self._clock.now(), _running(), {})
                self._targets[scope, resource] = found
            elif changes.get("Tags"):
                raise Refused(
                    "ValidationException",
                    "The scalable target that you tried to tag already exists. To update tags on an existing scalable "
                    "target, use the TagResource API.",
                )
            found.minimum, found.maximum = low, high
            found.suspended = {**found.suspended, **changes.get("SuspendedState", {})}
            found.tags.update(changes.get("Tags", {}))
            return found

    def put_policy(self, scope: Scope, resource: str, name: str, type_name: str, configuration: Any) -> Policy:
        """Make a policy or give it another configuration. Raises Refused when the target is not registered."""
        with self._lock:
            target = self._targets.get((scope, resource))
            if target is None:
                raise _not_found(f"No scalable target registered for {_words(resource)}")
            policy = target.policies.get(name)
            if policy is None:
                arn = (
                    f"arn:aws:autoscaling:{scope.region}:{scope.account}:scalingPolicy:{uuid.uuid4()}:"
                    f"resource/{NAMESPACE}/{resource}:policyName/{name}"
                )
                policy = target.policies[name] = Policy(arn, name, type_name, configuration, self._clock.now())
            policy.type, policy.configuration = type_name, configuration
            return policy

    def remove_policy(self, scope: Scope, resource: str, name: str) -> Policy:
        """Forget a policy. Raises Refused when there is none."""
        with self._lock:
            target = self._targets.get((scope, resource))
            if target is None or name not in target.policies:
                raise _not_found(f"No scaling policy found for {_words(resource)}: {name}")
            return target.policies.pop(name)

    def remove(self, scope: Scope, resource: str) -> Target:
        """Forget a target and its policies. Raises Refused when there is none."""
        with self._lock:
            if (scope, resource) not in self._targets:
                raise _not_found(f"No scalable target found for {_words(resource)}")
            return self._targets.pop((scope, resource))

    def by_policy(self, scope: Scope, arn: str) -> tuple[Target, Policy] | None:
        """The policy of this ARN and its target; None when there is none."""
        for target in self.of(scope):
            for policy in target.policies.values():
                if policy.arn == arn:
                    return target, policy
        return None

    def all(self) -> list[Target]:
        """The targets of every account and region."""
        with self._lock:
            return list(self._targets.values())

    def of(self, scope: Scope) -> list[Target]:
        """The targets of one account and region."""
        with self._lock:
            return [target for target in self._targets.values() if target.scope == scope]

    def of_endpoint(self, scope: Scope, endpoint: str) -> list[Target]:
        """The targets among the variants of one endpoint."""
        return [target for target in self.of(scope) if target.endpoint == endpoint]

    def find(self, scope: Scope, resource: str) -> Target | None:
        """The target of this resource, None when there is none."""
        with self._lock:
            return self._targets.get((scope, resource))

    def by_arn(self, arn: str) -> Target:
        """The target of an ARN. Raises Refused when there is none."""
        with self._lock:
            for target in self._targets.values():
                if target.arn == arn:
                    return target
        raise Refused("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._targets.clear()


def arn_prefix(scope: Scope) -> str:
    """What the ARNs of targets begin with; their ids say nothing."""
    return f"arn:aws:application-autoscaling:{scope.region}:{scope.account}:scalable-target/"


def _running() -> dict[str, bool]:
    names = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    return dict.fromkeys(names, False)


def _words(resource: str) -> str:
    return f"service namespace: {NAMESPACE}, resource ID: {resource}, scalable dimension: {DIMENSION}"


def _not_found(message: str) -> Refused:
    return Refused("ObjectNotFoundException", message)
