"""Wildcards in what an identity is allowed, as they are written: whoever writes one is asked why.

What a principal can do with it, and who gets in from outside, is ``access``'s to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from operations.review.assembly import Assembly, Resource
from operations.review.change import Change, Concern, Key
from operations.review.values import listed, plain

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

_IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def wildcard_concerns(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield the wildcards that were not there before."""
    for change in changes.values():
        new = _at(head, change.key)
        if new is None:
            continue
        old = _at(base, change.moved_from or change.key)
        for words in sorted({*_wildcards(new)} - {*(_wildcards(old) if old else ())}):
            yield Concern("wildcard", new.stack, new.path, words, blocks=True)


def _at(assembly: Assembly, key: Key) -> Resource | None:
    return assembly.stacks[key[0]].resources.get(key[1]) if key[0] in assembly.stacks else None


def _wildcards(one: Resource) -> Iterator[str]:
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
                yield f"allows everything but some actions on {on}"
            for action in listed(statement.get("Action")):
                if isinstance(action, str) and "*" in action:
                    yield f"allows {action} on {on}"
                elif on == '["*"]' and not statement.get("Condition") and not _without_resource(str(action)):
                    yield f"allows {action} on every resource"
    for arn in listed(one.properties.get("ManagedPolicyArns")):
        text = str(plain(arn))
        if text.endswith((":policy/AdministratorAccess", ":policy/PowerUserAccess", "FullAccess")):
            yield f"gets {text.rpartition('/')[2]}"


def _without_resource(action: str) -> bool:
    """Say whether the action is one that takes no resource, as far as its verb tells, or is known not to."""
    verb = action.partition(":")[2]
    return action in _NO_RESOURCE or verb.startswith(("Describe", "List", "Search", "BatchDescribe"))


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    found = document.get("Statement") if isinstance(document, Mapping) else None
    yield from (one for one in listed(found) if isinstance(one, Mapping))
