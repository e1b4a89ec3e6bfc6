"""The guardrails: what watches over the environment's money."""

from __future__ import annotations

from constructs import Construct

from sandcastle.budget import MonthlyBudget
from sandcastle.config import Environment
from sandcastle.resource import EnvironmentStack
from stacks.foundation import Foundation


class Guardrails(EnvironmentStack):
    """The monthly budget."""

    def __init__(self, scope: Construct, *, environment: Environment, foundation: Foundation) -> None:
        """``foundation`` holds the topic that the budget tells."""
        super().__init__(scope, "guardrails", environment=environment, description="its budget")
        MonthlyBudget(
            self,
            "Budget",
            usd_per_month=environment.monthly_budget_usd,
            topic_arn=foundation.topic.arn,
            emails=environment.notify,
        )
