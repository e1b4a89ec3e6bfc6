"""AWS::Budgets::Budget, on the Budgets API (AWS resource reference: aws-resource-budgets-budget).

Notifications are create-only: a change replaces the budget, which a budget with a name of its own cannot survive
(the new one is created first, under the same name).
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter

_SUPPORTED = {"Budget", "NotificationsWithSubscribers", "ResourceTags"}
_SUPPORTED_BUDGET = {
    "BudgetName",
    "BudgetType",
    "TimeUnit",
    "BudgetLimit",
    "CostFilters",
    "CostTypes",
    "FilterExpression",
    "Metrics",
    "TimePeriod",
    "BillingViewArn",
}


def install() -> None:
    """Register the type."""
    adapter.register_cfn_type(
        "AWS::Budgets::Budget",
        create=_create,
        update=_update,
        delete=_delete,
        replacing=("NotificationsWithSubscribers",),
    )


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> adapter.Provisioned:
    _check(props)
    name = props["Budget"].get("BudgetName") or adapter.physical_name(stack_name, logical_id, 100)
    request: dict[str, Any] = {"Budget": _budget(props, name)}
    if props.get("NotificationsWithSubscribers"):
        request["NotificationsWithSubscribers"] = [
            {
                "Notification": {**entry["Notification"], "Threshold": float(entry["Notification"]["Threshold"])},
                "Subscribers": entry["Subscribers"],
            }
            for entry in props["NotificationsWithSubscribers"]
        ]
    if props.get("ResourceTags"):
        request["ResourceTags"] = [{"Key": t["Key"], "Value": t.get("Value", "")} for t in props["ResourceTags"]]
    call("CreateBudget", request)
    return name, {}


def _update(physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack_name: str) -> adapter.Provisioned:
    _check(new)
    renamed = new["Budget"].get("BudgetName")
    if renamed and renamed != physical_id:
        return _create("", new, stack_name)  # another physical id: CloudFormation deletes the old one afterwards
    call("UpdateBudget", {"NewBudget": _budget(new, physical_id)})
    return physical_id, {}


def _delete(physical_id: str, _props: dict[str, Any]) -> None:
    try:
        call("DeleteBudget", {"BudgetName": physical_id})
    except adapter.CfnError as error:
        if "NotFoundException" not in str(error):
            raise


def _check(props: dict[str, Any]) -> None:
    unknown = sorted(set(props) - _SUPPORTED) + sorted(set(props["Budget"]) - _SUPPORTED_BUDGET)
    if unknown:
        raise adapter.CfnError(
            f"localcloud does not model these properties of AWS::Budgets::Budget: {', '.join(unknown)}"
        )


def _budget(props: dict[str, Any], name: str) -> dict[str, Any]:
    budget = {**props["Budget"], "BudgetName": name}
    if "BudgetLimit" in budget:  # numbers in CloudFormation, decimal text in the API
        limit = budget["BudgetLimit"]
        budget["BudgetLimit"] = {"Amount": str(limit["Amount"]), "Unit": limit["Unit"]}
    return budget


def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """One call of the Budgets API. Raises CfnError."""
    if operation not in ("TagResource", "UntagResource"):  # which name an ARN instead
        request = {"AccountId": adapter.account_id(), **request}
    status, reply = adapter.call_json("budgets", f"AWSBudgetServiceGateway.{operation}", request)
    if status >= 400:
        text = reply.get("message") or reply.get("Message")
        raise adapter.CfnError(f"{text} (Service: Budgets, Status Code: {status}, Error Code: {reply.get('__type')})")
    return reply
