"""The monthly budget and whom it tells."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from sandcastle.resource import EnvironmentStack, Resource

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
        subscribers = [{"SubscriptionType": "SNS", "Address": topic_arn}]
        subscribers += [{"SubscriptionType": "EMAIL", "Address": email} for email in emails]
        stack = cdk.Stack.of(self)
        assert isinstance(stack, EnvironmentStack)  # noqa: S101  # every stack of this project is one
        self.resource = Resource(
            self,
            "Resource",
            "AWS::Budgets::Budget",
            tagged=False,  # it is, but under a name of its own
            Budget={
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": usd_per_month, "Unit": "USD"},
            },
            NotificationsWithSubscribers=[
                {
                    "Notification": {
                        "ComparisonOperator": "GREATER_THAN",
                        "NotificationType": kind,
                        "Threshold": percent,
                        "ThresholdType": "PERCENTAGE",
                    },
                    "Subscribers": subscribers,
                }
                for kind, percent in NOTIFICATIONS
            ],
            ResourceTags=[{"Key": key, "Value": value} for key, value in stack.standard_tags.items()],
        )
        self.name: str = self.resource.ref
