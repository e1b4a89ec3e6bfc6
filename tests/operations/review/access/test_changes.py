"""What a change does to access is said in words: small pairs, each with the words that a reviewer should read."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from operations.review.access.comparison import changes
from operations.review.access.found import AccessChange
from sandcastle.promises import METADATA_KEY
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

READ, WRITE = "s3:GetObject", "s3:PutObject"
OURS = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
Resources = dict[str, Any]


def base() -> Resources:
    """Return the templates that all pairs begin with."""
    job = role(allow(READ, objects("Data", "bank/")), allow("iam:PassRole", arn("Other"), Condition=OURS))
    job["Metadata"] = {METADATA_KEY: [{"may not": READ, "on": objects("Data", "fraud/")}]}
    return {
        "Data": bucket(PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True)),
        "Policy": bucket_policy(
            "Data", deny("s3:*", objects("Data"), Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
        ),
        "Job": job,
        "Other": role(trust={"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole",
                             "Condition": OURS}),
        "Limit": managed(allow("s3:*", "*")),
    }  # fmt: skip


BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def statements(one: Resources, name: str) -> list[Any]:
    """Return the statements of a role's own policy, or of a bucket's."""
    given = one[name]["Properties"]
    found = given["PolicyDocument"] if "PolicyDocument" in given else given["Policies"][0]["PolicyDocument"]
    listed: list[Any] = found["Statement"]
    return listed


def difference(edit: Callable[[Resources], Any]) -> list[AccessChange]:
    head = base()
    edit(head)
    return changes(assembly(base()), assembly(head))


def put(path: str, value: Any) -> Callable[[Resources], None]:
    """Return an edit that puts a value at ``Resource.Key.Key`` of its properties; None takes it away."""

    def edit(one: Resources) -> None:
        name, *keys, last = path.split(".")
        place = one[name]["Properties"]
        for key in keys:
            place = place[key]
        place[last] = value
        if value is None:
            del place[last]

    return edit


def add(name: str, *more: Any) -> Callable[[Resources], None]:
    return lambda one: statements(one, name).extend(more)


def at(name: str, place: int, **values: Any) -> Callable[[Resources], None]:
    return lambda one: statements(one, name)[place].update(values)


CASES: dict[str, tuple[Callable[[Resources], Any], list[str]]] = {
    "nothing": (lambda one: one, []),
    "wider": (
        at("Job", 0, Resource=objects("Data")),
        ["widened: Job can now read every object in Data (was: every object below bank/ in Data)"],
    ),
    "narrower": (
        at("Job", 0, Resource=objects("Data", "bank/train/")),
        [
            "narrowed: Job can no longer read every object below bank/ in Data (now: every "
            "object below bank/train/ in Data)"
        ],
    ),
    "the same in other words": (at("Job", 0, Action=[READ.lower(), READ]), []),
    "covered already": (add("Job", allow(READ, objects("Data", "bank/train/"))), []),
    "one more action": (
        add("Job", allow(WRITE, objects("Data", "bank/"))),
        ["widened: Job can now write every object below bank/ in Data"],
    ),
    "several": (
        add("Job", allow([WRITE, "s3:DeleteObject", "s3:AbortMultipartUpload"], objects("Data", "bank/"))),
        ["widened: Job can now write, delete and call s3:AbortMultipartUpload on every object below bank/ in Data"],
    ),
    "everything": (
        add("Job", allow("*", "*")),
        [
            "widened: Job can now do everything with anything (was: s3:GetObject on every object "
            "below bank/ in Data and iam:PassRole on role Other if aws:SourceAccount is this "
            "account) [wildcard]"
        ],
    ),
    "condition removed": (
        lambda one: statements(one, "Job")[1].pop("Condition"),
        ["widened: Job can now pass on role Other (was: if aws:SourceAccount is this account)"],
    ),
    "condition added": (
        at("Job", 0, Condition={"StringLike": {"aws:ResourceTag/team": "a*"}}),
        ["narrowed: Job can no longer read every object below bank/ in Data (now: if aws:ResourceTag/team is like a*)"],
    ),
    "condition widened": (
        at("Job", 1, Condition={"StringEquals": {"aws:SourceAccount": [{"Ref": "AWS::AccountId"}, "123456789012"]}}),
        [
            "widened: Job can now pass on role Other if aws:SourceAccount is this account or "
            "123456789012 (was: if aws:SourceAccount is this account)"
        ],
    ),
    "denied": (
        add("Job", deny(READ, objects("Data", "bank/test/"))),
        ["narrowed: Job is now denied to read every object below bank/test/ in Data"],
    ),
    "denied what it could not do": (add("Job", deny("sqs:*", "*")), []),
    "boundary set": (
        put("Job.PermissionsBoundary", {"Ref": "Limit"}),
        [
            "narrowed: Job has a boundary now: it can no longer pass on role Other if "
            "aws:SourceAccount is this account [boundary]"
        ],
    ),
    "policy of AWS": (
        put("Job.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
        [
            "unclear: Job gets AdministratorAccess, whose text is not in the template: what it "
            "can do is not known any more [unknown]",
            "unclear: a promise of Job cannot be proved: may not s3:GetObject on every object "
            "below fraud/ in Data [unknown]",
        ],
    ),
    "policy that cannot be read": (
        add("Job", {"Effect": {"Fn::If": ["Maybe", "Allow", "Deny"]}, "Action": "*", "Resource": "*"}),
        [
            "unclear: a policy of Job cannot be read: what it can do is not known any more [unknown]",
            "unclear: a promise of Job cannot be proved: may not s3:GetObject on every object "
            "below fraud/ in Data [unknown]",
        ],
    ),
    "a parameter": (
        add("Job", allow(WRITE, {"Ref": "Where"})),
        ["widened: Job can now write the value of Where"],
    ),
    "trust without condition": (
        lambda one: one["Other"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0].pop("Condition"),
        [
            "widened: the service x.amazonaws.com can now take the role Other (was: if "
            "aws:SourceAccount is this account) [trust]"
        ],
    ),
    "trust of another account": (
        lambda one: one["Other"]["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
        ),
        ["widened: account 123456789012 can now take the role Other [outside,trust]"],
    ),
    "bucket open": (
        add("Policy", allow(READ, objects("Data"), Principal="*")),
        ["widened: anybody can now read every object in Data [public]"],
    ),
    "bucket for one of ours": (
        add("Policy", allow(WRITE, objects("Data"), Principal={"AWS": arn("Other")})),
        ["widened: Other can now write every object in Data"],
    ),
    "TLS no longer asked": (lambda one: one.pop("Policy"), ["widened: Data no longer refuses requests without TLS"]),
    "public access": (
        put("Data.PublicAccessBlockConfiguration.BlockPublicPolicy", False),
        ["widened: Data no longer blocks public access (BlockPublicPolicy off) [public]"],
    ),
    "public access block removed": (
        put("Data.PublicAccessBlockConfiguration", None),
        [
            "widened: Data no longer blocks public access (BlockPublicAcls, IgnorePublicAcls, "
            "BlockPublicPolicy, RestrictPublicBuckets off) [public]"
        ],
    ),
    "ACL": (
        put("Data.AccessControl", "PublicRead"),
        ["widened: Data has the ACL PublicRead: everybody can read it [public]"],
    ),
    "new role": (
        lambda one: one.update(New=role(allow([READ, WRITE], objects("Data")))),
        [
            "widened: New is a new role, taken by the service lambda.amazonaws.com: can read and "
            "write every object in Data [new]"
        ],
    ),
    "role gone": (
        lambda one: one.pop("Other") and statements(one, "Job").pop(),
        [
            "narrowed: Job can no longer pass on role Other if aws:SourceAccount is this account",
            "narrowed: Other is gone [gone]",
        ],
    ),
    "nested stack": (
        lambda one: one.update(Inner={"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "x"}}),
        ["unclear: Inner is new: a nested stack, whose template is not read here [unknown]"],
    ),
    "policy of a type that is not decided": (
        lambda one: one.update(
            Point={
                "Type": "AWS::S3::AccessPoint",
                "Properties": {"Policy": document(allow("s3:*", "*", Principal="*"))},
            }
        ),
        ["unclear: Point is new: a policy of a AWS::S3::AccessPoint, which is not decided here [unknown]"],
    ),
    "function for anybody": (
        lambda one: one.update(Url={"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}}),
        ["widened: Url lets anybody call its function over the internet [public]"],
    ),
    "permission of a function": (
        lambda one: one.update(
            Work={"Type": "AWS::Lambda::Function", "Properties": {}},
            Permission={
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": arn("Work"),
                    "Action": "lambda:InvokeFunction",
                    "Principal": "s3.amazonaws.com",
                    "SourceArn": arn("Data"),
                },
            },
        ),
        [
            "widened: the service s3.amazonaws.com can now invoke function Work if aws:SourceArn "
            "is like arn:aws:s3:::Data"
        ],
    ),
}


def told(found: list[AccessChange]) -> list[str]:
    """Return changes as lines: direction, words, marks."""
    lines = []
    for one in found:
        marks = ",".join([*sorted(one.marks), *(["unknown"] if one.newly_unknown else [])])
        lines.append(f"{one.direction}: {one.words}{f' [{marks}]' if marks else ''}")
    return sorted(lines)


@pytest.mark.parametrize("name", CASES)
def test_words(name: str) -> None:
    edit, expected = CASES[name]
    assert told(difference(edit)) == sorted(expected)


def test_boundary_removed_opens_what_it_held_back() -> None:
    bounded = base()
    put("Job.PermissionsBoundary", {"Ref": "Limit"})(bounded)
    assert told(changes(assembly(bounded), assembly(base()))) == [
        "widened: Job has no boundary any more: it can now pass on role Other if "
        "aws:SourceAccount is this account"
        " [boundary,unbounded]"
    ]


def test_broken_promises_stand_with_what_breaks_them() -> None:
    text = "may not s3:GetObject on every object below fraud/ in Data"
    (wider,) = difference(at("Job", 0, Resource=objects("Data")))
    assert wider.promise_broken == text
    (opened,) = difference(add("Policy", allow(READ, objects("Data"), Principal="*")))
    assert opened.promise_broken == f"Job {text}"
    (narrower,) = difference(at("Job", 0, Resource=objects("Data", "bank/train/")))
    assert narrower.promise_broken is None


def test_a_promise_that_is_taken_back_with_what_it_forbade_is_broken() -> None:
    def both(one: Resources) -> None:
        at("Job", 0, Resource=objects("Data"))(one)
        del one["Job"]["Metadata"]

    (found,) = difference(both)
    assert found.promise_broken == "may not s3:GetObject on every object below fraud/ in Data"


def test_a_new_promise_that_does_not_hold_is_broken() -> None:
    def edit(one: Resources) -> None:
        one["Job"]["Metadata"][METADATA_KEY].append({"may": WRITE, "on": objects("Data")})

    (found,) = difference(edit)
    assert (found.words, found.promise_broken) == (
        "Job breaks its promise: may s3:PutObject on every object in Data",
        "may s3:PutObject on every object in Data",
    )


def test_the_same_in_another_version_has_moved() -> None:
    def version(name: str) -> Resources:
        made = base()
        at("Job", 0, Resource=objects("Data", f"bank/{name}/train/"))(made)
        return made

    pair = [assembly(version(name * 16)) for name in "ab"]
    assert told(changes(*pair)) == [
        f"moved: Job can read every object below bank/{'b' * 16}/train/ in Data: another version of the same"
        f" (was: {'a' * 16})"
    ]
    assert told(changes(assembly(version("a" * 16)), assembly(version("fraud")))) != []


def test_order_and_repetition_are_no_change() -> None:
    head = dict(reversed(copy.deepcopy(base()).items()))
    statements(head, "Job").reverse()
    statements(head, "Job").append(copy.deepcopy(statements(head, "Job")[0]))
    assert changes(assembly(base()), assembly(head)) == []


def test_enormous_changes_are_said_to_be_unclear() -> None:
    many = [allow(f"s3:Get{at}", objects("Data", f"{at}/")) for at in range(400)]
    found = told(difference(add("Job", *many)))
    assert "unclear: Job: more permissions change than are compared one by one" in found


ODD: list[Any] = [
    None, 7, 1.5, True, [], {}, "x", "*" * 300, "${aws:username}", "{{resolve:ssm:x}}", [[1]], {"a": {"b": 1}},
    {"Ref": "Nope"}, {"Ref": 7}, {"Fn::GetAtt": ["Data"]}, {"Fn::If": ["c", "*", {"Ref": "AWS::NoValue"}]},
    {"Fn::If": "x"}, {"Fn::Join": ["", 5]}, {"Fn::Sub": ["${x}", {"x": [1]}]},
    {"Fn::Select": ["9", []]}, {"Fn::Split": ["", ""]},
    {"Fn::ImportValue": {"Ref": "Data"}}, {"Fn::FindInMap": ["a", "b", "c"]}, {"Fn::Transform": {}},
    {"Statement": {}},
]  # fmt: skip


def test_odd_templates_do_not_end_the_comparison() -> None:
    dice = random.Random(11)  # noqa: S311 - a test's, for nothing secret
    for _ in range(150):
        head = copy.deepcopy(base())
        for _ in range(dice.randint(1, 3)):
            place: Any = head
            *keys, last = dice.choice([path for path in paths(head) if len(path) > 1])
            for key in keys:
                place = place[key]
            place[last] = copy.deepcopy(dice.choice(ODD))
        for one in (changes(assembly(base()), assembly(head)), changes(assembly(head), assembly(base()))):
            assert all(each.words for each in one)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from paths(each, (*path, key))
