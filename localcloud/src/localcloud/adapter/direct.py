"""Admitting a request that a service of ours answers without MiniStack's application: who asks, and whether they may.

The steps and their order are those of ``ministack.app``: tenant and region from the credentials, the request pinned as
it was sent, then authentication by signature and authorisation by policies. What decides is MiniStack's evaluator; what
it would work out again for every request of a role, from policies that have not changed, is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import iam, sts

from localcloud.adapter import iam_record
from localcloud.adapter.services import Response

_LOOPBACK = "127.0.0.1"
#: what makes a decision depend on more than action and resource
_DEPENDS = ('"Condition"', "${")


class DirectRequest(NamedTuple):
    """A request without a query string, as it was sent."""

    method: str
    path: str
    #: in lower case; a name that was sent twice has its values joined by a comma
    headers: dict[str, str]
    sent_headers: Sequence[tuple[str, str]]
    body: bytes


def admit(service: str, request: DirectRequest) -> Callable[[str, str, str], Response | None]:
    """Make the caller's account and region those of this thread; what is returned authorises the request.

    It takes an action, the resource's ARN and the request's id, and gives the answer to a caller who is not who it says
    or may not do the action, None when all is well.
    """
    responses.set_request_client_ip(_LOOPBACK)
    iam_evaluator.pin_request_origin(_LOOPBACK, True)  # loopback stands in for TLS
    key = router.extract_access_key_id(request.headers, {})
    if key:
        responses.set_request_account_id(app._request_account_scope(key))
    responses.set_request_region(router.extract_region(request.headers, {}))
    _pin(request, key)

    def authorise(action: str, resource: str, request_id: str) -> Response | None:
        denied = _known(key, action, service, resource)
        if denied is None:
            return None
        if denied is _UNKNOWN:
            denied = iam_evaluator.enforce(key, action, service, responses.get_region(), resource, {})
        return None if denied is None else _refusal(denied, service, action, resource, request, request_id)

    return authorise


def _pin(request: DirectRequest, key: str) -> None:
    """Keep the request as it was signed. The usual one, signed in a header, needs no second reading of its headers."""
    signed = request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
    once = len(request.headers) == len(request.sent_headers)  # values of one name are signed with another comma
    if signed and once and key and not iam_evaluator.is_root_access_key(key):
        iam_evaluator._verified_key.set("")
        iam_evaluator._anonymous.set(False)
        pinned = iam_evaluator.SignedRequest(key, request.method, request.path, {}, request.headers, request.body)
        iam_evaluator._signed_request.set(pinned)
        return
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.sent_headers]
    iam_evaluator.pin_signed_request(request.method, request.path, {}, raw)
    iam_evaluator.pin_signed_body(request.body)


_UNKNOWN = object()
"""Only the whole evaluation can tell."""


def _known(key: str, action: str, service: str, resource: str) -> Any:
    """As ``enforce``, for a role's session whose policies allow the action whatever the circumstances, else _UNKNOWN.

    Every request's signature is checked. The policies are read from IAM's records every time, and their texts are part
    of what a decision is remembered by: it holds exactly as long as they do.
    """
    documents = None if service in iam_evaluator._RESOURCE_POLICY_LOOKUPS else _policies(key)
    if documents is None or not _allow(documents, action, resource):
        return _UNKNOWN
    checked = iam_evaluator.authenticate(key, responses.get_account_id())
    if checked is None:  # nothing was signed with this key
        return _UNKNOWN
    if isinstance(checked, iam_evaluator.AuthError):
        return checked
    iam_record.add(checked.principal_arn, action, resource, allowed=True)
    return None


def _policies(key: str) -> tuple[str, ...] | None:
    """The texts of everything that bounds a role's session; None for other callers, and where there is more to it."""
    session = sts._sessions.get(key) or {}
    principal = str(session.get("Arn", ""))
    if ":assumed-role/" not in principal or session.get("SessionPolicies") is not None:
        return None
    account = responses.get_account_id()
    role = iam._roles.get_scoped(account, None, iam_evaluator._role_name_from_assumed_arn(principal))
    if role is None or role.get("PermissionsBoundary"):
        return None
    attached = role.get("AttachedPolicies", ())
    documents = (
        *(role.get("InlinePolicies") or {}).values(),
        *(iam_evaluator._resolve_managed_policy_document(arn, account) for arn in attached),
    )
    return documents if all(isinstance(document, str) for document in documents) else None


@lru_cache(4096)
def _allow(documents: tuple[str, ...], action: str, resource: str) -> bool:
    """Whether policies allow an action on a resource without looking at anything else; a pure function of texts."""
    if any(sign in document for document in documents for sign in _DEPENDS):
        return False
    context = iam_evaluator.EvalContext("", "AssumedRole", "", action, resource, "")
    policies = [iam_evaluator.parse_policy_document(document) for document in documents]
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def _refusal(
    denied: Any, service: str, action: str, resource: str, request: DirectRequest, request_id: str
) -> Response:
    if isinstance(denied, iam_evaluator.AuthError):
        status, headers, body = app._credential_failure(service, action, request_id, denied, request.headers)
    else:
        status, headers, body = iam_actions.access_denied_response(
            service,
            action,
            denied.principal_arn,
            request_id,
            headers=request.headers,
            resource_arn=resource,
            explicit_deny=denied.decision == "Deny",
            resource_policy_arn=denied.resource_policy_arn,
        )
    return status, dict(headers), body
