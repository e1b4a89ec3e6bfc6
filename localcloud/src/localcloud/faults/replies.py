"""Refusals as each protocol of AWS words them, and what each service calls being throttled.

Codes: botocore's models where they name one (Lambda, EFS, Scheduler, SNS, ...); RequestLimitExceeded is EC2's
(AWSEC2/latest/APIReference/errors-overview.html), SlowDown S3's (AmazonS3/latest/API/ErrorResponses.html), Throttling
that of the services with the query protocol (the common errors of their references).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

import cbor2

from localcloud.adapter.requests import ApiCall

Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Refusal:
    """Code, text and HTTP status."""

    code: str
    message: str
    status: int


_THROTTLED = {
    "ec2": Refusal("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": Refusal("SlowDown", "Please reduce your request rate.", 503),
    "lambda": Refusal("TooManyRequestsException", "Rate exceeded", 429),
    "elasticfilesystem": Refusal("ThrottlingException", "Rate exceeded", 429),
    "scheduler": Refusal("ThrottlingException", "Rate exceeded", 429),
    "sns": Refusal("Throttled", "Rate exceeded", 429),
    "sqs": Refusal("RequestThrottled", "Rate exceeded", 400),
    "tag": Refusal("ThrottledException", "Rate exceeded", 400),
    "servicequotas": Refusal("TooManyRequestsException", "Rate exceeded", 400),
}
_OF_QUERY_SERVICES = Refusal("Throttling", "Rate exceeded", 400)
_OF_OTHERS = Refusal("ThrottlingException", "Rate exceeded", 400)


def throttled(call: ApiCall) -> Refusal:
    """What the service says to a caller that asks too often."""
    return _THROTTLED.get(call.service) or (_OF_QUERY_SERVICES if call.protocol == "query" else _OF_OTHERS)


def reply(call: ApiCall, refusal: Refusal, head: bool = False) -> Reply:
    """The HTTP answer; without a body for a HEAD request."""
    identifier = str(uuid.uuid4())
    code, text = refusal.code, refusal.message
    headers = {"x-amzn-RequestId": identifier}
    if call.protocol in ("json", "rest-json"):
        kind = "application/x-amz-json-1.1" if call.protocol == "json" else "application/json"
        body = json.dumps({"__type": code, "message": text, "Message": text}).encode()
        headers |= {"Content-Type": kind, "x-amzn-ErrorType": code}
    elif call.protocol == "cbor":
        body = cbor2.dumps({"__type": code, "message": text})
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    else:
        body = _xml(call, escape(code), escape(text), identifier).encode()
        headers |= {"Content-Type": "text/xml"}
    return refusal.status, headers, b"" if head else body


def _xml(call: ApiCall, code: str, text: str, identifier: str) -> str:
    error = f"<Code>{code}</Code><Message>{text}</Message>"
    if call.protocol == "ec2":
        return f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{identifier}</RequestID></Response>"
    if call.protocol == "rest-xml":
        return f"<Error>{error}<RequestId>{identifier}</RequestId></Error>"
    return (
        f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{identifier}</RequestId></ErrorResponse>"
    )
