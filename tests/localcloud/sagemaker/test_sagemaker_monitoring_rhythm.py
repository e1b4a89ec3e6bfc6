"""When monitoring schedules fire, and over which hours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.monitoring.rhythm import Rhythm, Window
from tests.localcloud.sagemaker.scripted_backend import START

_HOUR = 3600.0


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("cron(0 * ? * * *)", [9, 10, 11, 12]),
        ("cron(0 0/2 ? * * *)", [10, 12, 14, 16]),
        ("cron(0 17/12 ? * * *)", [17, 5, 17, 5]),
        ("cron(0 8 ? * * *)", [8, 8, 8, 8]),
    ],
)
def test_cron(expression: str, hours: list[int]) -> None:
    rhythm, moment, found = Rhythm.parse(expression), START, []
    for _ in hours:
        moment = rhythm.next_after(moment)
        found.append(datetime.fromtimestamp(moment, UTC).hour)
    assert found == hours


@pytest.mark.parametrize(
    "expression", ["cron(5 * ? * * *)", "cron(0 24 ? * * *)", "rate(1 hour)", "cron(0 0/25 ? * * *)"]
)
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(ServiceError, match="not a supported cron expression"):
        Rhythm.parse(expression)


def test_windows() -> None:
    daily = Rhythm.parse("cron(0 0 ? * * *)")
    assert len(Window.parse(None, None, daily).hours(START - START % _HOUR)) == 24
    assert Window.parse("-PT90M", "-PT30M", daily).hours(36000) == [6 * _HOUR + 2 * _HOUR, 9 * _HOUR]
    for start, end in (("-PT1H", "-PT2H"), ("-P2D", "-PT0H"), ("yesterday", "-PT0H")):
        with pytest.raises(ServiceError):
            Window.parse(start, end, daily)
