"""The budget: without a name, with four notifications to the topic and to everyone named."""

from __future__ import annotations

from sandcastle.config import load_environment
from tests.synthesis import ENVIRONMENTS, ROOT, resources, synthesise


def test_budget_of_each_environment() -> None:
    for name in ENVIRONMENTS:
        environment = load_environment(name, ROOT)
        (budget,) = resources(synthesise(name).template("guardrails"), "AWS::Budgets::Budget").values()
        data = budget["Properties"]["Budget"]
        assert "BudgetName" not in data
        assert data["BudgetLimit"] == {"Amount": environment.monthly_budget_usd, "Unit": "USD"}
        assert (data["BudgetType"], data["TimeUnit"]) == ("COST", "MONTHLY")
        notifications = budget["Properties"]["NotificationsWithSubscribers"]
        told = [(one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in notifications]
        assert told == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
        for one in notifications:
            topics = [who for who in one["Subscribers"] if who["SubscriptionType"] == "SNS"]
            emails = [who["Address"] for who in one["Subscribers"] if who["SubscriptionType"] == "EMAIL"]
            assert len(topics) == 1
            assert emails == list(environment.notify)
