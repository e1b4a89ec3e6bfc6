"""Budgets: how much is watched, what of it counts, and whom they tell at how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.resource import EnvironmentStack, Resource

Notification = tuple[str, int]
"""Kind of amount, and percent of the budget at which it is notified."""

ENVIRONMENT: tuple[Notification, ...] = (("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
PERSON: tuple[Notification, ...] = (("ACTUAL", 80), ("ACTUAL", 100))


class Budget(Construct):
    """A cost budget per calendar month. Billing data is hours old: a budget warns, it does not stop anything.

    It has no name of its own: CloudFormation can change notifications only by replacing the budget, and a named
    one cannot be replaced. A budget without notifications is never replaced, so its name may be exported.

    Without ``tags`` it counts the whole account. With them it counts what carries all of these tags, and nothing at all
    until someone activates them for cost allocation in the billing console.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        usd_per_month: float,
        notifications: Sequence[Notification] = (),
        topic_arn: str = "",
        emails: Sequence[str] = (),
        tags: dict[str, str] | None = None,
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
                **(_counting(tags) if tags else {}),
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
                for kind, percent in notifications
            ]
            or None,
            ResourceTags=[{"Key": key, "Value": value} for key, value in stack.standard_tags.items()],
        )
        self.name: str = self.resource.ref


def _counting(tags: dict[str, str]) -> dict[str, Any]:
    """Return a filter for what has all of the tags.

    ``CostFilters`` cannot say "and" of two tags: they are values of one filter, TagKeyValue. An expression needs the
    metric said, or the budget is made and its history fails to load (hashicorp/terraform-provider-aws#46866).
    """
    both = [{"Tags": {"Key": key, "Values": [value]}} for key, value in tags.items()]
    return {"FilterExpression": {"And": both}, "Metrics": ["UnblendedCost"]}
