"""Small assemblies, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.review.assembly import Assembly, Stack

SERVICE = {"Service": "lambda.amazonaws.com"}


def assembly(resources: dict[str, Any], **others: dict[str, Any]) -> Assembly:
    """Return an assembly of one stack ``app``; others by name, whole templates."""
    templates = {"app": {"Resources": resources}, **others}
    return Assembly(Path(), {name: Stack(name, one, None, "us-east-1") for name, one in templates.items()})


def allow(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {**allow(actions, resources, **more), "Effect": "Deny"}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*statements: Any, trust: Any = None, **properties: Any) -> dict[str, Any]:
    taken = trust if trust is not None else {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    given = {"AssumeRolePolicyDocument": document(taken), "Policies": policies, **properties}
    return {"Type": "AWS::IAM::Role", "Properties": given}


def managed(*statements: Any, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*statements), **properties}}


def bucket(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": properties}


def bucket_policy(name: str, *statements: Any) -> dict[str, Any]:
    given = {"Bucket": {"Ref": name}, "PolicyDocument": document(*statements)}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": given}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def objects(name: str, below: str = "") -> dict[str, Any]:
    return {"Fn::Join": ["", [arn(name), f"/{below}*"]]}
