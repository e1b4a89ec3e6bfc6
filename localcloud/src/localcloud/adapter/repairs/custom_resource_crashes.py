"""A custom resource whose provider function died for good fails at once.

CloudFormation invokes the function asynchronously, so that Lambda tries a failed invocation twice more. If none of them
answers, AWS waits an hour. Nobody waits an hour for a local test, so this departs from AWS on purpose and says so in
the reason. A function that returned without an answer is waited for, as on AWS: it may have handed the answer over to
another invocation of itself, to Step Functions or to a person. So a resource fails only when the last asynchronous
invocation that carries its ResponseURL ended in an error. What Step Functions invokes does not count: CDK's
``isComplete`` raises on purpose, to be retried.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections import Counter
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

from localcloud.adapter.repairs import async_invocations

#: set while CloudFormation itself invokes a provider function
_direct: contextvars.ContextVar[bool] = contextvars.ContextVar("localcloud_direct", default=False)

_lock = threading.Lock()
#: token of a ResponseURL -> asynchronous invocations that carry it and have not ended
_alive: Counter[str] = Counter()


def install() -> None:
    """Wrap CloudFormation's invocation and the execution of functions."""
    before_invoke, before_execute = (
        custom_resource.invoke_custom_resource,
        lambda_svc._execute_function_with_config_scope,
    )

    def invoke(*arguments: Any, **options: Any) -> Any:
        mark = _direct.set(True)
        try:
            return before_invoke(*arguments, **options)
        finally:
            _direct.reset(mark)

    def execute(function: Any, event: Any) -> Any:
        if not _direct.get():
            return before_execute(function, event)
        mark = _direct.set(False)  # what the function calls in turn is not CloudFormation's
        try:
            # The function's end is waited for a moment after its answer, so that its log is written before the stack
            # goes on. A create that is cancelled is answered in its stead, while it may run on.
            return async_invocations.invoke_and_wait(function, event, lambda: _answered(event))
        finally:
            _direct.reset(mark)

    custom_resource.invoke_custom_resource = invoke
    lambda_svc._execute_function_with_config_scope = execute
    async_invocations.watch(_watch)


def _answered(event: Any) -> bool:
    pending = custom_resource._pending.get(str(event.get("ResponseURL", "")).rsplit("/", 1)[-1])
    return pending is None or pending["result"] is not None


def _watch(event: Any) -> async_invocations.OnEnd:
    """Count an invocation for each custom resource whose answer it may give, however deep the URL is in its event."""
    text = json.dumps(event, default=str)
    tokens = [token for token in list(custom_resource._pending) if token in text]
    with _lock:
        _alive.update(tokens)

    def end(result: dict[str, Any] | None) -> None:
        for token in tokens:
            with _lock:
                _alive[token] -= 1
                last = not _alive[token]
                if last:
                    del _alive[token]
            if last and (result is None or result.get("error")):
                _fail(token, (result or {}).get("body"))

    return end


def _fail(token: str, body: Any) -> None:
    pending = custom_resource._pending.get(token)
    if pending is None or pending["result"] is not None:
        return
    error = body if isinstance(body, dict) else {"errorType": "Deleted", "errorMessage": "the function is gone"}
    reason = (
        f"[localcloud] the provider function ended without an answer, AWS would wait an hour: "
        f"{error.get('errorType')}: {error.get('errorMessage')}"
    )
    custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason})
