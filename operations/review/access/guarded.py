"""Resources with a policy of their own: buckets, topics, queues, keys, functions, roles (their trust)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
from operations.review.assembly import Resource


@dataclass(frozen=True)
class Guarded:
    """A resource's own policy, or a part of it.

    ``scope``: what the policy can be about. ``gate``: nobody gets there without it. ``about`` names the resource in
    words, ``source`` where the policy stands (a policy is often a resource of its own).
    """

    stack: str
    source: Resource
    about: str
    scope: tuple[str, ...]
    statements: tuple[Statement, ...]
    gate: bool = False


@dataclass(frozen=True)
class _Place:
    """Where a type has its policy: the property of what it is about (empty: itself), and that of the document."""

    target: str
    document: str
    below: tuple[str, ...] = ("",)
    gate: bool = False


_PLACES = {
    "AWS::S3::BucketPolicy": _Place("Bucket", "PolicyDocument", ("", "/*")),
    "AWS::SNS::TopicPolicy": _Place("Topics", "PolicyDocument"),
    "AWS::SNS::TopicInlinePolicy": _Place("TopicArn", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": _Place("Queues", "PolicyDocument"),
    "AWS::SQS::QueueInlinePolicy": _Place("Queue", "PolicyDocument"),
    "AWS::SecretsManager::ResourcePolicy": _Place("SecretId", "ResourcePolicy"),
    "AWS::KMS::Key": _Place("", "KeyPolicy", gate=True),
    "AWS::IAM::Role": _Place("", "AssumeRolePolicyDocument", gate=True),
    "AWS::ECR::Repository": _Place("", "RepositoryPolicyText"),
    "AWS::EFS::FileSystem": _Place("", "FileSystemPolicy"),
    "AWS::SageMaker::ModelPackageGroup": _Place("", "ModelPackageGroupPolicy"),
}
"""Types whose policy grants access (CloudFormation template reference)."""

_SERVICES = {
    "AWS::S3::BucketPolicy": "s3",
    "AWS::SNS::TopicPolicy": "sns",
    "AWS::SNS::TopicInlinePolicy": "sns",
    "AWS::SQS::QueuePolicy": "sqs",
    "AWS::SQS::QueueInlinePolicy": "sqs",
    "AWS::SecretsManager::ResourcePolicy": "secretsmanager",
}


def guarded_by(resource: Resource, values: Values) -> Iterator[Guarded]:
    """Yield what the resource says about access to it, or to the one that it is a policy of."""
    if resource.type == "AWS::Lambda::Permission":
        yield _permission(resource, values)
        return
    place = _PLACES.get(resource.type)
    if place is None or resource.properties.get(place.document) is None:
        return
    document = resource.properties[place.document]
    targets = listed(resource.properties.get(place.target)) if place.target else [None]
    for target in targets:
        arn, about = _target(resource, target, values)
        scope = tuple(arn + suffix for suffix in place.below)
        statements = statements_of(document, values.reader(resource.stack), scope=scope)
        yield Guarded(resource.stack, resource, about, scope, statements, place.gate)


def _target(resource: Resource, target: Any, values: Values) -> tuple[str, str]:
    """Return the ARN of what a policy is about, and its name in words."""
    if target is None:
        return values.arn(resource.stack, resource.logical_id), named(resource)
    referred = values.referred(resource.stack, target)
    if referred:
        return values.arn(referred.stack, referred.logical_id), named(referred)
    try:
        text = values.text(resource.stack, target)
    except Unreadable:
        return "*", named(resource)
    if _SERVICES.get(resource.type) == "s3" and not text.startswith("arn:"):
        return f"arn:{values.partition(resource.stack)}:s3:::{text}", text
    return (text, text) if text.startswith("arn:") else ("*", named(resource))


def _permission(resource: Resource, values: Values) -> Guarded:
    """Return a function's permission as the statement that Lambda makes of it (AWS::Lambda::Permission)."""
    given = resource.properties
    arn, about = _target(resource, given.get("FunctionName", "*"), values)
    scope = (arn, f"{arn}:*")
    try:
        statement = _granted(given, resource, values, scope)
    except Unreadable:
        statement = UNREADABLE
    return Guarded(resource.stack, resource, about, scope, (statement,))


def _granted(given: Mapping[str, Any], resource: Resource, values: Values, scope: tuple[str, ...]) -> Statement:
    def text(key: str) -> str:
        return values.text(resource.stack, given[key])

    who = text("Principal")
    is_account = who.startswith("arn:") or who.isdigit() or who == values.account(resource.stack)
    conditions = [
        Condition(operator, key, (text(name),))
        for name, operator, key in (
            ("SourceArn", "ArnLike", "aws:sourcearn"),
            ("SourceAccount", "StringEquals", "aws:sourceaccount"),
            ("PrincipalOrgID", "StringEquals", "aws:principalorgid"),
            ("FunctionUrlAuthType", "StringEquals", "lambda:functionurlauthtype"),
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
