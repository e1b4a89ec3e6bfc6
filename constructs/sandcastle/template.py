"""Reads templates: works out CloudFormation's functions, given what references stand for. Plain Python, no CDK.

For proofs on a template the references stand for symbols (``symbols``); for a deployed stack they stand for what
CloudFormation says (physical ids, attributes, exports).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Lookup = Callable[[str, Any], str]
"""Given ``Ref``, ``Fn::GetAtt`` or ``Fn::ImportValue`` and its argument, returns the text it stands for."""

_IN_SUB = re.compile(r"\$\{([^!}][^}]*)\}")

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/name/5f0c2a10-0000-0000-0000-000000000000",
    "AWS::StackName": "name",
}


def resolve(value: Any, lookup: Lookup) -> Any:
    """Return the value with all functions worked out. Raises ValueError for a function that it does not know."""
    if isinstance(value, list):
        return [resolve(item, lookup) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in {"Ref", "Fn::GetAtt", "Fn::ImportValue"}:
            return lookup(name, resolve(argument, lookup) if name == "Fn::ImportValue" else argument)
        if name.startswith("Fn::"):
            return _function(name, argument, lookup)
    return {key: resolve(item, lookup) for key, item in value.items()}


def _function(name: str, argument: Any, lookup: Lookup) -> Any:
    if name == "Fn::Sub" and isinstance(argument, str):
        return _IN_SUB.sub(lambda match: _reference(match[1], lookup), argument)
    parts = resolve(argument, lookup)
    if name == "Fn::Join":
        return str(parts[0]).join(str(part) for part in parts[1])
    if name == "Fn::Select":
        return parts[1][int(parts[0])]
    if name == "Fn::Split":
        return str(parts[1]).split(parts[0])
    raise ValueError(f"{name} is not worked out here")


def _reference(text: str, lookup: Lookup) -> str:
    name, dot, attribute = text.partition(".")
    return lookup("Fn::GetAtt", [name, attribute]) if dot else lookup("Ref", text)


def symbols(template: Mapping[str, Any], exports: Mapping[str, str] | None = None) -> Lookup:
    """Return a lookup with a different symbol for each resource, and real ARN forms where policies compare them."""
    resources = template.get("Resources", {})

    def lookup(name: str, argument: Any) -> str:
        if name == "Fn::ImportValue":
            return (exports or {})[argument]
        if name == "Ref" and resources.get(argument, {}).get("Type", "").endswith("QualityJobDefinition"):
            return f"arn:aws:sagemaker:us-east-1:000000000000:job-definition/{argument.lower()}"
        if name == "Ref":
            return _PSEUDO.get(argument) or f"{argument.lower()}"
        logical_id, attribute = argument
        return _attribute(resources[logical_id], logical_id.lower(), attribute)

    return lookup


def exports_of(template: Mapping[str, Any], lookup: Lookup) -> dict[str, str]:
    """Return what the template exports, by export name."""
    outputs = template.get("Outputs", {}).values()
    return {one["Export"]["Name"]: resolve(one["Value"], lookup) for one in outputs if "Export" in one}


def _attribute(resource: Mapping[str, Any], name: str, attribute: str) -> str:
    kind = resource["Type"]
    if attribute != "Arn":
        return f"{name}.{attribute}"
    path = resource.get("Properties", {}).get("Path", "/")
    arns = {
        "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
        "AWS::IAM::Role": f"arn:aws:iam::000000000000:role{path}{name}",
        "AWS::Lambda::Function": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:us-east-1:000000000000:log-group:{name}:*",
    }
    return arns.get(kind, f"arn:aws:service:us-east-1:000000000000:{name}")
