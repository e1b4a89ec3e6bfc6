"""Every promise of every environment is proved; turned round, none is; and the verdicts tell why."""

from __future__ import annotations

import dataclasses

import pytest

from operations.review.access.decide import Answer
from operations.review.access.promised import promises, said_in, verdict
from operations.review.access.world import World
from operations.review.assembly import read_assembly
from sandcastle.promises import METADATA_KEY
from tests.operations.review.access.worlds import allow, arn, assembly, bucket, objects, role
from tests.synthesis import synthesise


@pytest.mark.parametrize("environment", ["local", "pipelines"])
def test_all_promises_of_an_environment_are_kept(environment: str) -> None:
    world = World.of(read_assembly(synthesise(environment).folder))
    told = list(said_in(world))
    assert len(told) > 300
    for one in told:
        found = verdict(world, one)
        assert found.kept, found
        turned = dataclasses.replace(one, promise=dataclasses.replace(one.promise, allowed=not one.promise.allowed))
        assert verdict(world, turned).kept is False, turned


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
