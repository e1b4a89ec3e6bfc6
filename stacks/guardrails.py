"""The guardrails: what watches over the environment's money and its end. Deployed first and destroyed last."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle import budget
from sandcastle.assets import Assets
from sandcastle.budget import Budget
from sandcastle.code import code_asset
from sandcastle.config import Environment
from sandcastle.expiry import Expiry
from sandcastle.naming import stack_layers
from sandcastle.resource import EnvironmentStack
from sandcastle.topic import AlarmTopic


class Guardrails(EnvironmentStack):
    """The topic that all alarms go to, and the budgets.

    It depends on no other stack and every other stack depends on it: so it also watches over an environment whose
    deployment or destruction has failed. It exports the same for every environment file (see ``Foundation``).

    Two budgets have the same amount. One warns; changing whom it tells replaces it. The spending limits of the other
    stacks refer to the second by name, which must stay as it is while they do.

    What destroys the environment at the end of its life is here too: it must not be in a stack that it deletes
    before its work is done.
    """

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        """Take everything from the environment."""
        super().__init__(scope, "guardrails", environment=environment, description="its alarms and its budgets")
        usd, emails = environment.monthly_budget_usd, environment.notify
        speaks = environment.expires_after_minutes is not None or environment.nightly_stop is not None
        speaks = speaks or any(workload.pipeline or workload.monitors for workload in environment.workloads)
        self.topic = AlarmTopic(
            self, "Alarms", display_name=f"Sandcastle {environment.name}", emails=emails if speaks else ()
        )
        warning = Budget(
            self,
            "Budget",
            usd_per_month=usd,
            notifications=budget.ENVIRONMENT,
            topic_arn=self.topic.arn,
            emails=emails,
        )
        self.limit = Budget(self, "Limit", usd_per_month=usd)
        people = [
            Budget(
                self,
                f"Budget-{user.name}",
                usd_per_month=user.monthly_budget_usd,
                notifications=budget.PERSON,
                topic_arn=self.topic.arn,
                emails=emails,
                tags={"sandcastle:environment": environment.name, "sandcastle:user": user.name},
            )
            for user in (environment.studio.users if environment.studio else ())
            if user.monthly_budget_usd is not None
        ]
        if environment.expires_after_minutes is not None:
            expiry = Expiry(
                self,
                "Expiry",
                environment=environment.name,
                minutes=environment.expires_after_minutes,
                layers=stack_layers(environment),
                topic_arn=self.topic.arn,
                code=code_asset(self, Assets(environment.root).functions),
            )
            for one in (warning, self.limit, *people):  # goes first: whatever fails, what tries it again is still there
                one.resource.add_resource_dependency(expiry.resource)
            cdk.CfnOutput(self, "ExpiryGroup", value=expiry.group)
        cdk.CfnOutput(self, "AlarmTopicArn", value=self.topic.arn)
        self.export_value(self.topic.arn)
        self.export_value(self.limit.name)
