"""Cases that were decided by hand, from the IAM user guide: what the world of a template allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from operations.review.access.decide import Answer
from operations.review.access.world import World
from operations.review.assembly import Assembly, Stack
from tests.operations.review.access.worlds import (
    allow,
    arn,
    assembly,
    bucket,
    bucket_policy,
    deny,
    document,
    managed,
    objects,
    role,
)

READ = "s3:GetObject"
ALL, NONE, SOME, CONDITIONAL, UNKNOWN = Answer


def asked(resources: dict[str, Any], action: str = READ, on: Any = None, **context: str) -> Answer:
    """Ask about the role ``Me`` and, unless said, every object of the bucket ``Data``."""
    world = World.of(assembly({"Data": bucket(), "Other": bucket(), **resources}))
    target = world.values.text("app", objects("Data") if on is None else on)
    return world.answer("app/Me", action, target, {key.replace("__", ":"): value for key, value in context.items()})


@pytest.mark.parametrize(
    ("statements", "answer"),
    [
        ([allow(READ, objects("Data"))], ALL),
        ([allow(READ, objects("Data", "bank/"))], SOME),
        ([allow(READ, objects("Other"))], NONE),
        ([allow("s3:*", "*"), deny(READ, objects("Data"))], NONE),
        ([allow("s3:*", "*"), deny(READ, objects("Data", "secret/"))], SOME),
        ([{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], ALL),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": objects("Data")}], NONE),
        ([{"Effect": "Allow", "Action": "S3:getobject", "NotResource": objects("Other")}], ALL),
        ([allow(READ, objects("Data"), Condition={"StringEquals": {"aws:RequestTag/x": "y"}})], CONDITIONAL),
        ([allow(READ, {"Ref": "Parameter"})], UNKNOWN),
        ([allow(READ, ["*", {"Ref": "Parameter"}])], ALL),
        ([allow(READ, "*"), deny(READ, {"Fn::If": ["Maybe", "*", "x"]})], UNKNOWN),
        ([{"Fn::If": ["Maybe", allow(READ, "*"), {"Ref": "AWS::NoValue"}]}], UNKNOWN),
        ([{"Effect": "Allow", "Action": READ}], UNKNOWN),
        (["what"], UNKNOWN),
    ],
)
def test_identity_policies(statements: list[Any], answer: Answer) -> None:
    assert asked({"Me": role(*statements)}) is answer


def test_conditions_are_decided_where_the_context_tells() -> None:
    mine = {"Me": role(allow(READ, "*", Condition={"StringLike": {"aws:RequestTag/team": ["a*", "b"]}}))}
    assert asked(mine, **{"aws__RequestTag/team": "ab"}) is ALL
    assert asked(mine, **{"AWS__requesttag/TEAM": "c"}) is NONE
    assert asked(mine) is CONDITIONAL


def test_conditions_that_leave_nothing_open_are_no_conditions() -> None:
    either = [allow(READ, "*", Condition={operator: {"k": "v"}}) for operator in ("StringEquals", "StringNotEquals")]
    assert asked({"Me": role(*either)}) is ALL
    both = [allow(READ, "*", Condition=one) for one in ({"StringEquals": {"k": "v"}}, {"Null": {"k": "true"}})]
    assert asked({"Me": role(*both)}) is CONDITIONAL
    assert (
        asked({"Me": role(allow(READ, "*"), deny(READ, "*", Condition={"Null": {"k": "false"}}), *both)}) is CONDITIONAL
    )
    never = {"StringEquals": {"k": "v"}, "StringNotLike": {"k": "v*"}}
    assert asked({"Me": role(allow(READ, "*", Condition=never))}) is NONE


def test_boundary_limits() -> None:
    limit = managed({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})
    bounded = role(allow("*", "*"), PermissionsBoundary={"Ref": "Limit"})
    assert asked({"Me": bounded, "Limit": limit}) is NONE
    assert asked({"Me": bounded, "Limit": managed(allow("s3:*", objects("Data", "bank/")))}) is SOME
    assert asked({"Me": role(allow("*", "*"), PermissionsBoundary="arn:aws:iam::aws:policy/Some")}) is UNKNOWN
    assert asked({"Me": role(PermissionsBoundary="arn:aws:iam::aws:policy/Some")}) is NONE


def test_policies_beside_the_role() -> None:
    beside = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "Me"}], "PolicyDocument": document(allow(READ, "*"))},
    }
    assert asked({"Me": role(), "Beside": beside}) is ALL
    assert asked({"Me": role(), "Beside": {**beside, "Condition": "Maybe"}}) is UNKNOWN
    assert asked({"Me": role(), "Managed": managed(allow(READ, "*"), Roles=[{"Ref": "Me"}])}) is ALL
    assert asked({"Me": role(ManagedPolicyArns=[{"Ref": "Managed"}]), "Managed": managed(allow(READ, "*"))}) is ALL
    assert asked({"Me": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3FullAccess"])}) is UNKNOWN
    assert (
        asked({"Me": role(deny("s3:*", "*"), ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3FullAccess"])}) is NONE
    )


def test_groups_of_users() -> None:
    group = {"Type": "AWS::IAM::Group", "Properties": {"Policies": [{"PolicyDocument": document(allow(READ, "*"))}]}}
    assert asked({"Me": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "Team"}]}}, "Team": group}) is ALL
    assert (
        asked({"Me": {"Type": "AWS::IAM::User", "Properties": {"Groups": ["made-elsewhere"]}}, "Team": group})
        is UNKNOWN
    )


@pytest.mark.parametrize(
    ("principal", "more", "answer"),
    [
        ("*", {}, ALL),
        ({"AWS": arn("Me")}, {}, ALL),
        ({"AWS": arn("Another")}, {}, NONE),
        ({"Service": "s3.amazonaws.com"}, {}, NONE),
        ({"AWS": {"Ref": "AWS::AccountId"}}, {}, NONE),  # leaves it to the account's own policies
        ({"AWS": "123456789012"}, {}, NONE),  # whether or not it is this one
        ("*", {"Condition": {"StringEquals": {"aws:PrincipalArn": arn("Me")}}}, ALL),
        ("*", {"Condition": {"StringEquals": {"aws:PrincipalArn": arn("Another")}}}, NONE),
        ("*", {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, CONDITIONAL),
    ],
)
def test_bucket_policies_grant(principal: Any, more: Any, answer: Answer) -> None:
    granted = bucket_policy("Data", allow(READ, objects("Data"), Principal=principal, **more))
    assert asked({"Me": role(), "Another": role(), "Policy": granted}) is answer


def test_bucket_policies_deny_everybody_and_only_in_their_bucket() -> None:
    refused = bucket_policy("Data", deny("*", "*", Principal="*"))
    mine = {"Me": role(allow(READ, "*")), "Policy": refused}
    assert asked(mine) is NONE
    assert asked(mine, on=objects("Other")) is ALL
    tls = bucket_policy(
        "Data", deny("s3:*", objects("Data"), Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    )
    assert asked({"Me": role(allow(READ, "*")), "Policy": tls}) is CONDITIONAL
    assert asked({"Me": role(allow(READ, "*")), "Policy": tls}, aws__SecureTransport="true") is ALL


def test_grant_to_everybody_past_a_silent_boundary_is_not_known() -> None:
    granted = bucket_policy("Data", allow(READ, objects("Data"), Principal="*"))
    mine = role(PermissionsBoundary={"Ref": "Limit"})
    assert asked({"Me": mine, "Limit": managed(allow("sqs:*", "*")), "Policy": granted}) is UNKNOWN
    assert asked({"Me": mine, "Limit": managed(deny("s3:*", "*")), "Policy": granted}) is NONE


def key(*statements: Any) -> dict[str, Any]:
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(*statements)}}


def test_keys_open_by_leave_of_their_own_policy() -> None:
    root = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    mine = role(allow("kms:Decrypt", "*"))
    delegated = key(allow("kms:*", "*", Principal=root))
    assert asked({"Me": mine, "Key": delegated}, "kms:Decrypt", arn("Key")) is ALL
    assert asked({"Me": role(), "Key": delegated}, "kms:Decrypt", arn("Key")) is NONE
    closed = key(allow("kms:*", "*", Principal={"AWS": arn("Other2")}))
    assert asked({"Me": mine, "Other2": role(), "Key": closed}, "kms:Decrypt", arn("Key")) is NONE
    assert asked({"Me": mine, "Key": delegated}, "kms:Decrypt", "arn:aws:kms:us-east-1:999999999999:key/x") is UNKNOWN


def test_roles_are_taken_by_leave_of_their_trust() -> None:
    mine = role(allow("sts:AssumeRole", "*"))
    trusting = role(trust={"Effect": "Allow", "Principal": {"AWS": arn("Me")}, "Action": "sts:AssumeRole"})
    assert asked({"Me": mine, "Goal": trusting}, "sts:AssumeRole", arn("Goal")) is ALL
    assert asked({"Me": role(), "Goal": trusting}, "sts:AssumeRole", arn("Goal")) is ALL
    assert asked({"Me": mine, "Goal": role()}, "sts:AssumeRole", arn("Goal")) is NONE


def test_policy_variables_differ_from_request_to_request() -> None:
    mine = {"Me": role(allow(READ, {"Fn::Join": ["", [arn("Data"), "/${aws:username}/*"]]}))}
    assert asked(mine) is SOME  # below somebody's name, and not outside of a folder
    assert asked(mine, on={"Fn::Join": ["", [arn("Data"), "/ada/*"]]}) is UNKNOWN
    assert asked(mine, on=objects("Other")) is NONE


def test_exports_of_other_stacks_are_followed() -> None:
    made = {
        "Resources": {"Data": bucket()},
        "Outputs": {"Out": {"Value": arn("Data"), "Export": {"Name": "made:data"}}},
    }
    there = {"Fn::Join": ["", [{"Fn::ImportValue": "made:data"}, "/*"]]}
    world = World.of(assembly({"Me": role(allow(READ, there))}, made=made))
    assert world.answer("app/Me", READ, f"{world.values.arn('made', 'Data')}/*") is ALL
    assert world.answer("app/Me", READ, "arn:aws:s3:::other/*") is NONE


def test_what_custom_resources_return_may_be_the_same() -> None:
    two = {name: {"Type": "Custom::Thing", "Properties": {}} for name in ("One", "Two")}
    mine = {"Me": role(allow(READ, {"Fn::Join": ["", [arn("One"), "/*"]]})), **two}
    assert asked(mine, on={"Fn::Join": ["", [arn("One"), "/x"]]}) is ALL
    assert asked(mine, on={"Fn::Join": ["", [arn("Two"), "/x"]]}) is UNKNOWN


def test_another_account_needs_both_sides() -> None:
    first = assembly({"Me": role(allow(READ, "*"))}).stacks["app"]
    second = {
        "Resources": {"Data": bucket(), "Policy": bucket_policy("Data", allow(READ, objects("Data"), Principal="*"))}
    }
    stacks = {
        "app": Stack("app", first.template, "111111111111", "us-east-1"),
        "far": Stack("far", second, "222222222222", "us-east-1"),
    }
    world = World.of(Assembly(Path(), stacks))
    assert world.answer("app/Me", READ, f"{world.values.arn('far', 'Data')}/*") is UNKNOWN


def test_odd_templates_are_answered_with_unknown_not_with_a_crash() -> None:
    circle: Any = {"Fn::GetAtt": ["Round", "Arn"]}
    odd = {
        "Round": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Round"}}},
        "Me": role(allow(READ, circle), ManagedPolicyArns={"Fn::If": ["a"]}, PermissionsBoundary=[1]),
        "List": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": "x", "PolicyDocument": [1, 2]}},
        "None": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [7]}}},
    }
    assert asked(odd) is UNKNOWN
    private = {"Me": role(allow(READ, "arn:aws:s3:::\U000f0001*"))}
    assert asked(private) is UNKNOWN
