"""What EventBridge is told of a change: the details of the events of source aws.sagemaker.

AWS shows one example of each kind (sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html). Those of jobs,
endpoints and packages have the members of Describe, with other moments and with the tags as a map; those of pipelines
have members of their own (``pipelines.events``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.api.shaping import Moment, shape_reply
from localcloud.sagemaker.store import Record


def milliseconds(epoch: float) -> int:
    """The moments of jobs and endpoints."""
    return round(epoch * 1000)


def iso(epoch: float) -> str:
    """The moments of packages and pipelines."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def described(operation: str, reply: dict[str, Any], record: Record, moment: Moment = milliseconds) -> dict[str, Any]:
    """What Describe would answer now, in the words of an event. Hold the lock."""
    return {**shape_reply(operation, reply, moment), "Tags": dict(record.tags)}


def upper_snake(status: str) -> str:
    """``InService`` as the events of endpoints write it: ``IN_SERVICE``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()
