"""Stack events of an update: none for what did not change, CREATE_* for what is new.

MiniStack reports UPDATE_IN_PROGRESS and UPDATE_COMPLETE for every resource of the template, and UPDATE_FAILED for a new
resource whose creation fails.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

#: (stack id, logical id) -> the UPDATE_IN_PROGRESS event that is held until it is known what happens
_held: dict[tuple[str, str], tuple[Any, ...]] = {}

#: resources that the running update adds
_new: set[tuple[str, str]] = set()


def install() -> None:
    """Wrap the events and the two operations that decide about them."""
    before_event, before_update = stacks._add_event, stacks._update_resource

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
        key = (stack_id, logical_id)
        if logical_id != stack_name and status.startswith("UPDATE_") and _deploying(stack_name):
            if status == "UPDATE_IN_PROGRESS" and logical_id not in _resources(stack_name):
                _new.add(key)
            if key in _new:
                status = status.replace("UPDATE_", "CREATE_")
                _created(stack_name, logical_id, status, key)
            elif status == "UPDATE_IN_PROGRESS" and not reason:
                _held[key] = (stack_id, stack_name, logical_id, type_name, status, reason, physical_id)
                return
            elif key in _held:
                held = _held.pop(key)
                if status == "UPDATE_COMPLETE":
                    return  # nothing changed
                before_event(*held)
        before_event(stack_id, stack_name, logical_id, type_name, status, reason, physical_id, detailed_status)

    def update(
        type_name: str,
        physical_id: str,
        old: Any,
        new: Any,
        stack_name: str,
        logical_id: str | None = None,
        old_attributes: Any = None,
    ) -> Any:
        if old != new:
            stack_id = (cloudformation._stacks.get(stack_name) or {}).get("StackId", "")
            held = _held.pop((stack_id, logical_id or ""), None)
            if held:
                before_event(*held)
        return before_update(type_name, physical_id, old, new, stack_name, logical_id, old_attributes)

    stacks._add_event = add_event
    stacks._update_resource = update


def _deploying(stack_name: str) -> bool:
    return (cloudformation._stacks.get(stack_name) or {}).get("StackStatus") == "UPDATE_IN_PROGRESS"


def _resources(stack_name: str) -> dict[str, Any]:
    """What the stack holds now; a resource joins only once it is made."""
    held: dict[str, Any] = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
    return held


def _created(stack_name: str, logical_id: str, status: str, key: tuple[str, str]) -> None:
    """Follow a new resource to its end, and give its record the status of its event."""
    if status != "CREATE_IN_PROGRESS":
        _new.discard(key)
        record = _resources(stack_name).get(logical_id)
        if record:
            record["ResourceStatus"] = status
