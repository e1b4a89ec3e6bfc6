"""When schedules are due."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from localcloud.scheduler.expressions import parse


def runs(expression: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    """The first runs after a wall-clock time, as wall-clock times of the zone."""
    clock, found = ZoneInfo(zone), []
    moment = datetime.fromisoformat(start).replace(tzinfo=clock).timestamp()
    parsed = parse(expression, zone)
    for _ in range(count):
        due = parsed.next(moment, moment)
        if due is None:
            break
        found.append(f"{datetime.fromtimestamp(due, clock):%Y-%m-%dT%H:%M}")
        moment = due
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 20 * * ? *)", ["2026-11-26T20:00", "2026-11-27T20:00"]),
        ("cron(0/15 10 * * ? *)", ["2026-11-26T10:30", "2026-11-26T10:45"]),
        ("cron(30 6 ? * MON-FRI *)", ["2026-11-27T06:30", "2026-11-30T06:30"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07T09:00", "2027-01-04T09:00"]),
        ("cron(0 9 ? * 6L *)", ["2026-11-27T09:00", "2026-12-25T09:00"]),
        ("cron(0 9 L * ? *)", ["2026-11-30T09:00", "2026-12-31T09:00"]),
        ("cron(0 9 1W * ? *)", ["2026-12-01T09:00", "2027-01-01T09:00"]),
        ("cron(0 9 31W 1 ? *)", ["2027-01-29T09:00", "2028-01-31T09:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 12 1 NOV-FEB ? *)", ["2026-12-01T12:00", "2027-01-01T12:00", "2027-02-01T12:00", "2027-11-01T12:00"]),
        ("cron(5 5 1 1 ? 2027)", ["2027-01-01T05:05"]),
        ("cron(0 0 1 1 ? 2020)", []),
        ("at(2026-11-26T10:16:00)", ["2026-11-26T10:16"]),
        ("at(2026-11-26T10:15:00)", []),
    ],
)
def test_runs(expression: str, expected: list[str]) -> None:
    assert runs(expression, "2026-11-26T10:15", max(len(expected), 1)) == expected


def test_a_rate_runs_at_its_start_and_then_regularly() -> None:
    rate = parse("rate(2 hours)")
    assert rate.next(999, 1000) == 1000
    assert rate.next(1000, 1000) == 1000 + 7200
    assert rate.next(1000 + 7199, 1000) == 1000 + 7200


def test_times_are_those_of_the_zone_on_both_sides_of_a_change() -> None:
    found = runs("cron(0 20 * * ? *)", "2026-10-24T12:00", 2, "Europe/Berlin")
    assert found == ["2026-10-24T20:00", "2026-10-25T20:00"]
    at = parse("at(2026-07-01T20:00:00)", "Europe/Berlin")
    assert at.next(0, 0) == datetime.fromisoformat("2026-07-01T18:00:00+00:00").timestamp()


def test_a_skipped_hour_is_skipped_and_a_repeated_one_runs_once() -> None:
    assert runs("cron(30 2 * * ? *)", "2026-03-28T12:00", 1, "Europe/Berlin") == ["2026-03-30T02:30"]
    assert runs("cron(30 2 * * ? *)", "2026-10-24T12:00", 2, "Europe/Berlin") == [
        "2026-10-25T02:30",
        "2026-10-26T02:30",
    ]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("every day", "none of"),
        ("rate(0 minutes)", "from 1"),
        ("rate(5 weeks)", "minutes, hours or days"),
        ("cron(0 20 * * *)", "six fields"),
        ("cron(0 20 * * * *)", "one of day-of-month"),
        ("cron(0 20 ? * ? *)", "one of day-of-month"),
        ("cron(60 20 * * ? *)", "0-59"),
        ("cron(0 20 * FOO ? *)", "'FOO'"),
        ("cron(0 20 ? * MON#6 *)", "1 to 5"),
        ("cron(0/0 20 * * ? *)", "step"),
        ("at(2026-11-26 10:16)", "yyyy-mm-dd"),
    ],
)
def test_what_is_wrong_is_said(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(expression)


def test_an_unknown_zone_and_a_time_that_does_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone 'Mars/Base'"):
        parse("rate(1 day)", "Mars/Base")
    with pytest.raises(ValueError, match="clocks are put forward"):
        parse("at(2026-03-29T02:30:00)", "Europe/Berlin")
