"""Admitting a request that a service of ours answers without MiniStack's application: who asks, and whether they may.

The steps and their order are those of ``ministack.app``: tenant and region from the credentials, the request pinned as
it was sent, then authentication by signature and authorisation by policies. What decides is MiniStack's evaluator; what
it would work out again for every request of a role, from policies that have not changed, is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import iam, sts

from localcloud.adapter import signatures
from localcloud.adapter.services import Response
from localcloud.iam.record import default_record

_LOOPBACK = "127.0.0.1"
#: what makes a decision depend on more than action and resource
_DEPENDS = ('"Condition"', "${")
#: ARN of a role's session: account and role
_SESSION = re.compile(r"arn:[^:]*:sts::(\d{12}):assumed-role/([^/:]+)/[^:]*", re.ASCII)


class DirectRequest(NamedTuple):
    """A request without a query string, as it was sent."""

    method: str
    path: str
    #: in lower case; a name that was sent twice has its values joined by a comma
    headers: dict[str, str]
    #: the lines of the head below the first
    sent: Sequence[str]
    body: bytes


#: (action, ARN of the resource, id of the request) -> the answer to a caller who is not who it says or may not do the
#: action, None when all is well
Authorise = Callable[[str, str, str], Response | None]


class _Caller(NamedTuple):
    """A session of a role, and nothing else bounds it than the role's policies."""

    signed: signatures.Signed
    #: STS's record
    session: Mapping[str, Any]
    arn: str
    account: str
    #: IAM's record
    role: Mapping[str, Any]


class Admitted(NamedTuple):
    """Whose a request is."""

    account: str
    region: str
    authorise: Authorise


def admit(service: str, request: DirectRequest) -> Admitted:
    """Make the caller's account and region those of this thread; what is returned authorises the request."""
    caller = None if service in iam_evaluator._RESOURCE_POLICY_LOOKUPS else _usual_caller(request)
    if caller is None:
        return _admit_any(service, request)
    responses._request_account_id.set(caller.account)
    responses._request_region.set(caller.signed.region)

    def authorise(action: str, resource: str, request_id: str) -> Response | None:
        documents = _policies(caller)
        if (
            documents is None
            or not _allow(documents, action, resource)
            or not signatures.holds(caller.signed, caller.session, *request[:3], request.body)
        ):
            return _admit_any(service, request).authorise(action, resource, request_id)
        # what the evaluator leaves behind
        iam_evaluator._anonymous.set(False)
        iam_evaluator._signed_request.set(None)
        iam_evaluator._verified_key.set(caller.signed.key)
        purpose = str(caller.role.get("Description") or "")
        default_record().add(caller.arn, action, resource, allowed=True, purpose=purpose)
        return None

    return Admitted(caller.account, caller.signed.region, authorise)


def _admit_any(service: str, request: DirectRequest) -> Admitted:
    """As ``admit`` for every kind of caller and signature: MiniStack decides about all of it."""
    responses.set_request_client_ip(_LOOPBACK)
    iam_evaluator.pin_request_origin(_LOOPBACK, True)  # loopback stands in for TLS
    key = router.extract_access_key_id(request.headers, {})
    if key:
        responses.set_request_account_id(app._request_account_scope(key))
    responses.set_request_region(router.extract_region(request.headers, {}))
    pairs = [line.partition(":") for line in request.sent]
    raw = [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, _, value in pairs]
    iam_evaluator.pin_signed_request(request.method, request.path, {}, raw)
    iam_evaluator.pin_signed_body(request.body)

    def authorise(action: str, resource: str, request_id: str) -> Response | None:
        denied = iam_evaluator.enforce(key, action, service, responses.get_region(), resource, {})
        return None if denied is None else _refusal(denied, service, action, resource, request, request_id)

    return Admitted(responses.get_account_id(), responses.get_region(), authorise)


def _usual_caller(request: DirectRequest) -> _Caller | None:
    """The session of a role that a request says it is of; None for other callers, and where there is more to it."""
    if len(request.headers) != len(request.sent):  # values of a name sent twice are signed with another comma
        return None
    signed = signatures.usual(request.headers)
    session = sts._sessions.get(signed.key) if signed else None
    if signed is None or session is None or session.get("SessionPolicies") is not None:
        return None
    arn = str(session.get("Arn", ""))
    account, name = _role_of(arn)
    kind = session.get("PrincipalType") or "AssumedRole"
    if not account or kind != "AssumedRole" or session.get("AccountId", account) != account:
        return None
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role.get("PermissionsBoundary"):
        return None
    return _Caller(signed, session, arn, account, role)


@lru_cache(4096)
def _role_of(arn: str) -> tuple[str, str]:
    """Account and name of the role of a session; empty for other principals. A pure function of the text."""
    found = _SESSION.fullmatch(arn)
    return (found[1], found[2]) if found else ("", "")


def _policies(caller: _Caller) -> tuple[str, ...] | None:
    """The texts of the policies of the caller's role, as IAM has them now; None when one is no text.

    They are part of what a decision is remembered by: it holds exactly as long as they do.
    """
    documents = [*(caller.role.get("InlinePolicies") or {}).values()]
    for arn in caller.role.get("AttachedPolicies", ()):
        documents.append(iam_evaluator._resolve_managed_policy_document(arn, caller.account))
    for document in documents:
        if not isinstance(document, str):
            return None
    return tuple(documents)


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
