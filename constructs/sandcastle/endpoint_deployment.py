"""How an endpoint's update goes from the old fleet of instances to the new one, and what sends it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandcastle.config import Deployment
from sandcastle.config.checks_serving import FLEET_MINUTES, steps

MOST_ALARMS = 10
"""Alarms that an update can be watched by (AutoRollbackConfig)."""


def deployment_config(deployment: Deployment, alarms: Sequence[str]) -> dict[str, Any]:
    """Return the DeploymentConfig of a blue/green update. ``alarms`` are names; the update goes back when one goes off.

    While requests go over, the alarms watch for ``wait_minutes`` after each step and after the last one; then the old
    fleet ends at once. SageMaker gives up what takes much longer than these waits. With more variants than alarms fit,
    the first ones count: ``main`` and those that follow it in the alphabet.
    """
    routing: dict[str, Any] = {
        "Type": deployment.kind.upper().replace("-", "_"),
        "WaitIntervalInSeconds": deployment.wait_minutes * 60,
    }
    size = {"Type": "CAPACITY_PERCENT", "Value": deployment.percent}
    if deployment.kind == "canary":
        routing["CanarySize"] = size
    elif deployment.kind == "linear":
        routing["LinearStepSize"] = size
    minutes = deployment.wait_minutes * steps(deployment.kind, deployment.percent) + FLEET_MINUTES
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": minutes * 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms[:MOST_ALARMS]]},
    }
