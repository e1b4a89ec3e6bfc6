"""The guardrails: what watches over the environment's money."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.budget import MonthlyBudget
from sandcastle.config import Environment
from stacks.foundation import Foundation


class Guardrails(cdk.Stack):
    """The monthly budget."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, foundation: Foundation, **stack: Any
    ) -> None:
        """Keyword arguments beyond these are CDK's own for a stack."""
        super().__init__(scope, construct_id, description=f"Sandcastle {environment.name}: its budget", **stack)
        MonthlyBudget(
            self,
            "Budget",
            usd_per_month=environment.monthly_budget_usd,
            topic_arn=foundation.topic.arn,
            emails=environment.notify,
        )
