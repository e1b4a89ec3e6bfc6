"""AWS::Budgets::BudgetsAction, on the Budgets API (registry schema of 2026-10-20).

Ref is ``ActionId|BudgetName``, the primary identifier. An executed action that is deleted leaves its policy attached.
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.cloudformation.budgets import call

_SUPPORTED = {
    "BudgetName",
    "NotificationType",
    "ActionType",
    "ActionThreshold",
    "Definition",
    "ExecutionRoleArn",
    "ApprovalModel",
    "Subscribers",
    "ResourceTags",
}


def install() -> None:
    """Register the type."""
    adapter.register_cfn_type(
        "AWS::Budgets::BudgetsAction",
        create=_create,
        update=_update,
        delete=_delete,
        replacing=("ActionType", "BudgetName"),
        tag_property="ResourceTags",
    )


def _create(_logical_id: str, props: dict[str, Any], _stack_name: str) -> adapter.Provisioned:
    request = {"BudgetName": props["BudgetName"], "ActionType": props["ActionType"], **_settings(props)}
    if props.get("ResourceTags"):
        request["ResourceTags"] = props["ResourceTags"]
    identifier = call("CreateBudgetAction", request)["ActionId"]
    return f"{identifier}|{props['BudgetName']}", {"ActionId": identifier}


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], _stack_name: str) -> adapter.Provisioned:
    identifier, _, budget = physical_id.partition("|")
    call("UpdateBudgetAction", {"BudgetName": budget, "ActionId": identifier, **_settings(new)})
    arn = f"arn:aws:budgets::{adapter.account_id()}:budget/{budget}/action/{identifier}"
    gone = [tag["Key"] for tag in old.get("ResourceTags") or []]
    if gone:
        call("UntagResource", {"ResourceARN": arn, "ResourceTagKeys": gone})
    if new.get("ResourceTags"):
        call("TagResource", {"ResourceARN": arn, "ResourceTags": new["ResourceTags"]})
    return physical_id, {"ActionId": identifier}


def _delete(physical_id: str, _props: dict[str, Any]) -> None:
    identifier, _, budget = physical_id.partition("|")
    try:
        call("DeleteBudgetAction", {"BudgetName": budget, "ActionId": identifier})
    except adapter.CfnError as error:
        if "NotFoundException" not in str(error):
            raise


def _settings(props: dict[str, Any]) -> dict[str, Any]:
    """The API's request: other names for thresholds and subscribers, numbers for text."""
    unknown = sorted(set(props) - _SUPPORTED)
    if unknown:
        raise adapter.CfnError(f"extraneous key [{unknown[0]}] is not permitted in AWS::Budgets::BudgetsAction")
    threshold = props["ActionThreshold"]
    return {
        "NotificationType": props["NotificationType"],
        "ActionThreshold": {
            "ActionThresholdValue": float(threshold["Value"]),
            "ActionThresholdType": threshold["Type"],
        },
        "Definition": props["Definition"],
        "ExecutionRoleArn": props["ExecutionRoleArn"],
        "ApprovalModel": props.get("ApprovalModel", "MANUAL"),
        "Subscribers": [
            {"SubscriptionType": entry["Type"], "Address": entry["Address"]} for entry in props["Subscribers"]
        ],
    }
