"""What principals can do: more, less, on conditions, and what they promised."""

from __future__ import annotations

from typing import Any

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import (
    BASE,
    DATA,
    EXPORT_DATA,
    STUDIO,
    WORK,
    allow,
    imported,
    join,
    policy,
    resource,
)

_OWN = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}


def _data(folder: str) -> dict[str, Any]:
    return join("arn:aws:s3:::", imported(EXPORT_DATA), folder)


def _role(templates: Templates) -> dict[str, Any]:
    found: dict[str, Any] = templates[WORK]["Resources"]["Role"]
    return found


def _statement(templates: Templates) -> dict[str, Any]:
    found: dict[str, Any] = _role(templates)["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    return found


def _condition_removed(templates: Templates) -> None:
    del _statement(templates)["Condition"]


def _condition_added(templates: Templates) -> None:
    _statement(templates)["Condition"] = _OWN


def _unbound(templates: Templates) -> None:
    del _role(templates)["Properties"]["PermissionsBoundary"]


def _unbound_unconditional(templates: Templates) -> None:
    _unbound(templates)
    _condition_removed(templates)


def _promised(templates: Templates) -> None:
    _unbound_unconditional(templates)
    _role(templates)["Metadata"] = {
        "sandcastle:promises": [
            {"may": "s3:GetObject", "on": _data("/bank/rows.csv")},
            {"may not": "s3:GetObject", "on": _data("/private/*")},
        ]
    }


def _everything(templates: Templates) -> None:
    _statement(templates)["Resource"] = _data("/*")


def _nothing_left(templates: Templates) -> None:
    _statement(templates)["Resource"] = _data("/other/*")


def _one_more_folder(templates: Templates) -> None:
    _statement(templates)["Resource"] = [_data("/bank/*"), _data("/digits/*")]


def _denied(templates: Templates) -> None:
    _role(templates)["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": _data("/private/*")}
    )


def _everything_but_private(templates: Templates) -> None:
    _everything(templates)
    _denied(templates)


def _partner(templates: Templates) -> None:
    templates[BASE]["Resources"]["DataPolicy"]["Properties"]["PolicyDocument"]["Statement"].append(
        allow("s3:GetObject", join(DATA, "/*"), Principal={"AWS": "arn:aws:iam::999900001111:root"})
    )


def _partner_gone(templates: Templates) -> None:
    templates[BASE]["Resources"]["DataPolicy"]["Properties"]["PolicyDocument"]["Statement"].pop()


def _lists(templates: Templates) -> None:
    statement = allow(["sagemaker:ListApps", "ec2:DescribeSubnets"], "*")
    templates[STUDIO]["Resources"]["Extra"] = resource(
        "AWS::IAM::Policy", PolicyName="p", Roles=[{"Ref": "UserRole"}], PolicyDocument=policy(statement)
    )


PAIRS = (
    Pair("condition removed", _condition_removed, "look", base=_unbound, says=("access-widened", "Role can now read")),
    Pair(
        "condition added",
        _condition_added,
        "clean",
        base=_unbound_unconditional,
        says=("Access", "aws:ResourceAccount"),
    ),
    Pair("one more folder", _one_more_folder, "look", base=_unbound_unconditional, says=("below digits/ in Data",)),
    Pair(
        "promise broken",
        _everything,
        "blocked",
        frozenset({"promise-broken Role"}),
        {"demo-workload/Role": "update"},
        base=_promised,
        says=("every object in Data",),
    ),
    Pair(
        "promise broken: cannot what it must",
        _nothing_left,
        "blocked",
        frozenset({"promise-broken Role"}),
        base=_promised,
    ),
    Pair("promise kept by a denial", _everything_but_private, "look", base=_promised, says=("access-widened",)),
    Pair("bucket policy narrowed", _partner_gone, "clean", base=_partner, says=("999900001111",)),
    Pair("lists of all resources", _lists, "look", says=("access-widened",)),
)
