"""Acknowledged findings of cdk-nag: which rule does not count for which one construct, and why.

They stand beside the construct, as its method ``acknowledgements``, and are applied only where rule packs run: a plain
synth neither loads the rule packs nor pays for this. Nothing is acknowledged for a whole stack or app.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


@dataclass(frozen=True)
class Acknowledgement:
    """The rule's finding on this construct is known and right as it is, for the reason."""

    construct: IConstruct
    rule: str
    reason: str


def apply_acknowledgements(app: cdk.App) -> list[Acknowledgement]:
    """Tell CDK's validations about every acknowledgement below the app, and return them."""
    found = [entry for node in app.node.find_all() for entry in _of(node)]
    for entry in found:
        rule = cdk.Acknowledgment(id=entry.rule, reason=entry.reason)
        cdk.Validations.of(entry.construct).acknowledge(rule)
    return found


def acknowledge_wildcards(resource: cdk.CfnResource, resources: Iterable[tuple[str, str]]) -> Iterator[Acknowledgement]:
    """Yield one acknowledgement per resource with a ``*`` in a policy of the construct; each comes with its reason."""
    stack = cdk.Stack.of(resource)
    for pattern, reason in resources:
        text = _flat(stack.resolve(pattern))
        if "*" in text:
            yield Acknowledgement(resource, f"AwsSolutions-IAM5[Resource::{text}]", reason)


def _of(node: IConstruct) -> Sequence[Acknowledgement]:
    method = getattr(node, "acknowledgements", None)
    return list(method()) if callable(method) else []


def _flat(value: Any) -> str:
    """Return a resolved value as cdk-nag names it in a finding: ``<Bucket.Arn>/folder/*``."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(_flat(part) for part in argument[1])
        if function == "Fn::GetAtt":
            return f"<{_flat(argument[0])}.{_flat(argument[1])}>"
        if function == "Ref":
            return f"<{_flat(argument)}>"
        if function in {"Fn::Sub", "Fn::ImportValue"}:
            return _flat(argument)
    return json.dumps(value, separators=(",", ":"))
