"""The janitors' frame: turns until nothing is left, patience with what passes, handing over, and always an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import janitor
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import CloudFormation, Context, Scripted

FOREVER = float("inf")


def turns(*left: str | Exception) -> Callable[[], str]:
    """Return a turn that says, or raises, these one after the other."""
    script = iter(left)

    def turn() -> str:
        one = next(script)
        if isinstance(one, Exception):
            raise one
        return one

    return turn


def always() -> int:
    return 900_000


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DeleteApp")


def test_turns_are_taken_until_nothing_is_left(pauses: list[float]) -> None:
    janitor.take_turns(turns("two apps", "one app", ""), always, FOREVER)
    assert len(pauses) == 2


def test_pauses_grow_while_nothing_changes_and_start_anew_with_progress(pauses: list[float]) -> None:
    janitor.take_turns(turns(*["two apps"] * 12, "one app", ""), always, FOREVER)
    assert pauses[0] == pauses[12] == janitor.FIRST_PAUSE
    assert pauses[:12] == sorted(pauses[:12])
    assert max(pauses) == janitor.LONGEST_PAUSE


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceInUse", "AccessDenied"])
def test_what_may_pass_is_waited_out(pauses: list[float], code: str) -> None:
    janitor.take_turns(turns(refusal(code), ""), always, FOREVER)
    assert len(pauses) == 1


@pytest.mark.usefixtures("pauses")
def test_a_lasting_refusal_is_told_in_the_services_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(janitor, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(ClientError, match="AccessDenied"):
        janitor.take_turns(turns(*[refusal("AccessDenied")] * 2), always, FOREVER)
    janitor.take_turns(turns(*[refusal("ThrottlingException")] * 5, ""), always, FOREVER)


@pytest.mark.usefixtures("pauses")
def test_the_end_of_the_invocation_is_not_the_end_of_the_work() -> None:
    context = Context([300_000, janitor.RESERVE_MS - 1])
    with pytest.raises(janitor.HandOver):
        janitor.take_turns(turns("an app", "an app"), context.get_remaining_time_in_millis, FOREVER)


def test_at_the_deadline_it_says_what_is_left() -> None:
    with pytest.raises(TimeoutError, match="left: an app"):
        janitor.take_turns(turns("an app"), always, 0.0)


def event(cloudformation: CloudFormation, request_type: str, **more: Any) -> dict[str, Any]:
    return cloudformation.event(request_type, WaitSeconds="3300") | more


def test_creating_and_updating_take_no_turn(cloudformation: CloudFormation) -> None:
    for request_type in ("Create", "Update"):
        janitor.run(event(cloudformation, request_type), Context(), turns())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS", "SUCCESS"]
    assert len({one["PhysicalResourceId"] for one in cloudformation.answers}) == 1


def test_it_hands_over_to_itself_with_the_same_deadline_and_answers_nothing(
    cloudformation: CloudFormation, lambda_: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor, "client", lambda service: {"lambda": lambda_.client}[service])
    first = event(cloudformation, "Delete")
    context = Context([janitor.RESERVE_MS - 1])
    handed: dict[str, Any] = {}

    def remember(params: dict[str, Any], **_: Any) -> None:
        handed.update(params)

    lambda_.client.meta.events.register("provide-client-params.lambda.Invoke", remember)
    lambda_.stub.add_response("invoke", {"StatusCode": 202})
    janitor.run(first, context, turns("an app"))
    assert cloudformation.answers == []
    assert (handed["FunctionName"], handed["InvocationType"]) == (context.invoked_function_arn, "Event")
    again = json.loads(handed["Payload"])
    assert again == first
    janitor.run(again, Context(), turns(""))
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


def test_a_failure_reaches_cloudformation(cloudformation: CloudFormation) -> None:
    janitor.run(event(cloudformation, "Delete", **{janitor.DEADLINE: 0.0}), Context(), turns("an app"))
    (told,) = cloudformation.answers
    assert told["Status"] == "FAILED"
    assert "left: an app" in told["Reason"]
