"""Answers to CloudFormation, for functions that are a custom resource by themselves.

CloudFormation calls with an event and waits until something is sent to the event's ``ResponseURL``
(CloudFormation user guide, "Custom resource response objects"). A function that ends without answering leaves the
stack waiting until the resource's timeout.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

_LONGEST_REASON = 3000
"""Characters; the whole answer may have 4096 bytes."""


def answer(
    event: dict[str, Any],
    context: Any,
    physical_id: str,
    work: Callable[[], dict[str, str] | None],
    passed_on: type[Exception] | tuple[()] = (),
) -> None:
    """Do the work and tell CloudFormation how it went. What the work raises is reported.

    What it returns become the resource's attributes.
    Only an exception of type ``passed_on`` is raised again, and nothing is answered: somebody else will.
    """
    status, reason, data = "SUCCESS", "", {}
    try:
        data = work() or {}
    except passed_on:
        raise
    except Exception as error:  # whatever went wrong must reach the stack: no answer would hang it
        status = "FAILED"
        reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        reason += f" (log stream {context.log_stream_name} of {context.log_group_name})"
        print(reason)
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": data,
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": ""},  # the URL is signed for an empty content type
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        reply.read()
