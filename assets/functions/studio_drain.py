"""Custom::SandcastleStudioDrain: empties a Studio domain of what people made in it, before its profiles are deleted.

First the users' roles lose the right to start anything: the spending limit's policy is attached to them, so that
nobody opens an app behind the janitor's back. ``SpendingRelease`` detaches it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from janitor import Turn, run
from studio_contents import drain


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point.

    Properties: ``DomainId``, ``Profiles`` (names that CloudFormation deletes itself), ``PolicyArn`` and ``Roles``.
    """
    properties = event["ResourceProperties"]
    domain_id, profiles = properties["DomainId"], properties["Profiles"]
    freeze = freezer(client("iam"), properties["PolicyArn"], properties["Roles"])

    def turn() -> str:
        freeze()
        return drain(client("sagemaker"), domain_id, profiles)

    run(event, context, turn)


def freezer(iam: Any, policy_arn: str, roles: Sequence[str]) -> Turn:
    """Return a step that attaches the policy to the roles that do not have it from us yet.

    It says which it could not reach. A teardown goes on all the same: to empty the domain matters more, and it is
    looked at again before the domain is deleted.
    """
    left = set(roles)

    def freeze() -> str:
        for role in sorted(left):
            try:
                iam.attach_role_policy(RoleName=role, PolicyArn=policy_arn)
            except ClientError as error:
                if code_of(error) != "NoSuchEntity":
                    print(f"{role} is not frozen: {code_of(error)} {text_of(error)}")
                    continue
            left.discard(role)
        return ", ".join(sorted(left))

    return freeze
