"""How many instances a policy wants: the arithmetic alone."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.autoscaling import decision


@pytest.mark.parametrize(
    ("current", "value", "target", "wanted"),
    [(1, 25, 10, 3), (1, 10, 10, 1), (2, 10.1, 10, 3), (4, 2, 10, 1), (4, 0, 10, 0), (0, 12, 5, 3)],
)
def test_target_tracking_follows_the_metric(current: int, value: float, target: float, wanted: int) -> None:
    assert decision.tracked(current, value, target) == wanted


STEPS: dict[str, Any] = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
        {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
    ],
}


@pytest.mark.parametrize(("value", "wanted"), [(50, 3), (59.9, 3), (60, 5), (1000, 5), (49, 1)])
def test_the_step_for_the_distance_from_the_threshold(value: float, wanted: int) -> None:
    assert decision.stepped(STEPS, 2, 50, value) == wanted


def test_no_step_no_change() -> None:
    only_out = {**STEPS, "StepAdjustments": STEPS["StepAdjustments"][:2]}
    assert decision.stepped(only_out, 2, 50, 49) is None


@pytest.mark.parametrize(
    ("adjustment", "least", "current", "wanted"),
    [(50, 0, 5, 7), (10, 0, 3, 4), (10, 2, 3, 5), (-50, 0, 5, 3), (-10, 0, 3, 2), (0, 0, 3, 3)],
)
def test_percentages_are_whole_instances(adjustment: int, least: int, current: int, wanted: int) -> None:
    configuration = {
        "AdjustmentType": "PercentChangeInCapacity",
        "MinAdjustmentMagnitude": least,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": adjustment}],
    }
    assert decision.stepped(configuration, current, 0, 1) == wanted


def test_exact_capacity() -> None:
    configuration = {
        "AdjustmentType": "ExactCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 4}],
    }
    assert decision.stepped(configuration, 1, 0, 1) == 4
