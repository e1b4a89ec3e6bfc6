"""Custom::SandcastleDomainDelete: deletes a Studio domain the way that CloudFormation does not.

CloudFormation calls DeleteDomain without a retention policy, which keeps the home file system and its network
interfaces (facts on teardown, 0.2). This runs when the stack's profiles are gone and before CloudFormation deletes the
domain, which then finds it gone: that counts as deleted. Whoever made an app, a space or a profile since the domain
was drained is drained again. In the end what the domain's apps logged is deleted; the group is the account's.
"""

from __future__ import annotations

from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from janitor import run
from log_streams import delete_streams
from studio_contents import drain

LOG_GROUP = "/aws/sagemaker/studio"

_IN_MOTION = {"Deleting", "Pending", "Updating"}


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Property: ``DomainId``."""
    domain_id = event["ResourceProperties"]["DomainId"]
    run(event, context, lambda: delete_domain(client("sagemaker"), client("logs"), domain_id))


def delete_domain(sagemaker: Any, logs: Any, domain_id: str) -> str:
    """Take one step: drain, delete, and again if SageMaker failed to; return what is left in words."""
    domain = describe(sagemaker, domain_id)
    if domain is None:
        delete_streams(logs, LOG_GROUP, f"{domain_id}/")
        return ""
    status = domain["Status"]
    if status not in _IN_MOTION:
        left = drain(sagemaker, domain_id, kept_profiles=())
        if left:
            return left
        try:
            sagemaker.delete_domain(DomainId=domain_id, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
        except ClientError as error:
            if code_of(error) not in {"ResourceInUse", "ResourceNotFound"}:
                raise
    reason = domain.get("FailureReason")
    return f"domain {domain_id}, {status}{f' ({reason})' if reason else ''}"


def describe(sagemaker: Any, domain_id: str) -> dict[str, Any] | None:
    """Return the domain as SageMaker describes it; None when there is none."""
    try:
        found: dict[str, Any] = sagemaker.describe_domain(DomainId=domain_id)
    except ClientError as error:
        if code_of(error) == "ResourceNotFound":
            return None
        raise
    return found
