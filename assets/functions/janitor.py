"""The frame of all janitors: custom resources that do nothing until they are deleted, then work until nothing is left.

A janitor's work is a turn that is taken again and again: it asks what is there, does what can be done about it, and
says what is left. So it may be interrupted and repeated at any point, and nothing needs to be remembered between turns.

Lambda ends a function after 15 minutes, and an app of Studio may take longer to go (facts on teardown, 2.3). Before
that the function invokes itself with the same event and ends without an answer; CloudFormation goes on waiting. A
failure is answered only for what does not pass: CloudFormation may go on to delete what the janitor needs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aws import client, is_passing
from botocore.exceptions import BotoCoreError, ClientError
from cfn import answer

RESERVE_MS = 60_000
"""Time kept for a turn that has begun and for handing over."""

PATIENCE_SECONDS = 240.0
"""How long the same kind of refusal may last before it counts as lasting: IAM spreads a permission within seconds."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
"""Seconds between turns; pauses grow while nothing changes."""

DEADLINE = "SandcastleDeadline"
"""Where an event that was handed over says when CloudFormation stops waiting, in epoch seconds."""

Turn = Callable[[], str]
"""One turn of the work: returns what is left, in words; nothing when all is done."""


class HandOver(Exception):
    """This invocation's time is up, the work's is not."""


def run(event: dict[str, Any], context: Any, turn: Turn, when: str = "Delete") -> None:
    """Serve a custom resource: take turns on Delete (``when``), do nothing otherwise, and answer in the end.

    ``ResourceProperties.WaitSeconds`` says how long CloudFormation may be kept waiting.
    """
    physical_id = event.get("PhysicalResourceId") or event["LogicalResourceId"]

    def work() -> None:
        if event["RequestType"] == when:
            take_turns(turn, context.get_remaining_time_in_millis, event[DEADLINE])

    event.setdefault(DEADLINE, time.time() + float(event["ResourceProperties"]["WaitSeconds"]))
    try:
        answer(event, context, physical_id, work, passed_on=HandOver)
    except HandOver:
        print("handing over to a new invocation")
        client("lambda").invoke(
            FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=json.dumps(event).encode()
        )


def take_turns(turn: Turn, remaining_ms: Callable[[], int], deadline: float) -> None:
    """Take turns until nothing is left.

    Raises HandOver when this invocation's time is up, TimeoutError with what is left at the deadline, and the service's
    own error when it does not pass.
    """
    pause, said = FIRST_PAUSE, ""
    refused_since: float | None = None
    while True:
        try:
            left = turn()
            refused_since = None
        except (BotoCoreError, ClientError) as error:
            left = f"{type(error).__name__}: {error}"
            if is_passing(error):
                refused_since = None
            elif refused_since is None:
                refused_since = time.monotonic()
            elif time.monotonic() - refused_since > PATIENCE_SECONDS:
                raise
        if not left:
            return
        if time.time() > deadline:
            raise TimeoutError(f"not done in time; left: {left}")
        if remaining_ms() < RESERVE_MS:
            raise HandOver
        if left != said:
            print(left)
            pause, said = FIRST_PAUSE, left
        time.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE)
