"""``sandcastle sleep`` and ``wake``: what the nightly schedules do, by hand and now."""

from __future__ import annotations

import json
import time
from typing import Any, Literal

from botocore.exceptions import ClientError

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.stacks import environment_stacks
from operations.target import Target

WAKE_MINUTES = 40
"""How long an endpoint may take to come back: minutes for instances, up to half an hour when its container crashes."""


def wake_before_a_change(target: Target, environment: str, console: Console) -> None:
    """Wake endpoints that sleep, and wait for them: CloudFormation cannot change one that is not there.

    Does nothing where nothing sleeps. Raises OperationError when one does not come back.
    """
    stacks = environment_stacks(target, environment)
    if not any("NightlyFunction" in stack.outputs for stack in stacks):
        return
    names = [stack.outputs["EndpointName"] for stack in stacks if "EndpointName" in stack.outputs]
    if all(_endpoint(target, name) for name in names):
        return
    night(target, environment, "wake", console)
    deadline = time.monotonic() + WAKE_MINUTES * 60
    while waiting := {name: status for name in names if (status := _endpoint(target, name)) != "InService"}:
        if "Failed" in waiting.values() or time.monotonic() > deadline:
            raise OperationError(
                "The night is over, but not every endpoint is back: "
                + ", ".join(f"{name} is {status or 'not there'}" for name, status in waiting.items())
            )
        time.sleep(0.3 if target.name == "local" else 10.0)


def _endpoint(target: Target, name: str) -> str:
    """Return the endpoint's status, nothing when it does not exist."""
    try:
        status: str = target.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]
    except ClientError as error:
        if "could not find" not in str(error).lower():
            raise
        return ""
    return status


def night(target: Target, environment: str, what: Literal["stop", "wake"], console: Console) -> dict[str, Any]:
    """Call the nightly function of the environment and show what it answers.

    Raises UsageError when there is none, OperationError with the function's words when it fails.
    """
    stacks = environment_stacks(target, environment)
    function = next((stack.outputs["NightlyFunction"] for stack in stacks if "NightlyFunction" in stack.outputs), None)
    if function is None:
        raise UsageError(
            f"Environment {environment} has no nightly function"
            + (
                ": set nightly_stop in its file and deploy it."
                if stacks
                else f": it is not deployed in {target.region}."
            )
        )
    console.step(f"{'stopping what runs' if what == 'stop' else 'waking what was stopped'} in {environment}")
    reply = target.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"do": what}).encode())
    said = json.loads(reply["Payload"].read() or b"null")
    if "FunctionError" in reply:
        raise OperationError(f"The nightly function failed: {said.get('errorMessage', said)}")
    for line in said if isinstance(said, list) else [] if said is None else [said]:
        console.say(str(line))
    console.say("Done. `sandcastle status` shows what runs.")
    return {"environment": environment, "did": what, "answer": said}
