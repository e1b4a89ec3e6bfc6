"""What a raw HTTP request asks for, as MiniStack itself finds out: service, operation, caller, protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, router

from localcloud.adapter.iam_record import principal_of

#: where the CBOR protocol puts its operation
_SMITHY = re.compile(r"/service/[^/]+/operation/(\w+)")

Protocol = Literal["json", "query", "ec2", "rest-json", "rest-xml", "cbor"]


@dataclass(frozen=True)
class ApiCall:
    """One API call; ``service`` and ``operation`` as IAM spells them, except where the request names its operation."""

    service: str
    operation: str
    #: ARN of the caller: a role's session, a user or the account's root
    principal: str
    region: str
    protocol: Protocol
    #: members of a JSON body, parameters of a query; nothing for other protocols
    parameters: Mapping[str, Any]


def identify(
    method: str, path: str, headers: Mapping[str, str], query: Mapping[str, Sequence[str]], body: bytes
) -> ApiCall | None:
    """The call of a request with lower-case header names; None for what is no call of a known service."""
    given = dict(headers)
    bucket = app._extract_s3_vhost_bucket(given.get("host", ""))
    if bucket and "/s3/aws4_request" in given.get("authorization", ""):
        path = f"/{bucket}{path}"
    form = "x-www-form-urlencoded" in given.get("content-type", "")
    sent = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True) if form else {}
    parameters = {**sent, **query}
    name = router.detect_service(method, path, given, parameters)
    action = iam_actions.extract_iam_action(name, method, path, given, body, parameters)
    namespace, _, operation = (action or "").partition(":")
    target = given.get("x-amz-target", "").rpartition(".")[2]
    named = _SMITHY.fullmatch(path)
    operation = (named.group(1) if named else target) or (parameters.get("Action") or [""])[0] or operation
    if not operation:
        return None
    return ApiCall(
        namespace or name,
        operation,
        principal_of(router.extract_access_key_id(given, parameters)),
        router.extract_region(given, parameters),
        _protocol(name, given, parameters),
        _members(body) if not form else {key: values[0] for key, values in parameters.items()},
    )


def _protocol(name: str, headers: Mapping[str, str], parameters: Mapping[str, Any]) -> Protocol:
    if "cbor" in headers.get("smithy-protocol", "") or "cbor" in headers.get("content-type", ""):
        return "cbor"
    if headers.get("x-amz-target"):
        return "json"
    if "Action" in parameters:
        return "ec2" if name == "ec2" else "query"
    return "rest-xml" if name in ("s3", "cloudfront", "route53") else "rest-json"


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
