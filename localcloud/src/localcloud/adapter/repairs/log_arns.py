"""The resource that CloudWatch Logs actions are authorised on.

MiniStack uses ``log-group:NAME`` for everything, so that a policy on ``log-group:NAME:*`` (what CDK writes) denies and
one on ``log-group:NAME`` allows: the reverse of AWS. AWS: group actions are checked on ``log-group:NAME:*``, stream
actions on ``log-group:NAME:log-stream:STREAM``, tagging on the ARN it names
(AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions

_ON_THE_ARN_GIVEN = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


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
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service != "logs" or ":log-group:" not in arn or action in _ON_THE_ARN_GIVEN:
            return arn
        try:
            stream = json.loads(body or b"{}").get("logStreamName")
        except ValueError:
            stream = None
        return f"{arn}:log-stream:{stream}" if stream else f"{arn}:*"

    iam_actions.extract_resource_arn = extract
