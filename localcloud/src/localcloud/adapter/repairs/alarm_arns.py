"""Deleting or describing an alarm is authorised on that alarm.

MiniStack looks for ``AlarmName`` only and authorises requests with ``AlarmNames`` on ``*``, so that a permission on
``alarm:NAME`` denies everything. AWS: the resource is the alarm
(service-authorization/latest/reference/list_amazoncloudwatch.html). A request that names several stays on ``*``.
"""

from __future__ import annotations

import json
from typing import Any

import cbor2
from ministack.core import iam_actions


def install() -> None:
    """Wrap the lookup of a request's resource."""
    before = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        arn: str = before(service, method, path, headers, body, query, region, account)
        if service != "monitoring" or arn != "*":
            return arn
        names = _names(body, query)
        return f"arn:aws:cloudwatch:{region}:{account}:alarm:{names[0]}" if len(names) == 1 else arn

    iam_actions.extract_resource_arn = extract


def _names(body: bytes, query: Any) -> list[str]:
    """From a query, JSON or CBOR request: SDKs of different ages speak each of them."""
    listed = [iam_actions._query_param(query, f"AlarmNames.member.{number}") for number in (1, 2)]
    if listed[0]:
        return [name for name in listed if name]
    try:
        document = json.loads(body) if body[:1] == b"{" else cbor2.loads(body)
    except (ValueError, cbor2.CBORError):  # malformed, or a query: the service says so itself
        return []
    found = document.get("AlarmNames") if isinstance(document, dict) else None
    return [str(name) for name in found] if isinstance(found, list) else []
