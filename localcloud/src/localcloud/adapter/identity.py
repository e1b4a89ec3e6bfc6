"""Who is asking, in which account and region, and what a role may do."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator, responses, router
from ministack.core.iam_actions import identity_denial_message
from ministack.services import iam, sts

from localcloud.adapter import sessions

#: the longest a role session lives, seconds (the documented default of a job's credentials is renewed, not longer)
_SESSION_SECONDS = 12 * 3600


class AssumeRoleDenied(Exception):
    """The role does not exist or does not trust the service; the text is AWS's kind."""


@dataclass(frozen=True)
class Denied:
    """A refused call: who asked, and the message AWS gives."""

    principal: str
    message: str


def account_id() -> str:
    """The account of the request being served (the default account outside a request)."""
    account: str = responses.get_account_id()
    return account


def region() -> str:
    """The region of the request being served (the default region outside a request)."""
    name: str = responses.get_region()
    return name


def request_scope(account: str, region_name: str) -> AbstractContextManager[None]:
    """Act for ``account`` and ``region_name`` inside the block; for threads that no request started."""
    scope: AbstractContextManager[None] = responses.request_scope(account, region_name)
    return scope


def endpoint_url() -> str:
    """Where this server listens: ``http://127.0.0.1:PORT``."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def authorize(
    headers_or_credentials: Mapping[str, str],
    action: str,
    resource: str,
    context: Mapping[str, Any] | None = None,
) -> Denied | None:
    """Ask whether the caller may do ``action`` on ``resource``: None when allowed.

    The caller is either the headers of the request being served or credentials from ``role_credentials``.
    For checks a service makes beside the request's own action, such as ``iam:PassRole`` with
    ``{"iam:PassedToService": "sagemaker.amazonaws.com"}``.
    """
    key = headers_or_credentials.get("AccessKeyId") or router.extract_access_key_id(
        {k.lower(): v for k, v in headers_or_credentials.items()}
    )
    result = iam_evaluator.enforce(
        key, action, action.partition(":")[0], region(), resource_arn=resource, service_context=dict(context or {})
    )
    if result is None:
        return None
    if isinstance(result, iam_evaluator.AuthError):
        return Denied(principal="", message=result.message)
    explicit = result.decision == "Deny"
    message = identity_denial_message(action, result.principal_arn, resource, explicit)
    return Denied(principal=result.principal_arn, message=message)


def role_credentials(
    role_arn: str,
    session_name: str,
    service: str = "sagemaker.amazonaws.com",
    source_arn: str | None = None,
    keys: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Temporary credentials of a role, as ``service`` gets them: calls made with them are enforced as the role.

    Keys: AccessKeyId, SecretAccessKey, SessionToken. Raises AssumeRoleDenied when the role does not exist or
    its trust policy does not let ``service`` call sts:AssumeRole; ``source_arn`` is what the service acts for, for
    trust policies with a condition on aws:SourceArn (aws:SourceAccount is the role's account). ``keys`` are condition
    keys of the session: policies see them in every call that is made with the credentials.
    """
    parts = role_arn.split(":")
    if len(parts) < 6 or not parts[5].startswith("role/"):
        raise AssumeRoleDenied(f"Invalid role ARN: {role_arn}")
    account, name = parts[4], role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or not _trusts(role.get("AssumeRolePolicyDocument"), service, account, source_arn):
        raise AssumeRoleDenied(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service}' to assume the role."
        )
    credentials = {
        "AccessKeyId": "ASIA" + secrets.token_hex(8).upper(),
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": secrets.token_urlsafe(90),
    }
    sts.register_session(
        credentials["AccessKeyId"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name[:64]}",
            "UserId": f"{role.get('RoleId', name)}:{session_name[:64]}",
            "AccountId": account,
            "PrincipalType": "AssumedRole",
            "SecretAccessKey": credentials["SecretAccessKey"],
            "SessionToken": credentials["SessionToken"],
            "Expiration": time.time() + _SESSION_SECONDS,
            sessions.FIELD: dict(keys or {}),
        },
    )
    return credentials


def _trusts(document: Any, service: str, account: str, source_arn: str | None) -> bool:
    """Whether a trust policy lets a service principal of this account call sts:AssumeRole (Deny wins)."""
    policy = json.loads(document) if isinstance(document, str) else (document or {})
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=region(),
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn},
    )
    allowed = False
    for statement in _as_list(policy.get("Statement")):
        principal = statement.get("Principal", {})
        services = ["*"] if principal == "*" else _as_list(principal.get("Service"))
        if (
            {"sts:AssumeRole", "sts:*", "*"}.isdisjoint(_as_list(statement.get("Action")))
            or {service, "*"}.isdisjoint(services)
            or not iam_evaluator._conditions_met(statement.get("Condition", {}), context)
        ):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
