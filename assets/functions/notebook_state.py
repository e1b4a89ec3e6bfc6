"""Custom::SandcastleNotebookBefore and ...After: a notebook instance that was stopped is stopped after an update, too.

CloudFormation stops an instance to change it and starts it again, perhaps also one that somebody had stopped (facts on
teardown, section 4). So one resource is updated before the instance and notes its state, and one after it compares.

Both have the instance's settings as a property, and so are updated exactly when it is. A rollback is an update, too:
what is noted then is the state that the failed update left. An instance that it starts stops when it is idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aws import client
from cfn import answer
from janitor import RESERVE_MS, take_turns
from notebook_instance import IN_MOTION, rest, status_of


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point of both.

    Properties: ``Name`` of the instance, ``Settings``; of the second also ``State`` and ``Noted``, which are the
    attributes of the first: the state before, and a mark that is another one each time.
    """
    left_ms = context.get_remaining_time_in_millis
    deadline = time.time() + (left_ms() - RESERVE_MS) / 1000

    def wait(turn: Callable[[], str]) -> None:
        take_turns(turn, left_ms, deadline)

    def work() -> dict[str, str] | None:
        update = event["RequestType"] == "Update"
        if event["ResourceType"].endswith("Before"):
            return {"State": before(event, wait) if update else "New", "Noted": event["RequestId"]}
        if update:
            after(event, wait)
        return None

    answer(event, context, event.get("PhysicalResourceId") or event["LogicalResourceId"], work)


def before(event: dict[str, Any], wait: Callable[[Callable[[], str]], None]) -> str:
    """Return the state of the instance that is about to be changed or replaced, when it has settled."""
    name = event["OldResourceProperties"]["Name"]
    wait(lambda: settled(name))
    status = status_of(client("sagemaker"), name)
    print(f"{name} is {status}")
    return status


def after(event: dict[str, Any], wait: Callable[[Callable[[], str]], None]) -> None:
    """Stop the instance, and wait until it has stopped, if somebody had stopped it or the one that it replaced.

    One that had failed is left running: the update may well be what repairs it.
    """
    properties, old = event["ResourceProperties"], event["OldResourceProperties"]
    if properties["Noted"] == old["Noted"] or properties["State"] != "Stopped":
        return
    name = properties["Name"]
    print(f"{name} was stopped before the update")
    wait(lambda: rest(client("sagemaker"), name))


def settled(name: str) -> str:
    """Return what is to be waited for, in words; nothing when the instance is on its way nowhere."""
    status = status_of(client("sagemaker"), name)
    return f"notebook instance {name}, {status}" if status in IN_MOTION else ""
