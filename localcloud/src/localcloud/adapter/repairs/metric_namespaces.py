"""The condition key ``cloudwatch:namespace`` of PutMetricData, by which roles are kept to their own metrics.

It is the only thing such a permission can be limited by (the action has no resources); MiniStack does not know it, so
a policy with the condition denies everything.
"""

from __future__ import annotations

import json
from typing import Any

import cbor2
from ministack.core import iam_actions


def install() -> None:
    """Wrap the collection of a request's condition keys."""
    before = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = before(service, action, body, parameters)
        if action == "cloudwatch:PutMetricData":
            namespace = _namespace(body, parameters)
            if namespace:
                found = {**found, "cloudwatch:namespace": namespace}
        return found

    iam_actions.request_tag_context = context


def _namespace(body: bytes, parameters: dict[str, Any]) -> str | None:
    """From a query, JSON or CBOR request: SDKs of different ages speak each of them."""
    if parameters.get("Namespace"):
        value = parameters["Namespace"]
        return str(value[0] if isinstance(value, list) else value)
    try:
        document = json.loads(body) if body[:1] == b"{" else cbor2.loads(body)
    except (ValueError, cbor2.CBORError):  # malformed, in either format; the service says so itself
        return None
    return str(document["Namespace"]) if isinstance(document, dict) and "Namespace" in document else None
