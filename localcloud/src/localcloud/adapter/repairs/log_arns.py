"""The resource that CloudWatch Logs actions are authorised on.

MiniStack uses ``log-group:NAME`` for everything, so that a policy on ``log-group:NAME:*`` (what CDK writes) denies and
one on ``log-group:NAME`` allows: the reverse of AWS. AWS: group actions are checked on ``log-group:NAME:*``, stream
actions on ``log-group:NAME:log-stream:STREAM``, tagging on the ARN it names
(AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
"""

from __future__ import annotations

import json

from localcloud.adapter.authorised_on import Request, correct

_ON_THE_ARN_GIVEN = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


def install() -> None:
    """Correct what requests of CloudWatch Logs are authorised on."""
    correct("logs", _group_or_stream)


def _group_or_stream(request: Request, arn: str) -> str:
    action = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if ":log-group:" not in arn or action in _ON_THE_ARN_GIVEN:
        return arn
    try:
        stream = json.loads(request.body or b"{}").get("logStreamName")
    except ValueError:
        stream = None
    return f"{arn}:log-stream:{stream}" if stream else f"{arn}:*"
