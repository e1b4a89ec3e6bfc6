"""The janitor of a spending limit: whoever has the policy loses it, and the work ends only when IAM says nobody has."""

from __future__ import annotations

import pytest
import spending_release
from botocore.exceptions import ClientError

from tests.functions.conftest import CloudFormation, Context, Scripted

POLICY = "arn:aws:iam::000000000000:policy/limit"


def expect_page(iam: Scripted, *roles: str, more: str = "", marker: str = "") -> None:
    request = {"PolicyArn": POLICY, "EntityFilter": "Role", **({"Marker": marker} if marker else {})}
    answer = {"PolicyRoles": [{"RoleName": role} for role in roles], "IsTruncated": bool(more)}
    iam.reply("list_entities_for_policy", request, answer | ({"Marker": more} if more else {}))


def test_every_role_on_every_page_loses_the_policy_and_is_named(iam: Scripted) -> None:
    expect_page(iam, "ada", more="next")
    iam.reply("detach_role_policy", {"RoleName": "ada", "PolicyArn": POLICY})
    expect_page(iam, "by-hand", marker="next")
    iam.reply("detach_role_policy", {"RoleName": "by-hand", "PolicyArn": POLICY})
    assert spending_release.release(iam.client, POLICY) == "the spending limit was on ada, by-hand"
    expect_page(iam)
    assert spending_release.release(iam.client, POLICY) == ""


def test_a_policy_that_is_gone_is_on_nobody(iam: Scripted) -> None:
    iam.refuse("list_entities_for_policy", "NoSuchEntity")
    assert spending_release.release(iam.client, POLICY) == ""


def test_a_role_that_lost_it_in_the_meantime_is_done(iam: Scripted) -> None:
    expect_page(iam, "ada", "grace")
    iam.refuse("detach_role_policy", "NoSuchEntity")
    iam.reply("detach_role_policy", {"RoleName": "grace", "PolicyArn": POLICY})
    assert "grace" in spending_release.release(iam.client, POLICY)


def test_a_refusal_is_not_taken_for_success(iam: Scripted) -> None:
    expect_page(iam, "ada")
    iam.refuse("detach_role_policy", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        spending_release.release(iam.client, POLICY)


def test_handler_works_on_delete_and_answers(
    iam: Scripted, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    monkeypatch.setattr(spending_release, "client", lambda service: {"iam": iam.client}[service])
    event = cloudformation.event("Create", PolicyArn=POLICY, WaitSeconds="3300")
    spending_release.handler(event, Context())
    expect_page(iam, "ada")
    iam.reply("detach_role_policy", {"RoleName": "ada", "PolicyArn": POLICY})
    expect_page(iam)
    spending_release.handler(cloudformation.event("Delete", PolicyArn=POLICY, WaitSeconds="3300"), Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS", "SUCCESS"]
    assert len(pauses) == 1
