"""Writes every authorisation decision of the server into the call record."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import iam, sts

from localcloud.iam.record import default_record, role_of


def install() -> None:
    """Wrap the evaluator: it is looked up by name at each request."""
    before = iam_evaluator.enforce

    def enforce(
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        result = before(access_key, action, service, region, resource_arn, service_context)
        if not isinstance(result, iam_evaluator.AuthError):  # unknown callers are nobody's permissions
            add(principal_of(access_key), action, resource_arn, allowed=result is None)
        return result

    iam_evaluator.enforce = enforce


def add(principal: str, action: str, resource: str, *, allowed: bool) -> None:
    """Write one decision."""
    default_record().add(principal, action, resource, allowed=allowed, purpose=_purpose(role_of(principal)))


def principal_of(access_key: str) -> str:
    """The ARN behind an access key; ``anonymous`` without one, the key itself when nobody knows it."""
    if not access_key:
        return "anonymous"
    session = sts._sessions.get(access_key)
    if session is not None:
        return str(session.get("Arn") or access_key)
    found = iam_evaluator.resolve_credential(access_key, responses.get_account_id())
    return getattr(found, "principal_arn", access_key)


def _purpose(role: str) -> str:
    """What the role is for, in the words of whoever made it."""
    found = iam._roles.get_scoped(responses.get_account_id(), None, role) if role else None
    return str((found or {}).get("Description") or "")
