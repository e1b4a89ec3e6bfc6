"""Changes of a whole environment: few words, the promises that break, and nothing about what stays the same."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

from operations.review.access import AccessChange, changes
from operations.review.assembly import Assembly, read_assembly
from tests.synthesis import synthesise

BANK, FOUNDATION = "sandcastle-local-workload-bank", "sandcastle-local-foundation"


@cache
def local() -> Assembly:
    return read_assembly(synthesise("local").folder)


def after(stack: str, edit: Callable[[dict[str, Any]], None]) -> list[AccessChange]:
    """Return what an edit of one stack's resources does."""
    template = copy.deepcopy(dict(local().stacks[stack].template))
    edit(template["Resources"])
    changed = dataclasses.replace(local().stacks[stack], template=template)
    return changes(local(), Assembly(local().folder, {**local().stacks, stack: changed}))


def found(resources: dict[str, Any], start: str, kind: str = "AWS::IAM::Role") -> dict[str, Any]:
    properties: dict[str, Any]
    (properties,) = (
        one["Properties"] for key, one in resources.items() if key.startswith(start) and one["Type"] == kind
    )
    return properties


def reads(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the statement by which the training role reads its data."""
    statements = found(resources, "TrainedModelRole")["Policies"][0]["PolicyDocument"]["Statement"]
    return next(one for one in statements if one["Action"] == ["s3:GetObject"])


def test_training_reads_every_object() -> None:
    def edit(resources: dict[str, Any]) -> None:
        one = reads(resources)
        one["Resource"] = [{"Fn::Join": ["", [one["Resource"][0]["Fn::Join"][1][0], "/*"]]}]

    (change,) = after(BANK, edit)
    assert change.words.startswith("TrainedModelRole can now read every object in Data (was: every object below bank/")
    assert change.direction == "widened"
    assert change.promise_broken
    assert change.promise_broken.startswith("may not s3:GetObject on every object below bank/")
    assert (change.stack, change.path, change.principal) == (BANK, "TrainedModel/Role", "TrainedModelRole")


def test_a_policy_of_aws_makes_promises_unprovable() -> None:
    def edit(resources: dict[str, Any]) -> None:
        found(resources, "TrainedModelRole")["ManagedPolicyArns"] = [
            "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
        ]

    changed = after(BANK, edit)
    assert [(one.direction, one.newly_unknown) for one in changed] == [("unclear", True)] * 2
    assert "promises of TrainedModelRole cannot be proved: " in changed[0].words


def test_a_bucket_for_everybody_breaks_the_promises_of_many() -> None:
    def edit(resources: dict[str, Any]) -> None:
        document = found(resources, "DataPolicy", "AWS::S3::BucketPolicy")["PolicyDocument"]
        grant = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        document["Statement"].append({**grant, "Resource": document["Statement"][0]["Resource"]})

    (change,) = after(FOUNDATION, edit)
    assert change.words == "anybody can now read bucket Data and every object in Data"
    assert "public" in change.marks
    assert change.promise_broken
    assert change.promise_broken.startswith("JanitorFunctionRole may not s3:GetObject on anything; ")


def test_a_new_version_of_the_data_has_moved_and_breaks_nothing() -> None:
    def edit(resources: dict[str, Any]) -> None:
        one = reads(resources)
        one["Resource"] = [
            {"Fn::Join": ["", [each["Fn::Join"][1][0], f"/bank/{'0' * 16}/{each['Fn::Join'][1][1].split('/')[-2]}/*"]]}
            for each in one["Resource"]
        ]
        role = next(one for key, one in resources.items() if key.startswith("TrainedModelRole"))
        role["Metadata"]["sandcastle:promises"] = []

    changed = after(BANK, edit)
    assert [(one.direction, one.promise_broken) for one in changed] == [("moved", None)]
    assert "another version of the same (was: " in changed[0].words


def test_nothing_changed_and_everything_new() -> None:
    assert changes(local(), local()) == []
    new = changes(Assembly(local().folder, {}), local())
    assert {one.direction for one in new} <= {"widened"}
    assert not any(one.promise_broken or one.newly_unknown for one in new)
    assert [one.words for one in new if "wildcard" in one.marks] == []
