"""Removes roles and policies, and takes back what a spending limit has done to them."""

from __future__ import annotations

from typing import Any

from operations.audit.finding import Finding
from operations.sweep.turns import insist
from operations.target import Target

_UNDOABLE = ("EXECUTION_SUCCESS", "EXECUTION_FAILURE", "REVERSE_FAILURE", "PENDING")
_WORKING = ("EXECUTION_IN_PROGRESS", "REVERSE_IN_PROGRESS", "RESET_IN_PROGRESS")


def undo_action(target: Target, finding: Finding) -> None:
    """Reverse a budget action that has been executed, so that no denial stays on any role (facts, 1.28)."""
    client = target.client("budgets")
    which: dict[str, Any] = dict(finding.removal.parameters)
    asked = False

    def turn() -> str:
        nonlocal asked
        status: str = client.describe_budget_action(**which)["Action"]["Status"]
        if status == "EXECUTION_SUCCESS" and not asked:
            client.execute_budget_action(**which, ExecutionType="REVERSE_BUDGET_ACTION")
            asked = True
            return "it is being reversed"
        return status if status in _WORKING else ""

    insist(target, turn, 10)


def action(target: Target, finding: Finding) -> None:
    """Undo a budget action and delete it; while it works it is locked."""
    undo_action(target, finding)

    def turn() -> str:
        finding.removal.make(target)
        return ""

    insist(target, turn, 10)


def role(target: Target, finding: Finding) -> None:
    """Delete a role with everything that is attached to it: IAM refuses otherwise."""
    client = target.client("iam")
    for page in client.get_paginator("list_attached_role_policies").paginate(RoleName=finding.name):
        for policy in page["AttachedPolicies"]:
            client.detach_role_policy(RoleName=finding.name, PolicyArn=policy["PolicyArn"])
    for page in client.get_paginator("list_role_policies").paginate(RoleName=finding.name):
        for name in page["PolicyNames"]:
            client.delete_role_policy(RoleName=finding.name, PolicyName=name)
    client.delete_role(RoleName=finding.name)


def policy(target: Target, finding: Finding) -> None:
    """Detach a managed policy from every role, delete its older versions, and delete it."""
    client = target.client("iam")
    arn = finding.removal.parameters["PolicyArn"]
    for page in client.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        for one in page["PolicyRoles"]:
            client.detach_role_policy(RoleName=one["RoleName"], PolicyArn=arn)
    for version in client.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    client.delete_policy(PolicyArn=arn)
