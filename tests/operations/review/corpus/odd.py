"""Templates that are not as they should be: the review says so, and misses nothing."""

from __future__ import annotations

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import BASE, WORK, allow, bucket, policy, ref, resource


def _not_a_resource(templates: Templates) -> None:
    templates[WORK]["Resources"]["Odd"] = ["not", "a", "resource"]


def _without_type(templates: Templates) -> None:
    templates[WORK]["Resources"]["Odd"] = {"Properties": {}}


def _properties_a_text(templates: Templates) -> None:
    templates[WORK]["Resources"]["FunctionLogs"]["Properties"] = "none"


def _resources_a_list(templates: Templates) -> None:
    templates[WORK]["Resources"] = []


def _circle(templates: Templates) -> None:
    templates[BASE]["Resources"] |= {
        "A": resource("AWS::EC2::SecurityGroup", GroupDescription="a", VpcId=ref("B")),
        "B": resource("AWS::EC2::SecurityGroup", GroupDescription="b", VpcId=ref("A")),
        "C": resource("AWS::EC2::SecurityGroup", GroupDescription="c", VpcId=ref("C")),
    }


def _circle_changed(templates: Templates) -> None:
    for name in "ABC":
        templates[BASE]["Resources"][name]["Properties"]["GroupDescription"] = "another"


def _many(templates: Templates) -> None:
    for number in range(500):
        templates[WORK]["Resources"][f"Topic{number}"] = resource("AWS::SNS::Topic", DisplayName=f"{number}")


def _many_and_one(templates: Templates) -> None:
    for number in range(500):
        templates[WORK]["Resources"][f"Topic{number}"]["Properties"]["DisplayName"] = "x" * 200
    templates[WORK]["Resources"]["Own"] = bucket()


def _enormous_policy(templates: Templates) -> None:
    statements = [allow([f"s3:Get{n}x{m}" for m in range(10)], f"arn:aws:s3:::b{n}/*") for n in range(150)]
    templates[WORK]["Resources"]["Big"] = resource(
        "AWS::IAM::Policy",
        PolicyName="big",
        Roles=[ref("Role")],
        PolicyDocument=policy(*statements, allow("iam:*", "*")),
    )


def _deep(templates: Templates) -> None:
    value: object = "end"
    for _ in range(200):
        value = {"Fn::Join": ["", ["x", value]]}
    templates[WORK]["Resources"]["FunctionLogs"]["Properties"]["LogGroupName"] = value


def _another_type(templates: Templates) -> None:
    templates[BASE]["Resources"]["Data"]["Type"] = "AWS::S3Express::DirectoryBucket"


PAIRS = (
    Pair("a list for a resource", _not_a_resource, "blocked", frozenset({"malformed Odd"})),
    Pair("a resource without a type", _without_type, "blocked", frozenset({"malformed Odd"})),
    Pair("a list for a resource that was there before", lambda _: None, "clean", base=_not_a_resource),
    Pair("circular references", _circle_changed, "clean", acts={"demo-foundation/A": "replace"}, base=_circle),
    Pair("500 resources", _many, "clean", says=("500 created",)),
    Pair("a blocker among 500 changes", _many_and_one, "blocked", frozenset({"not-destroyed Own"}), base=_many),
    Pair("enormous policy", _enormous_policy, "blocked", frozenset({"wildcard Big"})),
    Pair("deep nesting", _deep, "look", acts={"demo-workload/FunctionLogs": "replace"}),
    Pair(
        "another type under the same id",
        _another_type,
        "blocked",
        frozenset({"data-lost Data", "deploy-fails"}),
        {"demo-foundation/Data": "replace"},
    ),
)
