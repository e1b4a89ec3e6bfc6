"""How an endpoint is updated: its DeploymentConfig as a plan of steps, and what an update keeps.

[DG] deployment-guardrails-blue-green, -canary, -linear, -rolling; limits of sizes [B] CapacitySize,
TrafficRoutingConfig, RollingUpdatePolicy. The texts of refusals are ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, Tree

_SIZE: Tree = {"Type": ANY, "Value": ANY}
#: the members of DeploymentConfig that are honoured
SUPPORTED: Tree = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": ANY,
            "WaitIntervalInSeconds": ANY,
            "CanarySize": _SIZE,
            "LinearStepSize": _SIZE,
        },
        "TerminationWaitInSeconds": ANY,
        "MaximumExecutionTimeoutInSeconds": ANY,
    },
    "RollingUpdatePolicy": {
        "MaximumBatchSize": _SIZE,
        "WaitIntervalInSeconds": ANY,
        "MaximumExecutionTimeoutInSeconds": ANY,
    },
    "AutoRollbackConfiguration": {"Alarms": {"AlarmName": ANY}},
}


@dataclass(frozen=True)
class Plan:
    """The way of a new fleet into service."""

    #: the new fleet's part of the traffic after each step
    shares: tuple[float, ...] = (1.0,)
    #: seconds that each step is watched
    bake: float = 0.0
    #: seconds that the old fleet is kept after the last step
    termination_wait: float = 0.0
    #: seconds after which the update gives up
    time_limit: float = math.inf
    #: names; one in state ALARM during a bake ends the update
    alarms: tuple[str, ...] = ()
    #: instances are brought up and ended step by step, not all before and all after
    rolling: bool = False

    @property
    def waits(self) -> float:
        """Seconds that the policy asks for in all."""
        return self.bake * len(self.shares) + self.termination_wait


def kept(asked: Mapping[str, Any]) -> frozenset[str]:
    """The variant properties that an update keeps from the endpoint instead of the new configuration."""
    if not asked.get("RetainAllVariantProperties", False):
        return frozenset()
    excluded = {item["VariantPropertyType"] for item in asked.get("ExcludeRetainedVariantProperties", [])}
    return frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"} - excluded)


def plan(config: Mapping[str, Any] | None, instances: int) -> Plan:
    """The plan of a DeploymentConfig for a fleet of so many instances.

    Raises ValidationException for sizes and times that contradict each other.
    """
    config = config or {}
    policies = [name for name in ("BlueGreenUpdatePolicy", "RollingUpdatePolicy") if name in config]
    if len(policies) > 1:
        raise errors.validation("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy may be in DeploymentConfig.")
    alarms = tuple(alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", ()))
    policy = config[policies[0]] if policies else {}
    if policies == ["RollingUpdatePolicy"]:
        share = _share(policy["MaximumBatchSize"], "MaximumBatchSize", instances, 5, 50)
        # a batch is whole instances
        share = max(1, math.floor(share * instances)) / instances
        shares, bake, rolling = _steps(share), policy["WaitIntervalInSeconds"], True
    else:
        routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
        shares, bake, rolling = _blue_green(routing, instances), routing["WaitIntervalInSeconds"], False
    made = Plan(
        shares,
        float(bake),
        float(policy.get("TerminationWaitInSeconds", 0)),
        float(policy.get("MaximumExecutionTimeoutInSeconds", "inf")),
        alarms,
        rolling,
    )
    if made.time_limit <= made.waits:
        raise errors.validation(
            f"MaximumExecutionTimeoutInSeconds ({made.time_limit:.0f}) must be larger than all waiting times of the "
            f"deployment together ({made.waits:.0f})."
        )
    return made


def _blue_green(routing: Mapping[str, Any], instances: int) -> tuple[float, ...]:
    kind = routing["Type"]
    member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for other in {"CanarySize", "LinearStepSize"} - {member}:
        if other in routing:
            raise errors.validation(f"{other} is not for traffic routing of type {kind}.")
    if member is None:
        return (1.0,)
    if member not in routing:
        raise errors.validation(f"Traffic routing of type {kind} needs {member}.")
    if kind == "CANARY":
        return (_share(routing[member], member, instances, 0, 50), 1.0)
    return _steps(_share(routing[member], member, instances, 10, 50))


def _share(size: Mapping[str, Any], member: str, instances: int, low: float, high: float) -> float:
    """A CapacitySize as a part of the fleet. Bounds are in percent."""
    percent = float(size["Value"])
    if size["Type"] == "INSTANCE_COUNT":
        percent = size["Value"] * 100 / max(1, instances)
    if not low <= percent <= high:
        bounds = f"between {low:g}% and {high:g}%" if low else f"at most {high:g}%"
        raise errors.validation(
            f"{member} must be {bounds} of the fleet's {instances} instance(s): {size['Type']} {size['Value']} is "
            f"{percent:g}%."
        )
    return percent / 100


def _steps(share: float) -> tuple[float, ...]:
    count = math.ceil(1 / share - 1e-9)
    return tuple(min(1.0, share * number) for number in range(1, count + 1))
