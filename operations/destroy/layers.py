"""Deletes the stacks of an environment through CloudFormation's API, layer after layer, whatever state they are in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from operations.console import Console
from operations.errors import OperationError
from operations.project import stack_prefix
from operations.stacks import Stack, environment_stacks
from operations.target import Target

T = TypeVar("T")

WAIT_MINUTES = 70
"""Longest wait for one layer: a custom resource may hold CloudFormation for an hour."""

_FIRST, _LAST = {"teardown": 0}, {"foundation": 2, "guardrails": 3}
"""Layers: what stops everything goes first, what the others import from late, what watches the money last of all."""


class StillWorkingError(OperationError):
    """CloudFormation did not come to an end in time."""


def layer(environment: str, stack: str) -> int:
    """Return when a stack is deleted; lower is earlier."""
    return {**_FIRST, **_LAST}.get(stack.removeprefix(stack_prefix(environment)), 1)


def settle(target: Target, environment: str, console: Console) -> list[Stack]:
    """Wait until CloudFormation works on none of the stacks, and return those that exist.

    A running update is cancelled first. A stack that is still being created is not waited for: CloudFormation
    accepts its deletion at any time.
    """
    cancelled: set[str] = set()

    def quiet() -> list[Stack] | None:
        stacks = environment_stacks(target, environment)
        for stack in stacks:
            if stack.status == "UPDATE_IN_PROGRESS" and stack.name not in cancelled:
                console.step(f"cancelling the update of {stack.name}")
                cancelled.add(stack.name)
                try:
                    target.client("cloudformation").cancel_update_stack(StackName=stack.stack_id)
                except ClientError as error:
                    console.warn(f"it goes on: {error}")  # it ended in the meantime, or cannot be cancelled any more
        working = [stack for stack in stacks if stack.busy and stack.status != "CREATE_IN_PROGRESS"]
        return None if working else stacks

    return wait(target, quiet, "a stack that CloudFormation is working on")


def delete_stacks(target: Target, environment: str, console: Console, *, force: bool = False) -> None:
    """Delete the stacks, a layer only when those before it are gone.

    ``force`` has CloudFormation give up what it cannot delete; it allows that only after a failed deletion. So the
    guardrails, which watch the money, stay as long as anything else does.
    """
    client = target.client("cloudformation")
    tried: set[int] = set()
    while stacks := environment_stacks(target, environment):
        now = min(layer(environment, stack.name) for stack in stacks)
        if now in tried:
            return
        tried.add(now)
        group = [stack for stack in stacks if layer(environment, stack.name) == now]
        for stack in group:
            console.step(f"deleting {stack.name}, which is {stack.status}. {stack.reason}".rstrip())
            mode = {"DeletionMode": "FORCE_DELETE_STACK"} if force and stack.status == "DELETE_FAILED" else {}
            client.delete_stack(StackName=stack.stack_id, **mode)
        names = {stack.name for stack in group}

        def deleted(names: set[str] = names) -> bool | None:
            left = [stack for stack in environment_stacks(target, environment) if stack.name in names]
            return None if any(stack.busy for stack in left) else True

        wait(target, deleted, f"the deletion of {', '.join(sorted(names))}")


def wait(target: Target, poll: Callable[[], T | None], what: str) -> T:
    """Poll until there is an answer and return it. Raises StillWorkingError after WAIT_MINUTES."""
    deadline = time.monotonic() + WAIT_MINUTES * 60
    while True:
        answer = poll()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise StillWorkingError(f"Waited {WAIT_MINUTES} minutes for {what}; run the command again.")
        time.sleep(5.0 * target.pace)
