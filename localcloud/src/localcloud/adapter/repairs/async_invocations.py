"""Asynchronous invocations of functions: the caller does not wait, and a failed one is tried twice more.

AWS (lambda/latest/dg/invocation-async-error-handling.html): the second attempt follows after a minute, the third two
minutes later; a throttled one goes back to the queue until the event is six hours old. MiniStack waits in real time,
goes on with functions that were deleted, counts throttles as attempts, and tries what SNS delivers only once. Here the
waits are virtual time, and the event of a deleted function is dropped.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.services import lambda_svc, sns

from localcloud.clock import default_clock

#: what is to happen with the result of the last attempt; None when the event was dropped
OnEnd = Callable[[dict[str, Any] | None], None]

#: seconds before the second and the third attempt
_WAITS = (60.0, 120.0)
#: seconds before a throttled attempt is made again: from one second up to five minutes
_THROTTLE_WAITS = (1.0, 300.0)
_MAX_AGE = 6 * 3600
#: real seconds between two looks at what is waited for, and for which a function may go on after it
_LOOK, _MOMENT = 0.02, 2.0

#: set while SNS delivers, which is asynchronous on AWS and a plain call in MiniStack
_delivering: contextvars.ContextVar[bool] = contextvars.ContextVar("localcloud_delivering", default=False)


def install() -> None:
    """Replace MiniStack's retry loop and turn SNS deliveries into asynchronous invocations."""
    before_execute, before_deliver = lambda_svc._execute_function_with_config_scope, sns._deliver_to_lambda

    def execute(function: Any, event: Any) -> Any:
        if _delivering.get():
            return invoke(function, event)
        return before_execute(function, event)

    def deliver(*arguments: Any, **options: Any) -> Any:
        mark = _delivering.set(True)
        try:
            return before_deliver(*arguments, **options)
        finally:
            _delivering.reset(mark)

    lambda_svc.invoke_async_with_retry = invoke
    lambda_svc._execute_function_with_config_scope = execute
    sns._deliver_to_lambda = deliver


#: called with the event of every asynchronous invocation as it is accepted; answers what to call when it ended
_watchers: list[Callable[[Any], OnEnd]] = []


def watch(watcher: Callable[[Any], OnEnd]) -> None:
    """Be told of every invocation."""
    _watchers.append(watcher)


def invoke(function: dict[str, Any], event: Any) -> None:
    """Accept an event; the attempts are made on threads of their own."""
    _Invocation(function, event).start()


def invoke_and_wait(function: dict[str, Any], event: Any, done: Callable[[], bool]) -> dict[str, Any]:
    """Accept an event and wait for its first attempt, or until ``done`` and a moment more: an empty result."""
    invocation = _Invocation(function, event)
    results: list[dict[str, Any]] = []
    thread = threading.Thread(
        target=lambda: results.append(invocation.attempt()), name="localcloud-async-invocation", daemon=True
    )
    thread.start()
    while thread.is_alive():
        if done():
            thread.join(_MOMENT)
            break
        thread.join(_LOOK)
    return results[0] if results else {}


@dataclass
class _Invocation:
    """One event on its way through its attempts."""

    function: dict[str, Any]
    event: Any
    attempts: int = 0
    throttled: int = 0
    born: float = field(default_factory=lambda: default_clock().now())
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def __post_init__(self) -> None:
        self.context.run(_delivering.set, False)
        self._ends = [watcher(self.event) for watcher in _watchers]
        self._settings = (
            self.function.get("event_invoke_config")
            or (self.function.get("event_invoke_configs") or {}).get("$LATEST")
            or {}
        )

    def start(self) -> None:
        """Make the next attempt on a thread of its own."""
        threading.Thread(target=self.attempt, name="localcloud-async-invocation", daemon=True).start()

    def attempt(self) -> dict[str, Any]:
        """Run the function once and arrange what follows."""
        if self.attempts + self.throttled > 0 and not self.context.run(self._refresh):
            self._end(None)
            return {}
        # the scope of the function and not the caller's: an attempt may come from the timer thread
        result: dict[str, Any] = self.context.run(
            lambda_svc._run_with_function_config_scope,
            self.function,
            lambda_svc._execute_function,
            self.function,
            self.event,
        )
        if result.get("throttle"):
            first, longest = _THROTTLE_WAITS
            wait = min(first * 2**self.throttled, longest)
            self.throttled += 1
            again = True
        else:
            self.attempts += 1
            retries = int(self._settings.get("MaximumRetryAttempts", len(_WAITS)))
            again = bool(result.get("error")) and self.attempts <= min(retries, len(_WAITS))
            wait = _WAITS[self.attempts - 1] if again else 0.0
        clock = default_clock()
        limit = float(self._settings.get("MaximumEventAgeInSeconds", _MAX_AGE))
        if again and clock.now() + wait - self.born <= limit:
            clock.call_later(wait, self.start, kind="settle")
        else:
            self._end(result)
        return result

    def _refresh(self) -> bool:
        """The function as it is now; False when it was deleted. A published version never changes."""
        config = self.function["config"]
        now = lambda_svc._functions.get(config["FunctionName"])
        if now is None:
            return False
        if config.get("Version", "$LATEST") == "$LATEST":
            self.function = {**now, "config": {**now["config"], "FunctionArn": config["FunctionArn"]}}
        return True

    def _end(self, result: dict[str, Any] | None) -> None:
        config = self.function["config"]
        target = ((self._settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        target = target or (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if target and result is not None and result.get("error"):
            self.context.run(lambda_svc._route_async_failure, target, config["FunctionName"], self.event, result)
        for end in self._ends:
            end(result)
