"""Lets invocations of functions die on demand, as an AWS runtime reports it."""

from __future__ import annotations

from typing import Any, Protocol

from ministack.core import lambda_runtime


class Invocation(Protocol):
    """One invocation that runs."""

    how: str
    killed: bool


class Doom(Protocol):
    """Who decides which invocations die."""

    def begin(self, function: str, kill: Any) -> Any:
        """An invocation starts."""

    def end(self, invocation: Any) -> None:
        """It ended."""


def install(doom: Doom) -> None:
    """Wrap the workers; before the repairs, so that these see the result as a real one."""
    before = lambda_runtime.Worker.invoke

    def invoke(worker: Any, event: Any, request_id: str, **options: Any) -> Any:
        invocation: Invocation = doom.begin(worker.func_name, lambda: _kill(worker))
        try:
            result = {} if invocation.killed else before(worker, event, request_id, **options)
        finally:
            doom.end(invocation)
        return _died(worker, invocation, request_id, result.get("log", "")) if invocation.killed else result

    lambda_runtime.Worker.invoke = invoke


def _kill(worker: Any) -> None:
    process = worker._proc
    if process is not None:
        process.kill()


def _died(worker: Any, invocation: Invocation, request_id: str, log: str) -> dict[str, Any]:
    """What a worker answers for one whose process ended (lambda/latest/dg/troubleshooting-invocation.html)."""
    if invocation.how == "time-out":
        text, kind = f"Task timed out after {worker.config.get('Timeout', 3)}.00 seconds", "Sandbox.Timedout"
    else:
        text = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        kind = "Runtime.ExitError"
    return {"status": "error", "error": text, "errorType": kind, "log": log}
