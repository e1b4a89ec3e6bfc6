"""Callback steps: a message with a token in a queue, and a wait until somebody sends the token back.

[DG] build-and-manage-steps-types: an execution that is told to stop sends another message, with status Stopping, and
still waits for the answer.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.pipelines import outputs
from localcloud.sagemaker.pipelines.records import RUNNING, ExecutionRecord, StepEnd, StepRun
from localcloud.sagemaker.ports import Scope

_ALPHABET = string.ascii_letters + string.digits
_SUCCESS: Tree = {
    "CallbackToken": ANY,
    "OutputParameters": {"Name": ANY, "Value": ANY},
    "ClientRequestToken": ANY,
}
_FAILURE: Tree = {"CallbackToken": ANY, "FailureReason": ANY, "ClientRequestToken": ANY}


@dataclass(eq=False)
class _Waiting:
    """One step that has sent its message."""

    execution: ExecutionRecord
    run: StepRun
    asked: Mapping[str, Any]
    end: StepEnd
    #: ClientRequestToken of the answer; None: there is none yet
    answered: str | None = None


class CallbackSteps:
    """Begins Callback steps; SendPipelineExecutionStepSuccess and SendPipelineExecutionStepFailure."""

    def __init__(self, core: Core) -> None:
        """Nothing waits yet."""
        self._core = core
        self._waiting: dict[str, _Waiting] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it; IAM authorises both on the execution."""
        return {
            "SendPipelineExecutionStepSuccess": Operation(self.succeed, _SUCCESS, self._execution_arn),
            "SendPipelineExecutionStepFailure": Operation(self.fail, _FAILURE, self._execution_arn),
        }

    def begin(self, execution: ExecutionRecord, run: StepRun, asked: Mapping[str, Any], end: StepEnd) -> None:
        """Send the message and wait."""
        token = "".join(secrets.choice(_ALPHABET) for _ in range(10))
        run.metadata = {"Callback": {"CallbackToken": token, "SqsQueueUrl": asked["SqsQueueUrl"]}}
        waiting = _Waiting(execution, run, asked, end)
        with self._core.store.lock:
            # the tokens of an execution that is over are of no use any more
            for old in [old for old, other in self._waiting.items() if other.execution.status not in RUNNING]:
                del self._waiting[old]
            self._waiting[token] = waiting
        try:
            self._send(token, waiting, "Executing")
        except RuntimeError as reason:
            with self._core.store.lock:
                del self._waiting[token]
            queue = asked["SqsQueueUrl"]
            end("Failed", f"ClientError: Failed to invoke sqs:SendMessage on {queue}. Error Details: {reason}")

    def stop(self, run: StepRun) -> None:
        """Tell the queue; the step ends with its answer."""
        token = run.metadata["Callback"]["CallbackToken"] if run.metadata else ""
        with self._core.store.lock:
            waiting = self._waiting.get(token)
        if waiting and waiting.answered is None:
            self._send(token, waiting, "Stopping")

    def succeed(self, request: Request) -> dict[str, Any]:
        """End a step with its output parameters."""
        given = {output["Name"]: output["Value"] for output in request.parameters.get("OutputParameters") or []}
        with self._core.store.lock:
            waiting, again = self._answer(request)
            declared = waiting.asked.get("OutputParameters") or []
            try:
                values = outputs.typed(declared, given)
            except outputs.BadOutput as reason:
                raise errors.validation(str(reason)) from None
            if not again:
                waiting.answered = request["ClientRequestToken"]
                waiting.run.properties = {"OutputParameters": values}
                if waiting.run.metadata:
                    waiting.run.metadata["Callback"]["OutputParameters"] = outputs.listed(values)
        if not again:
            waiting.end("Succeeded", None)
        return {"PipelineExecutionArn": waiting.execution.arn}

    def fail(self, request: Request) -> dict[str, Any]:
        """End a step as a failure."""
        with self._core.store.lock:
            waiting, again = self._answer(request)
            waiting.answered = request["ClientRequestToken"]
        if not again:
            waiting.end(
                "Failed", f"ClientError: {request.parameters.get('FailureReason', 'The callback step failed.')}"
            )
        return {"PipelineExecutionArn": waiting.execution.arn}

    def _answer(self, request: Request) -> tuple[_Waiting, bool]:
        """What waits for a token, and whether this very call was served before. Hold the lock."""
        token = request["CallbackToken"]
        waiting = self._waiting.get(token)
        if waiting is None:
            raise errors.resource_not_found(f"Callback token {token} does not exist.")
        if waiting.answered not in (None, request["ClientRequestToken"]):
            raise errors.conflict(f"Callback token {token} has been used: step {waiting.run.name} is over.")
        return waiting, waiting.answered is not None

    def _send(self, token: str, waiting: _Waiting, status: str) -> None:
        """Raises RuntimeError with the reason of SQS."""
        execution, asked = waiting.execution, waiting.asked
        body = {
            "token": token,
            "pipelineExecutionArn": execution.arn,
            "arguments": asked["Arguments"],
            "status": status,
        }
        self._core.backend.send_message(execution.scope, execution.role_arn, asked["SqsQueueUrl"], json.dumps(body))

    def _execution_arn(self, scope: Scope, parameters: Mapping[str, Any]) -> str:
        del scope
        waiting = self._waiting.get(str(parameters.get("CallbackToken")))
        return waiting.execution.arn if waiting else "*"
