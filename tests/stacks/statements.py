"""The policies of a stack's roles as plain statements, references replaced by symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sandcastle.template import Lookup, resolve, symbols
from tests.synthesis import Synthesis, Template, exported, resources


def lookups(synthesis: Synthesis) -> Iterator[tuple[str, Template, Lookup]]:
    """Yield each stack's name and template with what its references stand for."""
    exports = exported(synthesis)
    for name, template in synthesis.templates.items():
        yield name, template, symbols(template, exports)


def role_statements(template: Template, role: str, lookup: Lookup) -> list[dict[str, Any]]:
    """Return all statements of a role: its own inline policies and those attached to it."""
    properties = template["Resources"][role]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [policy["Properties"]["PolicyDocument"] for policy in policies_on(template, role)]
    assert "ManagedPolicyArns" not in properties
    return [resolve(statement, lookup) for document in documents for statement in document["Statement"]]


def inline_statements(template: Template, role: str, lookup: Lookup) -> list[dict[str, Any]]:
    """Return the statements that count for the 10,240 characters of a role: managed policies count for themselves."""
    documents = [one["PolicyDocument"] for one in template["Resources"][role]["Properties"].get("Policies", [])]
    documents += [one["Properties"]["PolicyDocument"] for one in policies_on(template, role, ("AWS::IAM::Policy",))]
    return [resolve(statement, lookup) for document in documents for statement in document["Statement"]]


def policies_on(
    template: Template, role: str, kinds: Sequence[str] = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
) -> list[Any]:
    """Return the policies that the template attaches to a role."""
    return [
        policy
        for kind in kinds
        for policy in resources(template, kind).values()
        if {"Ref": role} in policy["Properties"].get("Roles", [])
    ]


def listed(value: Any) -> list[Any]:
    """Return a policy's value as a list, which it may be already."""
    return value if isinstance(value, list) else [value]
