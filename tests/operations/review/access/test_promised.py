"""Verdicts on promises: those of the environments are proved in tests/stacks."""

from __future__ import annotations

from operations.review.access.decide import Answer
from operations.review.access.promised import promises
from sandcastle.promises import METADATA_KEY
from tests.operations.review.access.worlds import allow, arn, assembly, bucket, objects, role


def promising(*entries: object) -> dict[str, object]:
    return {**role(allow("s3:GetObject", objects("Data", "bank/"))), "Metadata": {METADATA_KEY: list(entries)}}


def test_verdicts() -> None:
    made = promising(
        {"may": "s3:GetObject", "on": objects("Data", "bank/x/")},
        {"may": "s3:GetObject", "on": objects("Data")},
        {"may not": "s3:GetObject", "on": objects("Data", "other/")},
        {"may not": "s3:GetObject", "on": "*"},
        {"may": "s3:GetObject", "on": {"Ref": "Parameter"}},
        {"may": "s3:GetObject", "on": ["no text"]},
        {"nonsense": 1},
        7,
    )
    found = promises(assembly({"Data": bucket(), "Me": made}))
    assert [(one.answer, one.kept) for one in found] == [
        (Answer.ALL, True),
        (Answer.SOME, False),
        (Answer.NONE, True),
        (Answer.SOME, False),
        (Answer.UNKNOWN, None),
        (Answer.UNKNOWN, None),
    ]
    assert {(one.principal, one.stack, one.path) for one in found} == {("app/Me", "app", "Me")}


def test_promises_beside_a_policy_are_the_roles() -> None:
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "Me"}], "PolicyDocument": {"Statement": []}},
        "Metadata": {METADATA_KEY: [{"may not": "s3:PutObject", "on": arn("Data")}]},
    }
    (found,) = promises(assembly({"Data": bucket(), "Me": role(), "Beside": policy}))
    assert (found.principal, found.kept) == ("app/Me", True)
