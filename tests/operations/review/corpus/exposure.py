"""Access that is plain to see: opened, unbounded, by wildcard. What a role can do now is in ``access``."""

from __future__ import annotations

from typing import Any

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import BASE, DATA, STUDIO, WORK, allow, join, policy, resource, trust


def _policy_of(templates: Templates) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = templates[BASE]["Resources"]["DataPolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    return found


def _everybody(templates: Templates) -> None:
    _policy_of(templates).append(allow("s3:GetObject", join(DATA, "/*"), Principal="*"))


def _partner(templates: Templates) -> None:
    _policy_of(templates).append(
        allow("s3:GetObject", join(DATA, "/*"), Principal={"AWS": "arn:aws:iam::999900001111:root"})
    )


def _narrowed(templates: Templates) -> None:
    _policy_of(templates)[-1]["Condition"] = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}


def _condition_removed(templates: Templates) -> None:
    del _policy_of(templates)[-1]["Condition"]


def _everybody_from_vpce(templates: Templates) -> None:
    _everybody(templates)
    _narrowed(templates)


def _boundary_removed(templates: Templates) -> None:
    del templates[WORK]["Resources"]["Role"]["Properties"]["PermissionsBoundary"]


def _block_off(templates: Templates) -> None:
    templates[BASE]["Resources"]["Data"]["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False


def _block_removed(templates: Templates) -> None:
    del templates[BASE]["Resources"]["Data"]["Properties"]["PublicAccessBlockConfiguration"]


def _user_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return resource("AWS::IAM::Policy", PolicyName="p", Roles=[{"Ref": "UserRole"}], PolicyDocument=policy(*statements))


def _action_wildcard(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["Extra"] = _user_policy(allow("s3:*", "arn:aws:s3:::somewhere/*"))


def _resource_wildcard(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["Extra"] = _user_policy(allow(["s3:GetObject"], "*"))


def _administrator(templates: Templates) -> None:
    arn = join("arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AdministratorAccess")
    templates[STUDIO]["Resources"]["UserRole"]["Properties"]["ManagedPolicyArns"] = [arn]


def _trusts_anybody(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["UserRole"]["Properties"]["AssumeRolePolicyDocument"] = trust({"AWS": "*"})


def _trusts_a_partner(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["UserRole"]["Properties"]["AssumeRolePolicyDocument"] = trust(
        {"AWS": "999900001111"}
    )


def _function_for_all(templates: Templates) -> None:
    templates[WORK]["Resources"]["Permission"] = resource(
        "AWS::Lambda::Permission", FunctionName={"Ref": "Function"}, Action="lambda:InvokeFunction", Principal="*"
    )


PAIRS = (
    Pair("bucket policy widened to everybody", _everybody, "blocked", frozenset({"access-open DataPolicy"})),
    Pair("bucket policy widened to another account", _partner, "blocked", frozenset({"access-open DataPolicy"})),
    Pair(
        "bucket policy: condition removed",
        _condition_removed,
        "blocked",
        frozenset({"access-open DataPolicy"}),
        base=_everybody_from_vpce,
    ),
    Pair("boundary removed", _boundary_removed, "blocked", frozenset({"boundary-removed Role"})),
    Pair(
        "public access block off",
        _block_off,
        "blocked",
        frozenset({"access-open Data"}),
        {"demo-foundation/Data": "update"},
        says=("BlockPublicPolicy",),
    ),
    Pair("public access block removed", _block_removed, "blocked", frozenset({"access-open Data"})),
    Pair("new wildcard: actions", _action_wildcard, "blocked", frozenset({"wildcard Extra"}), says=("s3:*",)),
    Pair("new wildcard: resources", _resource_wildcard, "blocked", frozenset({"wildcard Extra"})),
    Pair(
        "administrator",
        _administrator,
        "blocked",
        frozenset({"wildcard UserRole", "access-unknown UserRole"}),
        says=("AdministratorAccess",),
    ),
    Pair("role for everybody", _trusts_anybody, "blocked", frozenset({"access-open UserRole"})),
    Pair("role for another account", _trusts_a_partner, "blocked", frozenset({"access-open UserRole"})),
    Pair("function for everybody", _function_for_all, "blocked", frozenset({"access-open Permission"})),
)
