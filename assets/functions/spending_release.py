"""Custom::SandcastleSpendingRelease: detaches a spending limit's policy from every role that has it.

IAM deletes neither a policy that is attached nor a role that has one. A budget's action attaches it by itself, and so
does a janitor that freezes roles before it drains what they use; neither can be relied upon to detach it.
"""

from __future__ import annotations

from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from janitor import run


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point; the property ``PolicyArn`` names the policy."""
    policy_arn = event["ResourceProperties"]["PolicyArn"]
    run(event, context, lambda: release(client("iam"), policy_arn))


def release(iam: Any, policy_arn: str) -> str:
    """Detach the policy from every role and return which had it: only IAM's next answer can say that none has."""
    freed = []
    try:
        pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy_arn, EntityFilter="Role")
        for page in pages:
            for role in page["PolicyRoles"]:
                _detach(iam, role["RoleName"], policy_arn)
                freed.append(role["RoleName"])
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":  # the policy is gone, and with it every attachment
            raise
    return f"the spending limit was on {', '.join(sorted(freed))}" if freed else ""


def _detach(iam: Any, role: str, policy_arn: str) -> None:
    try:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy_arn)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":  # somebody else was quicker, or the role is gone
            raise
