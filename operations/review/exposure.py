"""Access that is plain to see in one statement: open to everybody, unbounded, or by wildcard.

What a role can do before and after is ``access``'s to say. Here stands what no proof is needed for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from operations.review.assembly import Assembly, Resource
from operations.review.change import Change, Concern, Key
from operations.review.values import listed, plain

_BLOCK = "PublicAccessBlockConfiguration"
_BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_NARROWING = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourcevpce",
    "aws:sourcevpc",
    "aws:sourceip",
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceorgid",
    "kms:calleraccount",
    "kms:viaservice",
)
"""Condition keys with which "everybody" is a known circle (S3 user guide, "The meaning of public")."""

_NO_RESOURCE = frozenset(
    {
        "budgets:ViewBudget",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:GetLogDelivery",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "pricing:GetProducts",
        "sagemaker:GetSearchSuggestions",
        "servicequotas:GetServiceQuota",
        "sts:GetCallerIdentity",
        "tag:GetResources",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions that AWS allows on ``*`` only, or that are always given so (service authorization reference)."""

_ACCOUNT = re.compile(r"(?:^|:iam::|:sts::)(\d{12})(?:$|:)")
_RESOURCE_POLICIES = ("PolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText", "FileSystemPolicy")
_IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")

_NOT_OPEN = frozenset({*_IDENTITIES, "AWS::EC2::VPCEndpoint"} - {"AWS::IAM::Role"})
"""Types whose policies open nothing to who has no credentials: an endpoint's bounds what goes through it."""


def exposure_concerns(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield what the change opens; what was so before is not told."""
    for change in changes.values():
        new = _at(head, change.key)
        if new is None:
            continue
        old = _at(base, change.moved_from or change.key)
        yield from _boundary(old, new)
        yield from _public_access_block(old, new)
        account = head.stacks[new.stack].account
        before = {*_public(old, account), *_wildcards(old)} if old else set()
        for rule, words in sorted({*_public(new, account), *_wildcards(new)} - before):
            yield Concern(rule, new.stack, new.path, words, blocks=True)


def _at(assembly: Assembly, key: Key) -> Resource | None:
    return assembly.stacks[key[0]].resources.get(key[1]) if key[0] in assembly.stacks else None


def _boundary(old: Resource | None, new: Resource) -> Iterator[Concern]:
    if new.type in ("AWS::IAM::Role", "AWS::IAM::User") and old is not None:
        before, after = old.properties.get("PermissionsBoundary"), new.properties.get("PermissionsBoundary")
        if before and not after:
            words = f"its permissions boundary {plain(before)} is removed: its policies alone decide"
            yield Concern("boundary-removed", new.stack, new.path, words, blocks=True)


def _public_access_block(old: Resource | None, new: Resource) -> Iterator[Concern]:
    if new.type != "AWS::S3::Bucket" or old is None:
        return
    before = _blocked(old.properties.get(_BLOCK), without=set(_BLOCKED))
    after = _blocked(new.properties.get(_BLOCK), without=set() if _BLOCK in old.properties else set(_BLOCKED))
    gone = [name for name in _BLOCKED if name in before and name not in after]
    if gone:
        words = f"public access is blocked no more: {', '.join(gone)}"
        yield Concern("access-open", new.stack, new.path, words, blocks=True)


def _blocked(value: Any, without: set[str]) -> set[str]:
    """Return what the bucket blocks; ``without`` the property: S3's default at first, nothing once it was removed."""
    if not isinstance(value, Mapping):
        return without
    return {name for name in _BLOCKED if value.get(name) in (True, "true")}


def _public(one: Resource, own: str | None) -> Iterator[tuple[str, str]]:
    """Yield each statement by which everybody, or another account, may do something."""
    if one.type in _NOT_OPEN:
        return
    names = ("AssumeRolePolicyDocument",) if one.type == "AWS::IAM::Role" else _RESOURCE_POLICIES
    for name in names:
        for statement in _statements(one.properties.get(name)):
            if statement.get("Effect") == "Allow" and not _narrowed(statement):
                actions = ", ".join(
                    str(plain(two)) for two in listed(statement.get("Action") or "all but some actions")
                )
                if _everybody(statement):
                    yield "access-open", f"{name}: everybody may {actions}"
                for account in _foreign(statement, own):
                    yield "access-open", f"{name}: {account}, of another account, may {actions}"
    narrowed = any(one.properties.get(key) for key in ("SourceAccount", "SourceArn", "PrincipalOrgID"))
    if one.type == "AWS::Lambda::Permission" and one.properties.get("Principal") == "*" and not narrowed:
        yield "access-open", f"everybody may {one.properties.get('Action')}"
    if one.type == "AWS::Lambda::Url" and one.properties.get("AuthType") == "NONE":
        yield "access-open", "its URL answers everybody"


def _everybody(statement: Mapping[str, Any]) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    given = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in listed(given)


def _foreign(statement: Mapping[str, Any], own: str | None) -> Iterator[str]:
    """Yield principals whose account is written out and is not the stack's own."""
    principal = statement.get("Principal")
    for one in listed(principal.get("AWS")) if isinstance(principal, Mapping) else ():
        found = _ACCOUNT.search(str(plain(one)))
        if found and found[1] != own:
            yield str(plain(one))


def _narrowed(statement: Mapping[str, Any]) -> bool:
    conditions = statement.get("Condition")
    for operator, keys in conditions.items() if isinstance(conditions, Mapping) else ():
        positive = not any(word in str(operator) for word in ("Not", "IfExists", "Null"))
        if positive and isinstance(keys, Mapping) and any(str(key).lower() in _NARROWING for key in keys):
            return True
    return False


def _wildcards(one: Resource) -> Iterator[tuple[str, str]]:
    """Yield the wildcards among the allowed actions of an identity's policies, and managed policies that are one."""
    if one.type not in _IDENTITIES:
        return
    documents = [one.properties.get("PolicyDocument")]
    documents += [
        two.get("PolicyDocument") for two in listed(one.properties.get("Policies")) if isinstance(two, Mapping)
    ]
    for document in documents:
        for statement in _statements(document):
            if statement.get("Effect") != "Allow":
                continue
            on = json.dumps(plain(listed(statement.get("Resource"))), default=str)
            if "NotAction" in statement:
                yield "wildcard", f"allows everything but some actions on {on}"
            for action in listed(statement.get("Action")):
                if isinstance(action, str) and "*" in action:
                    yield "wildcard", f"allows {action} on {on}"
                elif on == '["*"]' and not statement.get("Condition") and not _without_resource(str(action)):
                    yield "wildcard", f"allows {action} on every resource"
    for arn in listed(one.properties.get("ManagedPolicyArns")):
        text = str(plain(arn))
        if text.endswith((":policy/AdministratorAccess", ":policy/PowerUserAccess", "FullAccess")):
            yield "wildcard", f"gets {text.rpartition('/')[2]}"


def _without_resource(action: str) -> bool:
    """Say whether the action is one that takes no resource, as far as its verb tells, or is known not to."""
    verb = action.partition(":")[2]
    return action in _NO_RESOURCE or verb.startswith(("Describe", "List", "Search", "BatchDescribe"))


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    found = document.get("Statement") if isinstance(document, Mapping) else None
    yield from (one for one in listed(found) if isinstance(one, Mapping))
