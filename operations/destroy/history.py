"""What CloudFormation's events tell of the deletion: which stack went when, which janitor worked for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.stacks import Stack
from operations.target import Target

JANITOR = "Custom::Sandcastle"
"""What the types of our custom resources begin with; on deletion each is a janitor at work, but for those that make
something on creation."""
_MAKERS = ("Dataset", "TrainedModel")


@dataclass(frozen=True)
class Span:
    """Something that took time, a stack or a janitor in one, and CloudFormation's word for how it ended."""

    name: str
    begin: datetime
    end: datetime
    outcome: str

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.begin).total_seconds()

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {
            "name": self.name,
            "begin": self.begin.isoformat(),
            "end": self.end.isoformat(),
            "seconds": round(self.seconds, 1),
            "outcome": self.outcome,
        }


@dataclass(frozen=True)
class StackHistory:
    """The deletion of one stack: its own span, its janitors', how many resources went, and what failed on the way."""

    stack: Span
    deleted: int
    janitors: tuple[Span, ...] = ()
    failures: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {
            **self.stack.document(),
            "deleted": self.deleted,
            "janitors": [span.document() for span in self.janitors],
            "failures": list(self.failures),
        }


@dataclass(frozen=True)
class Parts:
    """What is written down of the stacks before they go: the physical ids in each, and its newest event so far."""

    of: dict[str, frozenset[str]] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)

    def stack_of(self, finding: Finding) -> str | None:
        """Return the stack that made the finding, or deletes it with what it made (schedules with their group).

        Some physical ids join several names with a bar, in an order of their own.
        """
        names = frozenset(finding.name.split("/"))
        for stack, parts in self.of.items():
            if finding.kind == "schedule" and names & parts:
                return stack
            for part in parts:
                if part == finding.name or part.endswith(f"/{finding.name}") or frozenset(part.split("|")) == names:
                    return stack
        return None


def parts_of(target: Target, stacks: Iterable[Stack]) -> Parts:
    """Write down what the stacks consist of."""
    client = target.client("cloudformation")
    pages = client.get_paginator("list_stack_resources")
    found = Parts()
    for stack in stacks:
        resources = [one for page in pages.paginate(StackName=stack.stack_id) for one in page["StackResourceSummaries"]]
        found.of[stack.name] = frozenset(
            one["PhysicalResourceId"] for one in resources if one.get("PhysicalResourceId")
        )
        events = client.describe_stack_events(StackName=stack.stack_id)["StackEvents"]
        found.newest[stack.name] = events[0]["EventId"] if events else ""
    return found


def history_of(target: Target, stacks: Iterable[Stack], parts: Parts) -> list[StackHistory]:
    """Return how the stacks were deleted, first deleted first; one that nobody began to delete is left out."""
    told = (_history(_events(target, stack, parts.newest.get(stack.name, "")), stack.name) for stack in stacks)
    return sorted((one for one in told if one is not None), key=lambda one: one.stack.begin)


def _events(target: Target, stack: Stack, after: str) -> list[Any]:
    """Return the stack's events after one of them, oldest first; a deleted stack keeps them under its id."""
    found = []
    try:
        pages = (
            target.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack.stack_id)
        )
        for event in (event for page in pages for event in page["StackEvents"]):
            if event["EventId"] == after:
                break
            found.append(event)
    except ClientError:
        return []
    return found[::-1]


def _history(events: list[Any], name: str) -> StackHistory | None:
    """Read the events from the first deletion of the stack itself on."""
    starts = [
        index
        for index, event in enumerate(events)
        if event["ResourceStatus"] == "DELETE_IN_PROGRESS" and event["PhysicalResourceId"] == event["StackId"]
    ]
    if not starts:
        return None
    begun: dict[str, datetime] = {}
    janitors, failures, deleted = list[Span](), list[str](), 0
    outcome, last = "DELETE_IN_PROGRESS", events[starts[0]]["Timestamp"]
    for event in events[starts[0] :]:
        logical, status, when = event["LogicalResourceId"], event["ResourceStatus"], event["Timestamp"]
        last = when
        if event.get("PhysicalResourceId") == event["StackId"]:
            outcome = status
        elif status == "DELETE_IN_PROGRESS":
            begun.setdefault(logical, when)
        elif status in ("DELETE_COMPLETE", "DELETE_FAILED", "DELETE_SKIPPED"):
            deleted += status == "DELETE_COMPLETE"
            if status != "DELETE_COMPLETE" and event.get("ResourceStatusReason"):
                failures.append(f"{logical}: {event['ResourceStatusReason']}")
            kind = event["ResourceType"].removeprefix(JANITOR)
            if kind != event["ResourceType"] and kind not in _MAKERS:
                janitors.append(Span(kind, begun.pop(logical, when), when, status))
    stack = Span(name, events[starts[0]]["Timestamp"], last, outcome)
    return StackHistory(stack, deleted, tuple(janitors), tuple(dict.fromkeys(failures)))
