"""The payload of a failed function names its exception class, so that Step Functions can catch and retry by name.

MiniStack answers ``errorType: Runtime.HandlerError`` for everything. Its worker programs are text; the two lines that
report an exception get one more member, which is carried to the payload. AWS: lambda/latest/dg/python-exceptions.html.
"""

from __future__ import annotations

import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

#: (script, the text of its error report, the same with the class name)
_REPORTS = (
    (
        "_PYTHON_WORKER_SCRIPT",
        '"error": str(e), "trace": traceback.format_exc()}',
        '"error": str(e), "trace": traceback.format_exc(), "errorType": type(e).__name__}',
    ),
    (
        "_NODEJS_WORKER_SCRIPT",
        'error: String(err.message || err), trace: err.stack || ""',
        'error: String(err.message || err), trace: err.stack || "", errorType: err.name || "Error"',
    ),
)


def reports_found() -> dict[str, int]:
    """How often each script holds the text that is replaced; the contract wants 1 (checked before installing)."""
    return {script: getattr(lambda_runtime, script).count(before) for script, before, _ in _REPORTS}


def install() -> None:
    """Change the worker programs and carry the class name."""
    for script, before, after in _REPORTS:
        setattr(lambda_runtime, script, getattr(lambda_runtime, script).replace(before, after))
    last = threading.local()
    before_invoke, before_warm = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke(worker: Any, *arguments: Any, **options: Any) -> Any:
        result = before_invoke(worker, *arguments, **options)
        last.error_type = result.get("errorType") if isinstance(result, dict) else None
        return result

    def warm(function: Any, event: Any, request_id: str) -> Any:
        last.error_type = None
        result = before_warm(function, event, request_id)
        body = result.get("body")
        if result.get("error") and last.error_type and isinstance(body, dict):
            body["errorType"] = last.error_type
        return result

    lambda_runtime.Worker.invoke = invoke
    lambda_svc._execute_function_warm = warm
