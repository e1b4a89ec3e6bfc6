"""The end of a life is moved with its warnings, and only when there is something to move."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.life import extend, life_of
from operations.people import enter
from operations.rest import night
from operations.stacks import environment_stacks
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import wait_for
from tests.operations.furniture import Furniture

pytestmark = pytest.mark.localcloud

OFF = {"Mode": "OFF"}


def quiet() -> Console:
    return Console(as_json=True)


def stack(target: Target, environment: str, part: str, template: dict[str, Any]) -> None:
    client = target.client("cloudformation")
    name = client.create_stack(
        StackName=f"sandcastle-{environment}-{part}", TemplateBody=json.dumps(template),
        Tags=[{"Key": "sandcastle:environment", "Value": environment}],
    )["StackId"]  # fmt: skip
    wait_for(
        lambda: client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"],
        lambda status: status == "CREATE_COMPLETE",
    )


def mortal(target: Target, server: Localcloud, environment: str, life: timedelta) -> datetime:
    """An environment with the schedules that a deploy makes; the moment at which it ends."""
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": f"expiry-of-{environment}"}}
    outputs = {"ExpiryGroup": {"Value": {"Ref": "Group"}}}
    stack(target, environment, "guardrails", {"Resources": {"Group": group}, "Outputs": outputs})
    house = Furniture(target, server, environment)
    house.code()
    expiry = (target.now() + life).replace(second=0, microsecond=0)
    what = {"do": "expire", "at": "<aws.scheduler.scheduled-time>"}
    target.client("scheduler").create_schedule(
        GroupName=f"expiry-of-{environment}", Name="expire", ScheduleExpression="rate(5 minutes)", StartDate=expiry,
        FlexibleTimeWindow=OFF,
        Target={
            "Arn": f"arn:aws:lambda:us-east-1:{target.account}:function:function-of-{environment}",
            "RoleArn": house._role("expiry", "scheduler.amazonaws.com"), "Input": json.dumps(what),
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 300},
        },
    )  # fmt: skip
    return expiry


def schedules(target: Target, environment: str) -> dict[str, Any]:
    client, group = target.client("scheduler"), f"expiry-of-{environment}"
    names = [one["Name"] for one in client.list_schedules(GroupName=group)["Schedules"]]
    return {name: client.get_schedule(GroupName=group, Name=name) for name in names}


def test_an_end_moves_and_the_warnings_that_are_ahead_again_are_made_anew(target: Target, server: Localcloud) -> None:
    expiry = mortal(target, server, "moves", timedelta(minutes=50))  # both warnings have been sent
    before = schedules(target, "moves")["expire"]
    said = extend(target, "moves", "2d", quiet())
    later = expiry + timedelta(days=2)
    assert (said["before"], said["expires"]) == (expiry.isoformat(), later.isoformat())
    after = schedules(target, "moves")
    assert after["expire"]["StartDate"].astimezone(UTC) == later
    unchanged = ("ScheduleExpression", "State", "Target", "FlexibleTimeWindow")
    assert {key: after["expire"][key] for key in unchanged} == {key: before[key] for key in unchanged}
    for name, hours in (("warn-24h", 24), ("warn-1h", 1)):
        moment = later - timedelta(hours=hours)
        assert after[name]["ScheduleExpression"] == f"at({moment:%Y-%m-%dT%H:%M:%S})"
        assert after[name]["ActionAfterCompletion"] == "DELETE"
        assert json.loads(after[name]["Target"]["Input"]) == {"do": "warn", "at": "<aws.scheduler.scheduled-time>"}
        assert after[name]["Target"]["Arn"] == before["Target"]["Arn"]


def test_extending_twice_moves_the_warnings_along(target: Target, server: Localcloud) -> None:
    expiry = mortal(target, server, "twice", timedelta(hours=3))
    extend(target, "twice", "1h", quiet())
    assert set(schedules(target, "twice")) == {"expire", "warn-1h"}  # 24 hours before it is past
    extend(target, "twice", "90m", quiet())
    moment = expiry + timedelta(minutes=150) - timedelta(hours=1)
    assert schedules(target, "twice")["warn-1h"]["ScheduleExpression"] == f"at({moment:%Y-%m-%dT%H:%M:%S})"


def test_what_is_being_destroyed_is_not_extended(target: Target, server: Localcloud) -> None:
    mortal(target, server, "over", timedelta(minutes=10))
    server.admin("POST", "clock", {"advance_seconds": 3600})
    life = life_of(target, environment_stacks(target, "over"))
    assert life is not None
    assert life.over
    with pytest.raises(UsageError, match="being destroyed already"):
        extend(target, "over", "2d", quiet())


def test_what_never_expires_is_not_extended_and_has_no_nights(target: Target) -> None:
    stack(target, "eternal", "guardrails", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    assert life_of(target, environment_stacks(target, "eternal")) is None
    with pytest.raises(UsageError, match="never expires"):
        extend(target, "eternal", "2d", quiet())
    with pytest.raises(UsageError, match="nightly_stop"):
        night(target, "eternal", "wake", quiet())
    with pytest.raises(OperationError, match="no Studio"):
        enter(target, "eternal", "ada", quiet())


@pytest.mark.parametrize("by", ["2", "2w", "-1h", "0h", "400d", "1h 30m"])
def test_a_length_that_is_none_changes_nothing(target: Target, by: str) -> None:
    with pytest.raises(UsageError, match="90m, 12h or 2d"):
        extend(target, "never-was", by, quiet())


def test_an_environment_that_is_not_there_is_not_extended(target: Target) -> None:
    with pytest.raises(OperationError, match="not deployed"):
        extend(target, "never-was", "2d", quiet())
