"""How an endpoint is updated: its DeploymentConfig, and what an update keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker.api.supported import ANY, Tree, only

#: the members of DeploymentConfig that are honoured
SUPPORTED: Tree = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": only("ALL_AT_ONCE"), "WaitIntervalInSeconds": ANY},
        "TerminationWaitInSeconds": ANY,
        "MaximumExecutionTimeoutInSeconds": ANY,
    },
}


def kept(asked: Mapping[str, Any]) -> frozenset[str]:
    """The variant properties that an update keeps from the endpoint instead of the new configuration."""
    if not asked.get("RetainAllVariantProperties", False):
        return frozenset()
    excluded = {item["VariantPropertyType"] for item in asked.get("ExcludeRetainedVariantProperties", [])}
    return frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"} - excluded)


def waits(deployment: Mapping[str, Any] | None) -> float:
    """Seconds that the blue/green policy adds: baking and keeping the old fleet."""
    policy = (deployment or {}).get("BlueGreenUpdatePolicy", {})
    baking = policy.get("TrafficRoutingConfiguration", {}).get("WaitIntervalInSeconds", 0)
    return float(baking + policy.get("TerminationWaitInSeconds", 0))


def time_limit(deployment: Mapping[str, Any] | None) -> float:
    """Seconds after which a blue/green update gives up."""
    policy = (deployment or {}).get("BlueGreenUpdatePolicy", {})
    return float(policy.get("MaximumExecutionTimeoutInSeconds", "inf"))
