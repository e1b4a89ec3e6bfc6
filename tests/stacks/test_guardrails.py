"""The guardrails: the topic, and a budget without a name that tells it and everyone named."""

from __future__ import annotations

from sandcastle.config import load_environment
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, resources, synthesise


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


def test_topic_takes_messages_of_budgets_and_alarms_of_this_account_over_tls(each: Synthesis) -> None:
    template = each.template("guardrails")
    (policy,) = resources(template, "AWS::SNS::TopicPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    allowed = {one["Principal"]["Service"]: one["Condition"] for one in statements if one["Effect"] == "Allow"}
    assert set(allowed) == {"budgets.amazonaws.com", "cloudwatch.amazonaws.com"}
    account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert all(condition["StringEquals"] == account for condition in allowed.values())
    (denied,) = (one for one in statements if one["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
