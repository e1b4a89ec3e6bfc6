"""Why a stack could not be deleted, in CloudFormation's words, and whether that is news."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_IDS = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")
"""What differs between two tellings of the same reason: tokens of requests, names of log streams."""


@dataclass
class Failure:
    """One deletion that failed: when, what is said of the stack, and by reason what is said of each resource."""

    moment: datetime
    summary: str
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def hour(self) -> datetime:
        """The hour of the clock in which it failed."""
        return self.moment.replace(minute=0, second=0, microsecond=0)

    @property
    def told(self) -> dict[str, str]:
        """By reason without what differs each time, the text to tell."""
        return self.reasons or {_IDS.sub("", self.summary): self.summary}


def news(cloudformation: Any, stack_id: str) -> list[str]:
    """Return the reasons of the last failure that no earlier one in the same hour of the clock had. Raises ClientError.

    So who is told these, after each failure, hears each reason at most once in an hour, and nothing has to be noted.
    """
    failures = _failures(cloudformation, stack_id)
    last = next(failures, None)
    if last is None:
        return []
    fresh = dict(last.told)
    for failure in failures:
        if failure.hour != last.hour:
            break
        for reason in failure.told:
            fresh.pop(reason, None)
    return sorted(fresh.values())


def _failures(cloudformation: Any, stack_id: str) -> Iterator[Failure]:
    """Yield the stack's failed deletions, the last one first. Events come newest first."""
    current: Failure | None = None
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            reason = event.get("ResourceStatusReason", "")
            failed = event["ResourceStatus"] == "DELETE_FAILED"
            if event.get("PhysicalResourceId") == stack_id:  # the beginning of a deletion, or its end
                if current is not None:
                    yield current
                current = Failure(event["Timestamp"], reason) if failed else None
            elif failed and current is not None and reason:
                text = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
                current.reasons[_IDS.sub("", text)] = text
    if current is not None:
        yield current
