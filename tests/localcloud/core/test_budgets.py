"""AWS::Budgets::Budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.conftest import started
from tests.localcloud.core.stacks import Stack, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud


def budget(email: str, amount: int = 100, name: str | None = None, **extra: Any) -> dict[str, Any]:
    notification = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80,
        "ThresholdType": "PERCENTAGE",
    }
    data: dict[str, Any] = {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        **({"BudgetName": name} if name else {}),
    }
    subscriber = {"SubscriptionType": "EMAIL", "Address": email}
    entry = {"Notification": notification, "Subscribers": [subscriber]}
    properties = {"Budget": data, "NotificationsWithSubscribers": [entry], **extra}
    return {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": properties}}


def test_it_is_made_changed_replaced_and_deleted(localcloud: Localcloud) -> None:
    api, stack = localcloud.client("budgets"), Stack(localcloud, unique("budget"))
    account = {"AccountId": "000000000000"}
    assert stack.create(budget("a@example.com")) == "CREATE_COMPLETE", stack.reasons()
    first = stack.physical("Budget")
    found = api.describe_budget(**account, BudgetName=first)["Budget"]
    assert (float(found["BudgetLimit"]["Amount"]), found["BudgetLimit"]["Unit"]) == (100.0, "USD")
    (entry,) = api.describe_notifications_for_budget(**account, BudgetName=first)["Notifications"]
    assert entry["Threshold"] == 80.0

    assert stack.update(budget("a@example.com", 200)) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.physical("Budget") == first
    assert float(api.describe_budget(**account, BudgetName=first)["Budget"]["BudgetLimit"]["Amount"]) == 200.0

    assert stack.update(budget("b@example.com", 200)) == "UPDATE_COMPLETE", stack.reasons()
    second = stack.physical("Budget")
    assert second != first
    names = [item["BudgetName"] for item in api.describe_budgets(**account)["Budgets"]]
    assert second in names
    assert first not in names
    assert stack.delete() == "DELETE_COMPLETE"
    assert second not in [item["BudgetName"] for item in api.describe_budgets(**account).get("Budgets", [])]


def test_a_reset_forgets_it(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        stack = Stack(server, unique("budget"))
        assert stack.create(budget("a@example.com", name="forgotten")) == "CREATE_COMPLETE", stack.reasons()
        server.admin("POST", "reset", {})
        assert server.client("budgets").describe_budgets(AccountId="000000000000").get("Budgets", []) == []
        again = Stack(server, unique("budget"))
        assert again.create(budget("a@example.com", name="forgotten")) == "CREATE_COMPLETE", again.reasons()


def test_its_tags_are_kept(localcloud: Localcloud) -> None:
    stack = Stack(localcloud, unique("tagged"))
    tags = [{"Key": "sandcastle:environment", "Value": "local"}]
    assert stack.create(budget("a@example.com", ResourceTags=tags)) == "CREATE_COMPLETE", stack.reasons()
    arn = f"arn:aws:budgets::000000000000:budget/{stack.physical('Budget')}"
    assert localcloud.client("budgets").list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags


def test_a_named_budget_cannot_change_its_subscribers(localcloud: Localcloud) -> None:
    stack, name = Stack(localcloud, unique("named")), unique("my-budget")
    assert stack.create(budget("a@example.com", name=name)) == "CREATE_COMPLETE"
    assert stack.update(budget("b@example.com", name=name)) == "UPDATE_ROLLBACK_COMPLETE"


def test_an_unknown_property_is_refused_by_name(localcloud: Localcloud) -> None:
    stack = Stack(localcloud, unique("odd"))
    assert stack.create(budget("a@example.com", Colour="red")) == "ROLLBACK_COMPLETE"
    assert "Colour" in stack.reasons()
