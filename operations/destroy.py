"""``sandcastle destroy``: stop what runs, ``cdk destroy --all``, ask every service, remove what is left, prove zero.

CloudFormation does most of it. What it does not do is covered here: a stack that is still being created or
updated when the destroy begins, a stack whose deletion failed once, and things that no stack knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from operations.audit import Inventory, take_inventory
from operations.audit.finding import Owner
from operations.audit.report import show_inventory
from operations.cdk import cdk
from operations.console import Console
from operations.errors import OperationError
from operations.project import foundation_stack
from operations.regions import refuse_if_elsewhere
from operations.stacks import Stack, environment_stacks
from operations.sweep import sweep
from operations.target import Target

T = TypeVar("T")

ATTEMPTS = 3
"""How often the stacks are deleted. A deletion that met something still in progress works on the second try. The last
is forced: CloudFormation forgets what it cannot delete (DeleteStack, ``DeletionMode=FORCE_DELETE_STACK``), because a
janitor that failed once may have lost its own function by then and would fail for ever. What is forgotten carries the
environment's tag, so the audit finds it and the sweep removes it."""

WAIT_SECONDS = 70 * 60.0
"""Longest wait for one stack: a custom resource may hold CloudFormation for an hour."""


def destroy(target: Target, environment: str, console: Console, *, file: str | None) -> dict[str, Any]:
    """Destroy the environment and return what the last audit found, with the figures of the run.

    ``file`` is what ``-c environment=`` takes; without a valid one the stacks are deleted through CloudFormation's
    API, which needs no template.
    """
    started = time.monotonic()
    before = environment_stacks(target, environment)
    if not before:
        refuse_if_elsewhere(target, environment)
    attempts = 0
    while attempts < ATTEMPTS and (stacks := settle(target, environment, console)):
        attempts += 1
        names = ", ".join(stack.name for stack in stacks)
        console.step(f"destroying {names}" + (f" (attempt {attempts})" if attempts > 1 else ""))
        if attempts == 1 and file:
            cdk(target, file, "destroy", "--all", "--force", "--concurrency", "4")
        remaining = settle(target, environment, console)
        if remaining:
            delete_stacks(target, environment, remaining, console, force=attempts == ATTEMPTS)
    owner = Owner(environment, target.account, target.region)
    console.step("asking every service what is left")
    inventory = take_inventory(target, owner)
    swept: list[str] = []
    if inventory.findings and not environment_stacks(target, environment):
        refuse_if_elsewhere(target, environment)
        swept = [one.finding.name for one in sweep(target, inventory, console) if not one.refused]
        inventory = take_inventory(target, owner)
    seconds = round(time.monotonic() - started, 1)
    show_inventory(inventory, console)
    if inventory.clean:
        console.say(f"Environment {environment} is gone after {seconds:.0f} s. Nothing is left of it.")
    return {
        "environment": environment,
        "seconds": seconds,
        "attempts": attempts,
        "destroyed": [stack.name for stack in before],
        "swept": swept,
        "audit": inventory.document(),
        "clean": inventory.clean,
    }


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
                target.client("cloudformation").cancel_update_stack(StackName=stack.stack_id)
                cancelled.add(stack.name)
        working = [stack for stack in stacks if stack.busy and stack.status != "CREATE_IN_PROGRESS"]
        return None if working else stacks

    return wait(target, quiet, "a stack that CloudFormation is working on")


def delete_stacks(
    target: Target, environment: str, stacks: list[Stack], console: Console, *, force: bool = False
) -> None:
    """Delete the stacks through CloudFormation's API, the foundation last because the others import from it.

    ``force`` has CloudFormation give up what it cannot delete; it allows that only after a failed deletion.
    """
    client = target.client("cloudformation")
    last = foundation_stack(environment)
    for group in ([s for s in stacks if s.name != last], [s for s in stacks if s.name == last]):
        for stack in group:
            console.step(f"deleting {stack.name}, which is {stack.status}. {stack.reason}".rstrip())
            mode = {"DeletionMode": "FORCE_DELETE_STACK"} if force and stack.status == "DELETE_FAILED" else {}
            client.delete_stack(StackName=stack.stack_id, **mode)
        names = {stack.name for stack in group}

        def deleted(names: set[str] = names) -> bool | None:
            now = [stack for stack in environment_stacks(target, environment) if stack.name in names]
            return None if any(stack.busy for stack in now) else True

        wait(target, deleted, f"the deletion of {', '.join(sorted(names))}")


def wait(target: Target, poll: Callable[[], T | None], what: str) -> T:
    """Poll until there is an answer and return it. Raises OperationError after WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        answer = poll()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise OperationError(f"Waited {WAIT_SECONDS / 60:.0f} minutes for {what}; run the command again.")
        time.sleep(0.3 if target.name == "local" else 5.0)


def audit(target: Target, environment: str, console: Console) -> Inventory:
    """Ask every service what belongs to the environment and show it."""
    inventory = take_inventory(target, Owner(environment, target.account, target.region))
    show_inventory(inventory, console)
    return inventory
