"""The operations of AWS Budgets: MiniStack's, and the eight about actions.

Names of permissions and resources: service-authorization/latest/reference/list_awsbudgetservice.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import StructureShape
from botocore.validate import ParamValidator

from localcloud import adapter
from localcloud.adapter import budget_store
from localcloud.botocore_models import service_model
from localcloud.budgets.actions import Action, Actions, BudgetsError
from localcloud.budgets.spend import UnsupportedFilter, matcher

Request = dict[str, Any]
_JSON = {"Content-Type": "application/x-amz-json-1.1"}
#: permissions that have no operation of their own name
_PERMISSIONS = {
    **dict.fromkeys(
        (
            "DescribeBudget",
            "DescribeBudgets",
            "DescribeBudgetPerformanceHistory",
            "DescribeBudgetNotificationsForAccount",
            "DescribeNotificationsForBudget",
            "DescribeSubscribersForNotification",
        ),
        "ViewBudget",
    ),
    **dict.fromkeys(
        (
            "CreateBudget",
            "UpdateBudget",
            "DeleteBudget",
            "CreateNotification",
            "UpdateNotification",
            "DeleteNotification",
            "CreateSubscriber",
            "UpdateSubscriber",
            "DeleteSubscriber",
        ),
        "ModifyBudget",
    ),
}
#: members that an action keeps of its request
_SETTINGS = (
    "NotificationType",
    "ActionType",
    "ActionThreshold",
    "Definition",
    "ExecutionRoleArn",
    "ApprovalModel",
    "Subscribers",
)
_PAGE = 100


class Budgets:
    """The service."""

    def __init__(self, actions: Actions) -> None:
        """Serve budgets and ``actions``."""
        self._actions = actions
        self._model = service_model("budgets")
        self._operations: dict[str, Callable[[Request], Mapping[str, Any]]] = {
            "CreateBudgetAction": self._create,
            "DescribeBudgetAction": self._describe,
            "DescribeBudgetActionsForBudget": self._list,
            "DescribeBudgetActionsForAccount": self._list,
            "DescribeBudgetActionHistories": self._histories,
            "UpdateBudgetAction": self._update,
            "ExecuteBudgetAction": self._execute,
            "DeleteBudgetAction": self._delete,
        }

    def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: adapter.Query
    ) -> adapter.Response:
        """One request."""
        del method, path, query
        operation = _operation(headers)
        try:
            request = _document(body)
            self._check(operation, request)
            if operation in self._operations:
                self._authorize(operation, request, headers)
                return 200, _JSON, json.dumps(self._operations[operation](request)).encode()
            status, reply = self._ministack(operation, request)
        except BudgetsError as error:
            status, reply = 400, {"__type": error.code, "message": error.message, "Message": error.message}
        return status, _JSON, json.dumps(reply).encode()

    def iam_action(self, method: str, path: str, headers: dict[str, str], body: bytes) -> str:
        """The permission an operation needs."""
        del method, path, body
        operation = _operation(headers)
        return f"budgets:{_PERMISSIONS.get(operation, operation)}"

    def resource_arn(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: adapter.Query,
        region: str,
        account: str,
    ) -> str:
        """The budget or the action of a request; of every budget when it names none."""
        del method, path, headers, query, region
        try:
            request = _document(body)
        except BudgetsError:
            return "*"
        if isinstance(request.get("ResourceARN"), str):
            return str(request["ResourceARN"])
        named = request.get("Budget") or request.get("NewBudget") or request
        name = named.get("BudgetName") if isinstance(named, dict) else None
        arn = f"arn:aws:budgets::{account}:budget/{name or '*'}"
        return f"{arn}/action/{request['ActionId']}" if request.get("ActionId") else arn

    def _check(self, operation: str, request: Request) -> None:
        """Refuse what the model does not have, or what localcloud does not."""
        if operation not in self._model.operation_names:
            raise BudgetsError("UnknownOperationException", f"AWS Budgets has no operation {operation!r}")
        if operation not in budget_store.operations() | set(self._operations):
            raise BudgetsError("UnknownOperationException", f"[localcloud] {operation} is not supported yet")
        shape = self._model.operation_model(operation).input_shape
        if isinstance(shape, StructureShape):
            problems = ParamValidator().validate(request, shape)
            if problems.has_errors():
                raise BudgetsError("InvalidParameterException", problems.generate_report())
        if request["AccountId"] != adapter.account_id() if "AccountId" in request else False:
            raise BudgetsError("AccessDeniedException", f"Account {request['AccountId']} is not yours.")

    def _ministack(self, operation: str, request: Request) -> tuple[int, dict[str, Any]]:
        for member in ("Budget", "NewBudget"):
            try:
                matcher(request.get(member) or {})
            except UnsupportedFilter as error:
                raise BudgetsError("InvalidParameterException", f"[localcloud] {error} is not supported yet") from error
        arn = request.get("ResourceARN", "")
        if "/action/" in arn:
            return 200, self._tags(operation, request, arn)
        status, reply = budget_store.serve(operation, request)
        if operation == "DeleteBudget" and status == 200:
            self._actions.forget(request["BudgetName"])
        return status, reply

    def _tags(self, operation: str, request: Request, arn: str) -> dict[str, Any]:
        if arn not in [action.arn for action in self._actions.all()]:
            raise BudgetsError("NotFoundException", f"Resource {arn} does not exist.")
        tags = budget_store.tags(arn)
        if operation == "TagResource":
            tags.update({tag["Key"]: tag["Value"] for tag in request["ResourceTags"]})
        elif operation == "UntagResource":
            for key in request["ResourceTagKeys"]:
                tags.pop(key, None)
        else:
            return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        return {}

    def _authorize(self, operation: str, request: Request, headers: dict[str, str]) -> None:
        """Whoever gives an action its role must be allowed to pass it."""
        role = request.get("ExecutionRoleArn")
        if role and operation in ("CreateBudgetAction", "UpdateBudgetAction"):
            denied = adapter.authorize(headers, "iam:PassRole", role, {"iam:PassedToService": "budgets.amazonaws.com"})
            if denied:
                raise BudgetsError("AccessDeniedException", denied.message)

    def _create(self, request: Request) -> Mapping[str, Any]:
        name = request["BudgetName"]
        self._require_budget(name)
        _check_definition(request)
        try:
            arn = f"arn:aws:budgets::{adapter.account_id()}:budget/{name}"
            adapter.role_credentials(request["ExecutionRoleArn"], "budget-action", "budgets.amazonaws.com", arn)
        except adapter.AssumeRoleDenied as error:
            text = f"Budgets permission required to assume [ExecutionRole: {request['ExecutionRoleArn']}]."
            raise BudgetsError("AccessDeniedException", text) from error
        action = self._actions.create(name, {key: request[key] for key in _SETTINGS})
        if request.get("ResourceTags"):
            budget_store.tags(action.arn).update({tag["Key"]: tag["Value"] for tag in request["ResourceTags"]})
        return _named(action)

    def _describe(self, request: Request) -> Mapping[str, Any]:
        action = self._found(request)
        return {"AccountId": action.account, "BudgetName": action.budget, "Action": action.reply()}

    def _list(self, request: Request) -> Mapping[str, Any]:
        if "BudgetName" in request:
            self._require_budget(request["BudgetName"])
        found = [action.reply() for action in self._actions.all(request.get("BudgetName"))]
        return _page("Actions", found, request)

    def _histories(self, request: Request) -> Mapping[str, Any]:
        return _page("ActionHistories", list(self._found(request).history), request)

    def _update(self, request: Request) -> Mapping[str, Any]:
        action = self._found(request)
        before = action.reply()
        _check_definition({**action.settings, **request})
        self._actions.update(action, {key: request[key] for key in _SETTINGS if key in request})
        return {
            "AccountId": action.account,
            "BudgetName": action.budget,
            "OldAction": before,
            "NewAction": action.reply(),
        }

    def _execute(self, request: Request) -> Mapping[str, Any]:
        action = self._found(request)
        self._actions.execute(action, request["ExecutionType"])
        return {**_named(action), "ExecutionType": request["ExecutionType"]}

    def _delete(self, request: Request) -> Mapping[str, Any]:
        action = self._found(request)
        self._actions.delete(action)
        budget_store.forget_tags(action.arn)
        return {"AccountId": action.account, "BudgetName": action.budget, "Action": action.reply()}

    def _found(self, request: Request) -> Action:
        self._require_budget(request["BudgetName"])
        return self._actions.get(request["BudgetName"], request["ActionId"])

    def _require_budget(self, name: str) -> None:
        if budget_store.find(name) is None:
            raise BudgetsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")


def _check_definition(request: Request) -> None:
    if request["ActionType"] != "APPLY_IAM_POLICY":
        raise BudgetsError(
            "InvalidParameterException", f"[localcloud] ActionType {request['ActionType']} is not supported yet"
        )
    definition = request["Definition"].get("IamActionDefinition") or {}
    if not any(definition.get(member) for member in ("Roles", "Groups", "Users")):
        text = "IamActionDefinition names no role, group or user to apply the policy to."
        raise BudgetsError("InvalidParameterException", text)


def _named(action: Action) -> dict[str, Any]:
    return {"AccountId": action.account, "BudgetName": action.budget, "ActionId": action.identifier}


def _page(member: str, found: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    token = str(request.get("NextToken") or "0")
    if not token.isdigit():
        raise BudgetsError("InvalidNextTokenException", "The token is not one of ours.")
    end = int(token) + min(int(request.get("MaxResults") or _PAGE), _PAGE)
    return {member: found[int(token) : end], **({"NextToken": str(end)} if end < len(found) else {})}


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _document(body: bytes) -> Request:
    try:
        return dict(json.loads(body or b"{}"))
    except (ValueError, TypeError) as error:
        raise BudgetsError("SerializationException", "The request body is not a JSON object") from error
