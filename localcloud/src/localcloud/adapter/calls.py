"""In-process calls to a service, as the service itself: no IAM, no network. Worker threads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from ministack import app

#: some handlers (S3) refuse anonymous requests; this names the account root without a signature to check
_AS_ROOT = "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"


def call_raw(
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Mapping[str, Sequence[str]] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Run one handler and return status, headers and body. Raises RuntimeError on the event loop's thread."""
    from localcloud.adapter.identity import region

    full = {"authorization": _AS_ROOT.format(region=region(), service=service), **headers}
    status, reply_headers, reply = app.call_service_handler_sync(
        app.SERVICE_HANDLERS[service], method, path, full, body, dict(query or {})
    )
    return status, dict(reply_headers), reply if isinstance(reply, bytes) else str(reply or "").encode()


def call_json(service: str, target: str, payload: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Call a JSON-protocol operation: ``call_json("logs", "Logs_20140328.CreateLogGroup", {...})``."""
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
    status, _, body = call_raw(service, "POST", "/", headers, json.dumps(payload).encode())
    return status, json.loads(body or b"{}")


def call_query(service: str, parameters: Mapping[str, str]) -> tuple[int, str]:
    """Call a query-protocol operation (EC2, SNS, CloudWatch...); the reply is XML text."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, _, body = call_raw(service, "POST", "/", headers, urlencode(parameters).encode())
    return status, body.decode()


def call_rest(
    service: str,
    method: str,
    path: str,
    payload: Mapping[str, Any] | None = None,
    query: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Call a REST-JSON operation (EFS, Lambda...)."""
    body = b"" if payload is None else json.dumps(payload).encode()
    asked = {name: [value] for name, value in (query or {}).items()}
    status, _, reply = call_raw(service, method, path, {"content-type": "application/json"}, body, asked)
    return status, json.loads(reply) if reply else {}


def put_metric(
    namespace: str,
    name: str,
    value: float,
    dimensions: Mapping[str, str],
    timestamp: float,
    unit: str = "None",
) -> None:
    """Put one CloudWatch data point (``timestamp`` in epoch seconds) as a service does, without a role."""
    parameters = {
        "Action": "PutMetricData",
        "Version": "2010-08-01",
        "Namespace": namespace,
        "MetricData.member.1.MetricName": name,
        "MetricData.member.1.Value": repr(float(value)),
        "MetricData.member.1.Timestamp": _iso(timestamp),
        "MetricData.member.1.Unit": unit,
    }
    for index, (key, text) in enumerate(dimensions.items(), start=1):
        parameters[f"MetricData.member.1.Dimensions.member.{index}.Name"] = key
        parameters[f"MetricData.member.1.Dimensions.member.{index}.Value"] = text
    status, reply = call_query("monitoring", parameters)
    if status >= 400:
        raise RuntimeError(f"PutMetricData {namespace} {name}: {reply}")


def _iso(epoch: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
