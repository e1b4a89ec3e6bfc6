"""How many instances a policy wants.

[AAS] application-auto-scaling-target-tracking, -step-scaling-policies. The exact formula of target tracking is not
published: here capacity follows the metric in proportion, rounded up, which keeps the metric at or below its target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def tracked(current: int, value: float, target: float) -> int:
    """Instances that bring a metric per instance to its target. Of none, the metric is that of one."""
    return math.ceil(max(1, current) * value / target - 1e-9)


def stepped(configuration: Mapping[str, Any], current: int, threshold: float, value: float) -> int | None:
    """Instances after the step adjustment for this value; None when no step is for it."""
    distance = value - threshold
    step = next((step for step in configuration.get("StepAdjustments", ()) if _within(step, distance)), None)
    if step is None:
        return None
    adjustment = step["ScalingAdjustment"]
    kind = configuration.get("AdjustmentType")
    if kind == "ExactCapacity":
        return int(adjustment)
    if kind == "PercentChangeInCapacity":
        change = current * adjustment / 100
        # more than one whole instance is rounded towards zero, less than one to one
        whole = math.copysign(max(1, abs(int(change))), change) if change else 0
        least = configuration.get("MinAdjustmentMagnitude", 0)
        adjustment = int(math.copysign(max(abs(whole), least), adjustment)) if adjustment else 0
    return int(current + adjustment)


def _within(step: Mapping[str, Any], distance: float) -> bool:
    """Whether a step is for a value so far from the threshold: bounds belong to the side towards the threshold."""
    low = float(step.get("MetricIntervalLowerBound", -math.inf))
    high = float(step.get("MetricIntervalUpperBound", math.inf))
    return low <= distance < high if distance >= 0 else low < distance <= high
