"""A provider function that crashes fails its custom resource at once.

On AWS CloudFormation waits an hour for the answer of a function that died before giving it. Nobody waits an hour for a
local test, so this departs from AWS on purpose and says so in the reason. Only CloudFormation's own invocation
counts: inside Step Functions CDK's ``isComplete`` raises on purpose, to be retried.
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

#: set while CloudFormation itself invokes a provider function
_direct: contextvars.ContextVar[bool] = contextvars.ContextVar("localcloud_direct", default=False)


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
        direct = _direct.get()
        mark = _direct.set(False)  # what the function calls in turn is not CloudFormation's
        try:
            result = before_execute(function, event)
        finally:
            _direct.reset(mark)
        if direct and isinstance(result, dict) and result.get("error"):
            _answer(event.get("ResponseURL", ""), result.get("body"))
        return result

    custom_resource.invoke_custom_resource = invoke
    lambda_svc._execute_function_with_config_scope = execute


def _answer(url: str, body: Any) -> None:
    token = url.rsplit("/", 1)[-1]
    pending = custom_resource._pending.get(token)
    if pending is None or pending["result"] is not None:
        return
    error = body if isinstance(body, dict) else {}
    reason = (
        f"[localcloud] the provider function ended without an answer, AWS would wait an hour: "
        f"{error.get('errorType')}: {error.get('errorMessage')}"
    )
    custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason})
