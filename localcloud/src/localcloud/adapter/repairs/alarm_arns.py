"""Deleting or describing an alarm is authorised on that alarm.

MiniStack looks for ``AlarmName`` only and authorises requests with ``AlarmNames`` on ``*``, so that a permission on
``alarm:NAME`` denies everything. AWS: the resource is the alarm
(service-authorization/latest/reference/list_amazoncloudwatch.html). A request that names several stays on ``*``.
"""

from __future__ import annotations

import json

import cbor2

from localcloud.adapter.authorised_on import Request, correct


def install() -> None:
    """Correct what requests of CloudWatch are authorised on."""
    correct("monitoring", _alarm)


def _alarm(request: Request, arn: str) -> str:
    names = _names(request) if arn == "*" else []
    return f"arn:aws:cloudwatch:{request.region}:{request.account}:alarm:{names[0]}" if len(names) == 1 else arn


def _names(request: Request) -> list[str]:
    """From a query, JSON or CBOR request: SDKs of different ages speak each of them."""
    listed = [request.parameter(f"AlarmNames.member.{number}") for number in (1, 2)]
    if listed[0]:
        return [name for name in listed if name]
    body = request.body
    try:
        document = json.loads(body) if body[:1] == b"{" else cbor2.loads(body)
    except (ValueError, cbor2.CBORError):  # malformed, or a query: the service says so itself
        return []
    found = document.get("AlarmNames") if isinstance(document, dict) else None
    return [str(name) for name in found] if isinstance(found, list) else []
