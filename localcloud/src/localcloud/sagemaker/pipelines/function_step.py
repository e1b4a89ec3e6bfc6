"""Lambda steps: a function, invoked as the pipeline's role; what it returns are the step's output parameters.

[DG] build-and-manage-steps-types: ten minutes at most, then the step fails and the function runs on; nothing stops a
function, so that an execution which is told to stop waits for it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker.core import Core
from localcloud.sagemaker.pipelines import outputs
from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepEnd, StepRun

logger = logging.getLogger("localcloud.sagemaker")

#: real seconds
LIMIT = 600.0


class FunctionSteps:
    """Begins Lambda steps."""

    def __init__(self, core: Core) -> None:
        """Nothing runs yet."""
        self._core = core

    def begin(self, execution: ExecutionRecord, run: StepRun, asked: Mapping[str, Any], end: StepEnd) -> None:
        """Invoke; on a thread of its own, because a function may wait for what the service's threads do."""
        work = partial(self._run, execution, run, asked, end)
        threading.Thread(target=work, name=f"pipeline-function-{run.name}", daemon=True).start()

    def stop(self, run: StepRun) -> None:
        """A function cannot be stopped: the execution waits."""

    def _run(self, execution: ExecutionRecord, run: StepRun, asked: Mapping[str, Any], end: StepEnd) -> None:
        function = asked["FunctionArn"]
        try:
            values = self._invoke(execution, function, asked)
        except _Failed as reason:
            end("Failed", f"ClientError: {reason}")
        # whatever is wrong here is localcloud's fault and must end the step, or it would stay Executing for ever
        except Exception as error:
            logger.exception("step %s of %s", run.name, execution.arn)
            end("Failed", f"InternalServerError: [localcloud] {type(error).__name__}: {error}")
        else:
            run.properties = {"OutputParameters": values}
            run.metadata = {"Lambda": {"Arn": function, "OutputParameters": outputs.listed(values)}}
            end("Succeeded", None)

    def _invoke(self, execution: ExecutionRecord, function: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The output parameters. Raises _Failed with the reason of the step."""
        declared, backend = asked.get("OutputParameters") or [], self._core.backend
        try:
            reply = backend.invoke_function(
                execution.scope, execution.role_arn, function, dict(asked["Arguments"]), LIMIT
            )
        except TimeoutError:
            execution.overran = True
            raise _Failed(f"Lambda function {function} did not end within {LIMIT:.0f} seconds.") from None
        except RuntimeError as reason:
            raise _Failed(f"Failed to invoke lambda:InvokeFunction on {function}. Error Details: {reason}") from None
        if reply.error:
            raise _Failed(f"Lambda function {function} failed: {_reason(reply.payload)}")
        try:
            given = json.loads(reply.payload or b"null")
        except ValueError:
            given = None
        if not declared:
            return {}
        if not isinstance(given, dict):
            raise _Failed(f"Lambda function {function} returned no object, but the step has output parameters.")
        absent = outputs.missing(declared, given)
        if absent:
            raise _Failed(f"Lambda function {function} did not return output parameter {absent[0]}.")
        try:
            return outputs.typed(declared, given)
        except outputs.BadOutput as reason:
            raise _Failed(f"Lambda function {function}: {reason}") from None


class _Failed(Exception):
    """The reason that the step shows."""


def _reason(payload: bytes) -> str:
    """``<type>: <message>`` of a function's error document."""
    text = payload.decode(errors="replace")
    try:
        document = json.loads(text)
        return f"{document['errorType']}: {document['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return text
