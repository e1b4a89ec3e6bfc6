"""The guardrails: what watches over the environment's money. Deployed first and destroyed last."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle.budget import MonthlyBudget
from sandcastle.config import Environment
from sandcastle.resource import EnvironmentStack
from sandcastle.topic import AlarmTopic


class Guardrails(EnvironmentStack):
    """The topic that all alarms go to, and the monthly budget.

    It depends on no other stack and every other stack depends on it: so it also watches over an environment whose
    deployment or destruction has failed. It exports the same for every environment file (see ``Foundation``).
    """

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        """Take everything from the environment."""
        super().__init__(scope, "guardrails", environment=environment, description="its alarms and its budget")
        self.topic = AlarmTopic(self, "Alarms", display_name=f"Sandcastle {environment.name}")
        self.budget = MonthlyBudget(
            self,
            "Budget",
            usd_per_month=environment.monthly_budget_usd,
            topic_arn=self.topic.arn,
            emails=environment.notify,
        )
        cdk.CfnOutput(self, "AlarmTopicArn", value=self.topic.arn)
        self.export_value(self.topic.arn)
        self.export_value(self.budget.name)
