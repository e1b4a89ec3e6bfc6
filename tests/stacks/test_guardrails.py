"""The guardrails: the topic, and budgets without names that tell it and everyone named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandcastle.config import load_environment
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, resources, synthesise


def budgets(synthesis: Synthesis) -> dict[str, Any]:
    """Return the properties of all budgets by their ids, without the hash that CDK adds."""
    found = resources(synthesis.template("guardrails"), "AWS::Budgets::Budget")
    return {key[:-8]: one["Properties"] for key, one in found.items()}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_budget_of_each_environment_warns(name: str) -> None:
    environment = load_environment(name, ROOT)
    budget = budgets(synthesise(name))["Budget"]
    data = budget["Budget"]
    assert "BudgetName" not in data
    assert data["BudgetLimit"] == {"Amount": environment.monthly_budget_usd, "Unit": "USD"}
    assert (data["BudgetType"], data["TimeUnit"]) == ("COST", "MONTHLY")
    notifications = budget["NotificationsWithSubscribers"]
    told = [(one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in notifications]
    assert told == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for one in notifications:
        topics = [who for who in one["Subscribers"] if who["SubscriptionType"] == "SNS"]
        emails = [who["Address"] for who in one["Subscribers"] if who["SubscriptionType"] == "EMAIL"]
        assert len(topics) == 1
        assert emails == list(environment.notify)


def test_the_budget_of_spending_limits_has_nothing_that_would_replace_it(each: Synthesis) -> None:
    """Its name is exported, and CloudFormation changes no export that is in use."""
    found = budgets(each)
    assert found["Limit"]["Budget"] == found["Budget"]["Budget"]
    assert set(found["Limit"]) == {"Budget", "ResourceTags"}


def test_a_person_with_a_budget_has_one_and_it_counts_what_is_hers_in_this_environment(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for folder in ("assets", "environments"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    people = "studio: {users: [ada, {name: grace, monthly_budget_usd: 20}]}"
    file = root / "environments" / "local.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**document, **yaml.safe_load(people)}), encoding="utf-8")
    found = budgets(synthesise("local", root))
    assert set(found) == {"Budget", "Limit", "Budgetgrace"}
    budget = found["Budgetgrace"]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 20, "Unit": "USD"}
    assert budget["Budget"]["Metrics"] == ["UnblendedCost"]
    assert budget["Budget"]["FilterExpression"] == {
        "And": [
            {"Tags": {"Key": "sandcastle:environment", "Values": ["local"]}},
            {"Tags": {"Key": "sandcastle:user", "Values": ["grace"]}},
        ]
    }
    told = [one["Notification"] for one in budget["NotificationsWithSubscribers"]]
    assert [(one["NotificationType"], one["Threshold"]) for one in told] == [("ACTUAL", 80), ("ACTUAL", 100)]


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
