"""The monthly budget and whom it tells."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_budgets as budgets
from constructs import Construct

NOTIFICATIONS = (("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""What is notified: kind of amount, and percent of the budget."""


class MonthlyBudget(Construct):
    """A cost budget that warns at 50, 80 and 100 % of actual and at 100 % of forecast cost.

    It counts the whole account. A filter on the environment's tag would count nothing until someone activates that
    tag for cost allocation in the billing console, so it would stay silent exactly when it is needed.

    It has no name of its own: CloudFormation can change notifications only by replacing the budget, and a named
    one cannot be replaced. Billing data is hours old: a budget warns, it does not stop anything.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, usd_per_month: float, topic_arn: str, emails: Sequence[str]
    ) -> None:
        """``emails`` get each notification directly (at most 10), besides the topic."""
        super().__init__(scope, construct_id)
        kind = budgets.CfnBudget
        subscribers = [kind.SubscriberProperty(subscription_type="SNS", address=topic_arn)]
        subscribers += [kind.SubscriberProperty(subscription_type="EMAIL", address=email) for email in emails]
        self.resource = budgets.CfnBudget(
            self,
            "Resource",
            budget=kind.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=kind.SpendProperty(amount=usd_per_month, unit="USD"),
            ),
            notifications_with_subscribers=[
                kind.NotificationWithSubscribersProperty(
                    notification=kind.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=amount,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=subscribers,
                )
                for amount, percent in NOTIFICATIONS
            ],
        )
