"""Admitting a request that a service of ours answers without MiniStack's application: who asks, and whether they may.

The steps and their order are those of ``ministack.app``: tenant and region from the credentials, the request pinned as
it was sent, then authentication by signature and authorisation by policies in one ``enforce``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router, sigv4

from localcloud.adapter.services import Response

_LOOPBACK = "127.0.0.1"


def install() -> None:
    """Remember signing keys: they are the same for all requests of a key, day, region and service."""
    sigv4.derive_signing_key = lru_cache(4096)(sigv4.derive_signing_key)


class DirectRequest(NamedTuple):
    """A request without a query string, as it was sent."""

    method: str
    path: str
    #: in lower case; a name that was sent twice has its values joined by a comma
    headers: dict[str, str]
    raw_headers: Sequence[tuple[bytes, bytes]]
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
    iam_evaluator.pin_signed_request(request.method, request.path, {}, request.raw_headers)
    iam_evaluator.pin_signed_body(request.body)

    def authorise(action: str, resource: str, request_id: str) -> Response | None:
        denied = iam_evaluator.enforce(key, action, service, responses.get_region(), resource, {})
        return None if denied is None else _refusal(denied, service, action, resource, request, request_id)

    return authorise


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
