"""``sandcastle sleep`` and ``wake``: what the nightly schedules do, by hand and now."""

from __future__ import annotations

import json
from typing import Any, Literal

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.stacks import environment_stacks
from operations.target import Target


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
