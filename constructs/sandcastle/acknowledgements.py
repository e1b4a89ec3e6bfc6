"""Acknowledged findings of cdk-nag: which rule does not count for which one resource, and why.

They stand beside the construct, as its method ``acknowledgements``, and are asked for only where rule packs run: a
plain synth neither loads the rule packs nor pays for this. Nothing is acknowledged for a whole stack or app.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk


@dataclass(frozen=True)
class Acknowledgement:
    """The rule's finding on this resource is known and right as it is, for the reason."""

    resource: cdk.CfnResource
    rule: str
    reason: str

    @property
    def stack(self) -> str:
        """The name of the resource's stack."""
        return cdk.Stack.of(self.resource).stack_name

    @property
    def logical_id(self) -> str:
        """The resource's id in its template."""
        return str(cdk.Stack.of(self.resource).resolve(self.resource.logical_id))


def acknowledgements_of(app: cdk.App) -> list[Acknowledgement]:
    """Return every acknowledgement below the app. Call it after synthesis: then references are as in the templates."""
    found: list[Acknowledgement] = []
    for node in app.node.find_all():
        method = getattr(node, "acknowledgements", None)
        if callable(method):
            found += method()
    return found


def acknowledge_wildcards(resource: cdk.CfnResource, resources: Iterable[tuple[str, str]]) -> Iterator[Acknowledgement]:
    """Yield one acknowledgement per resource with a ``*`` in a policy of the construct; each comes with its reason."""
    stack = cdk.Stack.of(resource)
    for pattern, reason in resources:
        text = _flat(stack.resolve(pattern))
        if "*" in text:
            yield Acknowledgement(resource, f"AwsSolutions-IAM5[Resource::{text}]", reason)


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
