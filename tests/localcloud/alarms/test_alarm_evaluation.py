"""An alarm's state by its data points: the tables of the CloudWatch user guide, alarms-and-missing-data."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.alarms import evaluation

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
RETAIN = None


def alarm(periods: int, to_alarm: int | None = None, **members: Any) -> dict[str, Any]:
    limits = {"Threshold": 0.5, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": periods}
    return {**limits, **({"DatapointsToAlarm": to_alarm} if to_alarm else {}), **members}


def values(picture: str) -> list[float | None]:
    """``0`` is fine, ``X`` breaches, ``-`` is missing; the newest last."""
    return [{"0": 0.0, "X": 1.0, "-": None}[sign] for sign in picture]


@pytest.mark.parametrize(
    ("picture", "states"),
    [
        ("0-X-X", ("OK", "OK", "OK", "OK")),
        ("----0", ("OK", "OK", "OK", "OK")),
        ("-----", ("INSUFFICIENT_DATA", RETAIN, "ALARM", "OK")),
        ("0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("--X--", ("ALARM", RETAIN, "ALARM", "OK")),
    ],
)
def test_three_out_of_three(picture: str, states: tuple[str | None, ...]) -> None:
    found = [
        evaluation.verdict(alarm(3, TreatMissingData=treatment), values(picture)).state for treatment in TREATMENTS
    ]
    assert found == list(states)


@pytest.mark.parametrize(
    ("picture", "states"),
    [
        ("0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0-X--", ("OK", "OK", "ALARM", "OK")),
        ("----0", ("OK", "OK", "ALARM", "OK")),
        ("---X-", ("ALARM", RETAIN, "ALARM", "OK")),
    ],
)
def test_two_out_of_three(picture: str, states: tuple[str | None, ...]) -> None:
    found = [
        evaluation.verdict(alarm(3, 2, TreatMissingData=treatment), values(picture)).state for treatment in TREATMENTS
    ]
    assert found == list(states)


def test_one_breaching_point_that_is_too_young_changes_nothing() -> None:
    assert evaluation.verdict(alarm(3), values("----X")).state is None


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanOrEqualToThreshold", ("OK", "ALARM", "ALARM")),
        ("GreaterThanThreshold", ("OK", "OK", "ALARM")),
        ("LessThanThreshold", ("ALARM", "OK", "OK")),
        ("LessThanOrEqualToThreshold", ("ALARM", "ALARM", "OK")),
    ],
)
def test_comparisons(comparison: str, states: tuple[str, ...]) -> None:
    given = alarm(1, ComparisonOperator=comparison, Threshold=2)
    assert tuple(evaluation.verdict(given, [None, None, value]).state for value in (1.0, 2.0, 3.0)) == states


def test_the_reason_names_the_data_points() -> None:
    assert evaluation.verdict(alarm(2), values("--0X")).reason == (
        "Threshold Crossed: 1 out of the last 2 datapoints [1.0, 0.0] was greater than the threshold (0.5)."
    )
    assert "was not greater than" in evaluation.verdict(alarm(1), values("--0")).reason
    filled = evaluation.verdict(alarm(3, TreatMissingData="notBreaching"), values("----X")).reason
    assert filled.endswith("2 missing datapoints were treated as [NotBreaching].")
