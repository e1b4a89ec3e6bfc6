"""DeleteStack while an operation runs.

MiniStack starts the delete beside the create: the stack vanishes and comes back as CREATE_COMPLETE with orphans. On
AWS a create is cancelled ("Resource creation cancelled"; a custom resource gets its Delete although its Create may
still run, aws/aws-cdk#26139), a rollback is waited for, and during an update the call is refused ("cannot be deleted
while in status UPDATE_IN_PROGRESS").
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, custom_resource, handlers, stacks

from localcloud.adapter.cfn import CfnError

#: stack ids whose create is to stop
_cancelled: set[str] = set()
#: stack ids whose delete waits for the running operation to end
_awaited: set[str] = set()
#: stack id -> event set when no deployment of it runs
_running: dict[str, asyncio.Event] = {}
#: token of a custom resource that is waited for -> (stack id, request type)
_waiting: dict[str, tuple[str, str]] = {}

_CANCELLED = "Resource creation cancelled"


def install() -> None:
    """Wrap deployments, creates, custom resources and the DeleteStack action."""
    _track_deployments()
    _track_custom_resources()
    before_create, before_rollback = stacks._provision_resource, stacks._roll_back_operation
    before_delete = handlers._ACTION_HANDLERS["DeleteStack"]

    def provision(type_name: str, logical_id: str, props: Any, stack_name: str) -> Any:
        if (cloudformation._stacks.get(stack_name) or {}).get("StackId") in _cancelled:
            raise CfnError(_CANCELLED)
        return before_create(type_name, logical_id, props, stack_name)

    async def roll_back(stack_name: str, stack_id: str, stack: Any, operation: Any, *rest: Any) -> None:
        if stack_id not in _cancelled:  # the delete that cancelled it removes everything itself
            await before_rollback(stack_name, stack_id, stack, operation, *rest)

    def delete_stack(parameters: Any) -> Any:
        stack = handlers._resolve_stack((parameters.get("StackName") or [""])[0])
        status = stack.get("StackStatus", "") if stack else ""
        if stack is None or stack.get("EnableTerminationProtection") or not status.endswith("IN_PROGRESS"):
            return before_delete(parameters)
        if status == "REVIEW_IN_PROGRESS":
            return before_delete(parameters)
        if status.startswith("UPDATE"):
            text = f"Stack [{stack['StackId']}] cannot be deleted while in status {status}"
            return handlers._error("ValidationError", text)
        if status != "DELETE_IN_PROGRESS" and stack["StackId"] not in _awaited:  # one delete is enough
            _cancel(stack)
            _awaited.add(stack["StackId"])
            later = _delete_when_stopped(stack, before_delete, parameters)
            asyncio.get_running_loop().create_task(later, context=contextvars.copy_context())
        return handlers._xml(200, "DeleteStackResponse", "")

    stacks._provision_resource = provision
    stacks._roll_back_operation = roll_back
    handlers._ACTION_HANDLERS["DeleteStack"] = delete_stack


def _cancel(stack: dict[str, Any]) -> None:
    """Stop a create; a rollback (the other operation that gets here) just goes on."""
    stack_id = stack["StackId"]
    if stack["StackStatus"] != "CREATE_IN_PROGRESS":
        return
    _cancelled.add(stack_id)
    for token, (owner, request_type) in list(_waiting.items()):
        if owner == stack_id and request_type == "Create":
            custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": _CANCELLED})


async def _delete_when_stopped(stack: dict[str, Any], delete: Any, parameters: Any) -> None:
    idle = _running.get(stack["StackId"])
    if idle is not None:
        await idle.wait()
    _cancelled.discard(stack["StackId"])
    _awaited.discard(stack["StackId"])
    stack["StackStatus"] = "DELETE_IN_PROGRESS"
    delete(parameters)


def _track_deployments() -> None:
    before = stacks._deploy_stack_async

    async def deploy(stack_name: str, stack_id: str, *arguments: Any, **options: Any) -> Any:
        idle = _running[stack_id] = asyncio.Event()
        try:
            return await before(stack_name, stack_id, *arguments, **options)
        finally:
            idle.set()
            if _running.get(stack_id) is idle:
                del _running[stack_id]

    for module in (stacks, handlers, changesets):
        module._deploy_stack_async = deploy


def _track_custom_resources() -> None:
    before_invoke, before_register = custom_resource.invoke_custom_resource, custom_resource.register_token
    current: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("localcloud_request")
    mine: contextvars.ContextVar[str] = contextvars.ContextVar("localcloud_waiting", default="")

    def register(token: str) -> Any:
        _waiting[token] = current.get()
        mine.set(token)
        return before_register(token)

    def invoke(
        request_type: str, logical_id: str, props: Any, stack_name: str, stack_id: str, *rest: Any, **options: Any
    ) -> Any:
        current.set((stack_id, request_type))
        try:
            return before_invoke(request_type, logical_id, props, stack_name, stack_id, *rest, **options)
        finally:
            _waiting.pop(mine.get(), None)

    custom_resource.register_token = register
    custom_resource.invoke_custom_resource = invoke
