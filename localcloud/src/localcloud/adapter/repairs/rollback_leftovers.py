"""A rollback that could not delete something keeps it in the stack, so that deleting the stack tries again.

MiniStack forgets what a rollback failed to delete: the stack is ROLLBACK_FAILED or UPDATE_ROLLBACK_FAILED, and its
delete succeeds with the resource left behind. AWS: the resource is DELETE_FAILED in the stack and DeleteStack, which
both states allow, deletes it (AWSCloudFormation/latest/UserGuide/troubleshooting.html,
using-cfn-updating-stacks-continueupdaterollback.html). A resource that ContinueUpdateRollback deleted or was told to
skip leaves the stack.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from localcloud.adapter.repairs import delete_order

#: stack events that end a rollback without success
_ENDS = ("ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")


def install() -> None:
    """Wrap the events."""
    before = stacks._add_event

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
        if logical_id == stack_name:
            stack = cloudformation._stacks.get(stack_name) or {}
            if status in _ENDS:
                reason = _keep(stack, stack_id, status)
            elif status == "UPDATE_ROLLBACK_COMPLETE":
                _drop(stack)
        before(stack_id, stack_name, logical_id, type_name, status, reason, physical_id, detailed_status)

    stacks._add_event = add_event


def _keep(stack: dict[str, Any], stack_id: str, status: str) -> str:
    """Put what was not deleted back among the stack's resources; the reason, without what was only held back."""
    records, failed = stack.get("_rollback_failed", {}), delete_order.failed(stack_id)
    for name, record in records.items():
        if "RevertTo" in record:
            continue
        really = name in failed or status != "ROLLBACK_FAILED"
        stack["_resources"][name] = {
            "PhysicalResourceId": record["PhysicalResourceId"],
            "ResourceType": record["ResourceType"],
            "ResourceStatus": "DELETE_FAILED" if really else "CREATE_COMPLETE",
            "LogicalResourceId": name,
            "Properties": record["Properties"],
            "Attributes": {},
            "Timestamp": stacks.now_iso(),
            "_left_by_rollback": True,
        }
    named = {name: record for name, record in records.items() if "RevertTo" in record or name in failed}
    reason: str = stacks._rollback_failure_reason(named or records)
    stack["StackStatusReason"] = reason
    return reason


def _drop(stack: dict[str, Any]) -> None:
    for name, record in list(stack.get("_resources", {}).items()):
        if record.get("_left_by_rollback"):
            del stack["_resources"][name]
