"""A resource whose delete fails holds back what it depends on, so that the delete can be retried.

MiniStack goes on and deletes, for example, the function and the role of a custom resource whose Delete failed.
What AWS does is reported both ways, so the switch ``failed-delete`` turns this repair off. Resources that are held back
keep their status and get no event.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from localcloud.switches import default_switches


class _HeldBack(Exception):
    """Not an attempt: something that depends on the resource failed to delete."""


def install() -> None:
    """Wrap the delete of a resource and the events about it."""
    before_delete, before_event = stacks._delete_resource, stacks._add_event

    def delete_resource(
        type_name: str, physical_id: str, props: Any, stack_name: str | None = None, logical_id: str | None = None
    ) -> None:
        if stack_name and logical_id and _held_back(stack_name, logical_id):
            record = cloudformation._stacks[stack_name]["_resources"][logical_id]
            record.setdefault("_held_back_from", record.get("ResourceStatus"))
            raise _HeldBack("something that depends on it failed to delete")
        before_delete(type_name, physical_id, props, stack_name, logical_id)

    def add_event(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        type_name: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        if status in ("DELETE_IN_PROGRESS", "DELETE_FAILED") and logical_id != stack_name:
            if _held_back(stack_name, logical_id):
                return
        elif status == "DELETE_FAILED":
            reason = _settle(stack_name)
        before_event(stack_id, stack_name, logical_id, type_name, status, reason, physical_id, detailed_status)

    stacks._delete_resource = delete_resource
    stacks._add_event = add_event


def _held_back(stack_name: str, logical_id: str) -> bool:
    """Whether a resource that failed in this delete depends on ``logical_id``, directly or through others."""
    if default_switches().get("failed-delete") == "go-on":
        return False
    stack = cloudformation._stacks.get(stack_name) or {}
    if stack.get("StackStatus") != "DELETE_IN_PROGRESS":
        return False
    definitions = (stack.get("_template") or {}).get("Resources", {})
    failed = [
        name
        for name, record in stack.get("_resources", {}).items()
        if name != logical_id and record.get("ResourceStatus") == "DELETE_FAILED"
    ]
    return logical_id in stacks._with_dependencies(failed, definitions, set(definitions))


def _settle(stack_name: str) -> str:
    """Give held-back resources their status back; the stack's reason names the real failures only."""
    stack = cloudformation._stacks[stack_name]
    failed = []
    for name, record in stack["_resources"].items():
        if "_held_back_from" in record:
            record["ResourceStatus"] = record.pop("_held_back_from")
            record.pop("ResourceStatusReason", None)
        elif record.get("ResourceStatus") == "DELETE_FAILED":
            failed.append(name)
    reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "
    stack["StackStatusReason"] = reason
    return reason
