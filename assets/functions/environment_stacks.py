"""The stacks of one environment: which there are, which of them may go next, and which refused to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TAG = "sandcastle:environment"

EXISTING = [
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "CREATE_COMPLETE",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_COMPLETE",
]
"""Every status but that of a stack which is gone: CloudFormation lists those for another 90 days."""


@dataclass(frozen=True)
class Stack:
    """A stack with its CloudFormation status and its outputs by key."""

    name: str
    stack_id: str
    status: str
    outputs: dict[str, str]

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on it (a stack in review has no resources: it is not)."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def refused(self) -> bool:
        """Whether its last deletion failed."""
        return self.status == "DELETE_FAILED"


def stacks_of(cloudformation: Any, environment: str) -> list[Stack]:
    """Return the environment's stacks, sorted by name. Raises ClientError.

    A name is not enough: those of environment ``a-b`` begin as those of ``a`` do. The stack's own tag decides.
    """
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=EXISTING)
    found = []
    for page in pages:
        for summary in page["StackSummaries"]:
            if summary["StackName"].startswith(f"sandcastle-{environment}-"):
                (stack,) = cloudformation.describe_stacks(StackName=summary["StackId"])["Stacks"]
                tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
                if tags.get(TAG) == environment and stack["StackStatus"] != "DELETE_COMPLETE":
                    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
                    found.append(Stack(stack["StackName"], stack["StackId"], stack["StackStatus"], outputs))
    return sorted(found, key=lambda stack: stack.name)


def held_by(cloudformation: Any, stacks: Sequence[Stack]) -> dict[str, str]:
    """Return everything that the stacks hold: types by physical id. Raises ClientError."""
    found = {}
    for stack in stacks:
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.stack_id):
            for one in page["StackResourceSummaries"]:
                if "PhysicalResourceId" in one:
                    found[one["PhysicalResourceId"]] = one["ResourceType"]
    return found


def next_to_go(stacks: Sequence[Stack], layers: Sequence[Sequence[str]]) -> list[Stack]:
    """Return the stacks that may be deleted now, given names in layers: each layer rests on those after it.

    Stacks that no layer names go first. A stack that refused to go is tried again, and what it rests on is tried
    beside it: one failure must not keep everything else alive, and CloudFormation itself refuses to delete what
    is still used (an export that is imported).
    """
    named = {name for layer in layers for name in layer}
    unknown = [stack.name for stack in stacks if stack.name not in named]
    going: list[Stack] = []
    for layer in (unknown, *layers):
        present = [stack for stack in stacks if stack.name in layer]
        going += present
        if any(not stack.refused for stack in present):
            break
    return going
