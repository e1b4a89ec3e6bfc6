"""Resources with a policy of their own: buckets, topics, queues, keys, functions, roles (their trust)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from operations.review.access.statements import (
    ALLOW,
    UNREADABLE,
    Condition,
    Statement,
    Unreadable,
    listed,
    statements_of,
)
from operations.review.access.values import Values
from operations.review.access.words import plain
from operations.review.assembly import Resource


@dataclass(frozen=True)
class Guarded:
    """A resource's own policy, or a part of it.

    ``scope``: what the policy can be about. ``gate``: nobody gets there without it. ``through``: it grants nothing, but
    limits what passes (an endpoint of a network). ``about`` names the resource in words, ``target`` is its stack and
    logical id where it is one of ours; ``source`` is where the policy stands (often a resource of its own).
    """

    stack: str
    source: Resource
    about: str
    scope: tuple[str, ...]
    statements: tuple[Statement, ...]
    gate: bool = False
    through: bool = False
    target: tuple[str, str] | None = None


@dataclass(frozen=True)
class Place:
    """Where a type has its policy: the property of what it is about (empty: itself), and that of the document."""

    target: str
    document: str
    below: tuple[str, ...] = ("",)
    gate: bool = False
    through: bool = False


PLACES = {
    "AWS::S3::BucketPolicy": Place("Bucket", "PolicyDocument", ("", "/*")),
    "AWS::SNS::TopicPolicy": Place("Topics", "PolicyDocument"),
    "AWS::SNS::TopicInlinePolicy": Place("TopicArn", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": Place("Queues", "PolicyDocument"),
    "AWS::SQS::QueueInlinePolicy": Place("Queue", "PolicyDocument"),
    "AWS::SecretsManager::ResourcePolicy": Place("SecretId", "ResourcePolicy"),
    "AWS::KMS::Key": Place("", "KeyPolicy", gate=True),
    "AWS::IAM::Role": Place("", "AssumeRolePolicyDocument", gate=True),
    "AWS::ECR::Repository": Place("", "RepositoryPolicyText"),
    "AWS::EFS::FileSystem": Place("", "FileSystemPolicy"),
    "AWS::SageMaker::ModelPackageGroup": Place("", "ModelPackageGroupPolicy"),
    "AWS::EC2::VPCEndpoint": Place("", "PolicyDocument", through=True),
    "AWS::Lambda::Permission": Place("FunctionName", ""),
}
"""Types whose policy grants access (CloudFormation template reference)."""

_EVERYTHING = Statement(ALLOW, ("*",), ("*",), principals=("*",), scope=("*",))
"""What an endpoint lets through that has no policy (AWS PrivateLink guide, "Default endpoint policy")."""


def guarded_by(resource: Resource, values: Values) -> Iterator[Guarded]:
    """Yield what the resource says about access to it, or to the one that it is a policy of."""
    for one in _guarded_by(resource, values):
        uncertain = "Condition" in resource.body and not one.gate  # the template says whether it is made at all
        statements = tuple(replace(each, certain=False) for each in one.statements)
        yield replace(one, statements=statements) if uncertain else one


def _guarded_by(resource: Resource, values: Values) -> Iterator[Guarded]:
    if resource.type == "AWS::Lambda::Permission":
        yield _permission(resource, values)
        return
    place = PLACES.get(resource.type)
    document = resource.properties.get(place.document) if place else None
    if place is None or (document is None and not place.through):
        return
    targets = listed(resource.properties.get(place.target)) if place.target else [None]
    for target in targets:
        arn, about, of = _target(resource, target, values)
        scope = ("*",) if place.through else tuple(arn + suffix for suffix in place.below)
        read = values.reader(resource.stack)
        statements = (_EVERYTHING,) if document is None else statements_of(document, read, scope=scope)
        yield Guarded(resource.stack, resource, about, scope, statements, place.gate, place.through, of)


def _target(resource: Resource, target: Any, values: Values) -> tuple[str, str, tuple[str, str] | None]:
    """Return the ARN of what a policy is about, its name in words, and where it stands if it is ours."""
    of = resource if target is None else values.referred(resource.stack, target)
    if of:
        return values.arn(of.stack, of.logical_id), named(of), (of.stack, of.logical_id)
    try:
        text = values.text(resource.stack, target)
    except Unreadable:
        return "*", named(resource), None
    if resource.type == "AWS::S3::BucketPolicy" and not text.startswith("arn:"):
        return f"arn:{values.partition(resource.stack)}:s3:::{text}", plain(text), None
    return (text, plain(text), None) if text.startswith("arn:") else ("*", named(resource), None)


def _permission(resource: Resource, values: Values) -> Guarded:
    """Return a function's permission as the statement that Lambda makes of it (AWS::Lambda::Permission)."""
    given = resource.properties
    arn, about, of = _target(resource, given.get("FunctionName", "*"), values)
    scope = (arn, f"{arn}:*")
    try:
        statement = _granted(given, resource, values, scope)
    except (KeyError, Unreadable):
        statement = UNREADABLE
    return Guarded(resource.stack, resource, about, scope, (statement,), target=of)


def _granted(given: Mapping[str, Any], resource: Resource, values: Values, scope: tuple[str, ...]) -> Statement:
    def text(key: str) -> str:
        return values.text(resource.stack, given[key])

    who = text("Principal")
    is_account = who.startswith("arn:") or who.isdigit() or who == values.account(resource.stack)
    conditions = [
        Condition(operator, key.lower(), (text(name),), name=key)
        for name, operator, key in (
            ("SourceArn", "ArnLike", "aws:SourceArn"),
            ("SourceAccount", "StringEquals", "aws:SourceAccount"),
            ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
            ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        )
        if name in given
    ]
    principal = who if who == "*" else f"AWS:{who}" if is_account else f"Service:{who}"
    return Statement(
        ALLOW, (text("Action"),), scope, conditions=tuple(conditions), principals=(principal,), scope=scope
    )


def named(resource: Resource) -> str:
    """Return a resource's name in words: its path below the stack, in one."""
    return resource.path.replace("/", "")


def all_guarded(resources: Iterable[Resource], values: Values) -> tuple[Guarded, ...]:
    """Return the policies of all the resources."""
    return tuple(found for one in resources for found in guarded_by(one, values))
