"""The schedules of an environment's end: counted once, kept by later deployments, counted anew for another life."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import expiry_schedule
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import CloudFormation, Context, Scripted

NOW = datetime(2100, 1, 1, 10, 0, 30, tzinfo=UTC)
GROUP, FUNCTION, ROLE = "group", "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:iam::000000000000:role/r"
DAY = timedelta(days=1)


def request(name: str, do: str, **settings: Any) -> dict[str, Any]:
    return {
        "GroupName": GROUP,
        "Name": name,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": FUNCTION,
            "RoleArn": ROLE,
            "Input": json.dumps({"do": do, "at": "<aws.scheduler.scheduled-time>"}),
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 300},
        },
        **settings,
    }


def expire(**settings: Any) -> dict[str, Any]:
    return request("expire", "expire", ScheduleExpression="rate(5 minutes)", **settings)


def warn(name: str, at: str) -> dict[str, Any]:
    return request(name, "warn", ScheduleExpression=f"at({at})", ActionAfterCompletion="DELETE")


def written(scheduler: Scripted, one: dict[str, Any], *, new: bool = True) -> None:
    if new:
        scheduler.reply("create_schedule", one, {"ScheduleArn": "arn"})
    else:
        scheduler.refuse("create_schedule", "ConflictException", request=one)
        scheduler.reply("update_schedule", one, {"ScheduleArn": "arn"})


def found(scheduler: Scripted, name: str, **answer: Any) -> None:
    scheduler.reply("get_schedule", {"GroupName": GROUP, "Name": name}, answer)


def missing(scheduler: Scripted, operation: str, name: str) -> None:
    scheduler.refuse(operation, "ResourceNotFoundException", request={"GroupName": GROUP, "Name": name})


def schedules(scheduler: Scripted) -> expiry_schedule.Schedules:
    return expiry_schedule.Schedules(scheduler.client, GROUP, FUNCTION, ROLE)


def test_the_life_counts_from_what_scheduler_says_the_time_is(scheduler: Scripted) -> None:
    written(scheduler, expire(State="DISABLED"))
    found(scheduler, "expire", LastModificationDate=NOW)
    written(scheduler, warn("warn-24h", "2100-01-03T10:01:00"))
    written(scheduler, warn("warn-1h", "2100-01-04T09:01:00"))
    written(scheduler, expire(StartDate=datetime(2100, 1, 4, 10, 1, tzinfo=UTC)), new=False)
    expiry_schedule.count_from_now(schedules(scheduler), 3 * DAY)


def test_warnings_whose_time_is_past_are_not_sent(scheduler: Scripted) -> None:
    written(scheduler, expire(State="DISABLED"), new=False)
    found(scheduler, "expire", LastModificationDate=NOW)
    scheduler.reply("delete_schedule", {"GroupName": GROUP, "Name": "warn-24h"})
    written(scheduler, warn("warn-1h", "2100-01-01T11:01:00"))
    written(scheduler, expire(StartDate=datetime(2100, 1, 1, 12, 1, tzinfo=UTC)), new=False)
    expiry_schedule.count_from_now(schedules(scheduler), timedelta(hours=2))


def test_a_life_of_half_an_hour_has_no_warnings_and_still_an_end(scheduler: Scripted) -> None:
    written(scheduler, expire(State="DISABLED"))
    found(scheduler, "expire", LastModificationDate=NOW)
    missing(scheduler, "delete_schedule", "warn-24h")
    missing(scheduler, "delete_schedule", "warn-1h")
    written(scheduler, expire(StartDate=datetime(2100, 1, 1, 10, 31, tzinfo=UTC)), new=False)
    expiry_schedule.count_from_now(schedules(scheduler), timedelta(minutes=30))


def test_a_later_deployment_keeps_the_dates_also_those_that_a_person_moved(scheduler: Scripted) -> None:
    moved = datetime(2100, 2, 2, tzinfo=UTC)
    found(scheduler, "expire", StartDate=moved)
    missing(scheduler, "get_schedule", "warn-24h")
    found(scheduler, "warn-1h", ScheduleExpression="at(2100-02-01T23:00:00)")
    written(scheduler, warn("warn-1h", "2100-02-01T23:00:00"), new=False)
    written(scheduler, expire(StartDate=moved), new=False)
    assert expiry_schedule.keep(schedules(scheduler)) is True


def test_an_environment_that_has_expired_is_left_to_what_destroys_it(scheduler: Scripted) -> None:
    found(scheduler, "expire", StartDate=datetime(2001, 1, 1, tzinfo=UTC))
    assert expiry_schedule.keep(schedules(scheduler)) is True


def test_without_a_date_there_is_none_to_keep(scheduler: Scripted) -> None:
    missing(scheduler, "get_schedule", "expire")
    assert expiry_schedule.keep(schedules(scheduler)) is False
    found(scheduler, "expire", State="DISABLED")
    assert expiry_schedule.keep(schedules(scheduler)) is False


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler to assume it."),
        ("AccessDeniedException", "not authorized to perform: iam:PassRole"),
    ],
)
def test_a_role_that_is_not_known_yet_is_waited_for(
    scheduler: Scripted, pauses: list[float], code: str, text: str
) -> None:
    scheduler.refuse("create_schedule", code, text)
    written(scheduler, expire(State="DISABLED"))
    schedules(scheduler).expire(State="DISABLED")
    assert len(pauses) == 1


def test_it_is_not_waited_for_ever(scheduler: Scripted, pauses: list[float]) -> None:
    for _ in range(int(expiry_schedule.ROLE_SECONDS / expiry_schedule.PAUSE_SECONDS) + 2):
        scheduler.refuse("create_schedule", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        schedules(scheduler).expire()
    assert sum(pauses) == pytest.approx(expiry_schedule.ROLE_SECONDS, abs=5)


def test_what_does_not_pass_fails_at_once(scheduler: Scripted) -> None:
    scheduler.refuse("create_schedule", "ValidationException", "Invalid Schedule Expression")
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        schedules(scheduler).expire()


@pytest.mark.parametrize(
    ("request_type", "old", "called"),
    [
        ("Create", None, ["count"]),
        ("Update", "60", ["keep"]),
        ("Update", "90", ["count"]),
        ("Delete", None, []),
    ],
)
def test_which_change_counts_anew(
    cloudformation: CloudFormation,
    monkeypatch: pytest.MonkeyPatch,
    request_type: str,
    old: str | None,
    called: list[str],
) -> None:
    done: list[str] = []

    def keep(_: object) -> bool:
        done.append("keep")
        return True

    monkeypatch.setattr(expiry_schedule, "client", lambda _: None)
    monkeypatch.setattr(expiry_schedule, "keep", keep)
    monkeypatch.setattr(expiry_schedule, "count_from_now", lambda *_: done.append("count"))
    event = cloudformation.event(
        request_type, ExpiresAfterMinutes="60", Group=GROUP, FunctionArn=FUNCTION, RoleArn=ROLE
    )
    if old:
        event["OldResourceProperties"] = {"ExpiresAfterMinutes": old}
    expiry_schedule.handler(event, Context())
    assert done == called
    (told,) = cloudformation.answers
    assert told["Status"] == "SUCCESS"
