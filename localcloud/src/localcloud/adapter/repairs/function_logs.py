"""Functions write their logs as their role.

MiniStack writes them whatever the role may do, and makes the group anew when it is gone: a function that is still
ending when its stack deletes its log group would leave a group behind. On AWS that depends on the role: without
logs:CreateLogGroup the last lines are lost (lambda/latest/dg/monitoring-cloudwatchlogs.html; aws/aws-cdk#31487,
#32689).
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc

from localcloud.adapter.identity import account_id, authorize, region


def install() -> None:
    """Wrap the writing of an invocation's log."""
    before = lambda_svc._emit_lambda_logs

    def emit(function: dict[str, Any], *arguments: Any, **options: Any) -> None:
        config = function.get("config") or function
        name = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        group = cloudwatch_logs._log_groups.get(name)
        if not _allowed(config, name, exists=group is not None):
            return
        before(function, *arguments, **options)
        if group is not None and cloudwatch_logs._log_groups.get(name) is not group:
            # it was deleted between the question and the writing, which made it anew; no more was allowed than to write
            cloudwatch_logs._log_groups.pop(name, None)

    lambda_svc._emit_lambda_logs = emit


def _allowed(config: dict[str, Any], name: str, *, exists: bool) -> bool:
    """Whether the role may write this log now, to the group that is there or to a new one."""
    group = f"arn:aws:logs:{region()}:{account_id()}:log-group:{name}"
    needed = [] if exists else [("logs:CreateLogGroup", f"{group}:*")]
    stream = f"{group}:log-stream:{config.get('Version', '$LATEST')}"
    needed += [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]
    credentials = lambda_runtime.execution_credentials(config)
    caller = {"AccessKeyId": credentials["AWS_ACCESS_KEY_ID"]}
    return all(authorize(caller, action, resource) is None for action, resource in needed)
