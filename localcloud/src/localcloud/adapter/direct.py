"""Admitting a request that a service of ours answers without MiniStack's application: who asks, and whether they may.

The steps and their order are those of ``ministack.app``: tenant and region from the credentials, the request pinned as
it was sent, then authentication by signature and authorisation by policies in one ``enforce``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router

from localcloud.adapter.services import Response

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class DirectRequest:
    """A request without a query string, as it was sent."""

    method: str
    path: str
    #: in lower case; a name that was sent twice has its values joined by a comma
    headers: dict[str, str]
    raw_headers: Sequence[tuple[bytes, bytes]]
    body: bytes


def enter(request: DirectRequest) -> None:
    """Make the caller's account and region those of this thread, until the next ``enter``."""
    responses.set_request_client_ip(_LOOPBACK)
    iam_evaluator.pin_request_origin(_LOOPBACK, True)  # loopback stands in for TLS
    key = router.extract_access_key_id(request.headers, {})
    if key:
        responses.set_request_account_id(app._request_account_scope(key))
    responses.set_request_region(router.extract_region(request.headers, {}))
    iam_evaluator.pin_signed_request(request.method, request.path, {}, request.raw_headers)
    iam_evaluator.pin_signed_body(request.body)
    iam_evaluator.pin_request_caller(request.headers, {})


def refusal(service: str, action: str, resource: str, request: DirectRequest, request_id: str) -> Response | None:
    """The answer to a caller who is not who it says, or may not do ``action`` on ``resource``; None when all is well.

    After ``enter``, on the same thread.
    """
    key = router.extract_access_key_id(request.headers, {})
    denied = iam_evaluator.enforce(key, action, service, responses.get_region(), resource, {})
    if denied is None:
        return None
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
