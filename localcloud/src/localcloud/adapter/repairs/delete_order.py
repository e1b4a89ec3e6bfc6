"""A resource whose delete fails holds back what it depends on, so that the delete can be retried.

MiniStack goes on and deletes, for example, the function and the role of a custom resource whose Delete failed, when a
stack is deleted and when a create is rolled back. What AWS does is reported both ways, so the switch ``failed-delete``
turns this repair off. Resources that are held back keep their status and get no event.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from localcloud.switches import default_switches

#: operations that hold back, by the status of the stack
_HOLDING = ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
#: stack id -> resources that failed to delete in its running operation
_failed: dict[str, set[str]] = {}


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
        if logical_id != stack_name:
            if status in ("DELETE_IN_PROGRESS", "DELETE_FAILED") and _held_back(stack_name, logical_id):
                return
            if status == "DELETE_FAILED":
                _failed.setdefault(stack_id, set()).add(logical_id)
        elif status in _HOLDING:
            _failed[stack_id] = set()
        elif status == "DELETE_FAILED":
            reason = _settle(stack_name)
        before_event(stack_id, stack_name, logical_id, type_name, status, reason, physical_id, detailed_status)

    stacks._delete_resource = delete_resource
    stacks._add_event = add_event


def failed(stack_id: str) -> frozenset[str]:
    """The resources that really failed in the stack's last delete or rollback, without those that were held back."""
    return frozenset(_failed.get(stack_id, ()))


def _held_back(stack_name: str, logical_id: str) -> bool:
    """Whether a resource that failed in this operation depends on ``logical_id``, directly or through others."""
    if default_switches().get("failed-delete") == "go-on":
        return False
    stack = cloudformation._stacks.get(stack_name) or {}
    if stack.get("StackStatus") not in _HOLDING:
        return False
    definitions = (stack.get("_template") or {}).get("Resources", {})
    others = failed(stack["StackId"]) - {logical_id}
    return logical_id in stacks._with_dependencies(others, definitions, set(definitions))


def _settle(stack_name: str) -> str:
    """Give held-back resources their status back; the stack's reason names the real failures only."""
    stack = cloudformation._stacks[stack_name]
    for record in stack["_resources"].values():
        if "_held_back_from" in record:
            record["ResourceStatus"] = record.pop("_held_back_from")
            record.pop("ResourceStatusReason", None)
    reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed(stack['StackId'])))}]. "
    stack["StackStatusReason"] = reason
    return reason
