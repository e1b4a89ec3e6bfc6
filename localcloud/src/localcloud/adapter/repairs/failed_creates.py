"""A create that failed after it had a physical id is deleted by the rollback, as on AWS.

"When a CREATE operation fails, CloudFormation will automatically issue a DELETE operation with the
PhysicalResourceId submitted by the FAILED response" (aws/aws-cdk#5525). MiniStack forgets the resource, so a custom
resource whose training job failed would never be told to clean up. A handler of ours names its own with
``CfnError(text, physical_id=...)``.
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import custom_resource, stacks

from localcloud.adapter.cfn import CfnError, physical_name

#: the stack that the running operation is about
_operation: contextvars.ContextVar[str] = contextvars.ContextVar("localcloud_stack", default="")
#: (stack, logical id) -> the resource record of a create that failed with a physical id
_failed: dict[tuple[str, str], dict[str, Any]] = {}


def install() -> None:
    """Wrap the create of a resource and the record of a failed operation."""
    before_create, before_deploy = stacks._provision_resource, stacks._deploy_stack_async
    before_failed = stacks._failed_operation

    def provision(type_name: str, logical_id: str, props: Any, stack_name: str) -> Any:
        try:
            return before_create(type_name, logical_id, props, stack_name)
        except CreateFailed as error:
            _remember(type_name, logical_id, props, stack_name, error.physical_id)
            raise
        except CfnError as error:
            if error.physical_id:
                _remember(type_name, logical_id, props, stack_name, error.physical_id)
            raise

    async def deploy(stack_name: str, *arguments: Any, **options: Any) -> Any:
        _operation.set(stack_name)
        return await before_deploy(stack_name, *arguments, **options)

    def failed_operation(
        is_update: Any,
        previous: Any,
        created: list[str],
        failed_update: Any,
        failed_id: str | None,
        *arguments: Any,
        **options: Any,
    ) -> Any:
        name = _operation.get()
        record = _failed.pop((name, failed_id or ""), None)
        if record and failed_id and failed_update is None:
            cloudformation._stacks[name].setdefault("_resources", {})[failed_id] = record
            created = [*created, failed_id]
        return before_failed(is_update, previous, created, failed_update, failed_id, *arguments, **options)

    stacks._provision_resource = provision
    stacks._failed_operation = failed_operation
    _replace_deploy(deploy)
    _wrap_custom_resources()


class CreateFailed(RuntimeError):
    """A custom resource answered FAILED, or never, to a Create."""

    def __init__(self, text: str, physical_id: str) -> None:
        super().__init__(text)
        self.physical_id = physical_id


def _replace_deploy(deploy: Any) -> None:
    """The name is bound in each module that starts deployments."""
    from ministack.services.cloudformation import changesets, handlers

    for module in (stacks, handlers, changesets):
        module._deploy_stack_async = deploy


def _wrap_custom_resources() -> None:
    """Keep the physical id of a FAILED answer, which MiniStack throws away."""
    before_invoke, before_deliver = custom_resource.invoke_custom_resource, custom_resource.deliver_response
    answers: dict[str, dict[str, Any]] = {}
    tokens: contextvars.ContextVar[str] = contextvars.ContextVar("localcloud_token", default="")
    before_register = custom_resource.register_token

    def register(token: str) -> Any:
        tokens.set(token)
        return before_register(token)

    def deliver(token: str, response: dict[str, Any]) -> bool:
        answers[token] = response
        return bool(before_deliver(token, response))

    def invoke(request_type: str, logical_id: str, props: Any, stack_name: str, *rest: Any, **options: Any) -> Any:
        try:
            return before_invoke(request_type, logical_id, props, stack_name, *rest, **options)
        except (RuntimeError, TimeoutError) as error:
            if request_type != "Create":
                raise
            answer = answers.get(tokens.get(), {})
            made_up = physical_name(stack_name, logical_id)  # CloudFormation names what never answered
            raise CreateFailed(str(error), answer.get("PhysicalResourceId") or made_up) from error
        finally:
            answers.pop(tokens.get(), None)

    custom_resource.register_token = register
    custom_resource.deliver_response = deliver
    custom_resource.invoke_custom_resource = invoke


def _remember(type_name: str, logical_id: str, props: Any, stack_name: str, physical_id: str) -> None:
    _failed[(stack_name, logical_id)] = {
        "PhysicalResourceId": physical_id,
        "ResourceType": type_name,
        "ResourceStatus": "CREATE_FAILED",
        "LogicalResourceId": logical_id,
        "Properties": props,
        "Attributes": {},
        "Timestamp": stacks.now_iso(),
    }
