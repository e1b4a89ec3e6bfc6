"""A spending limit: at 100 % of the budget, roles may start nothing new; whatever ends spending they still may."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from sandcastle.billed_actions import BILLED_ACTIONS
from sandcastle.code import UploadedAsset
from sandcastle.janitor import Janitor
from sandcastle.permissions import ACCOUNT, PARTITION
from sandcastle.promises import may, may_not
from sandcastle.resource import EnvironmentStack, Resource
from sandcastle.roles import ServiceRole, Statement

PERCENT = 100
"""Of the budget, actual cost: when the limit is applied. Billing data is hours old, so it comes hours late."""


class SpendingLimit(Construct):
    """A policy that denies new spending, a budget action that attaches it, and a janitor that detaches it again.

    AWS Budgets attaches the policy to the roles by itself and detaches it when the month is over. What an executed
    action attached outlives the action, and a policy or role with an attachment cannot be deleted (facts on teardown,
    1.28). So on deletion the action goes first, then the janitor detaches the policy from whatever role has it,
    then policy and roles go. The janitor asks IAM who has the policy, not Budgets: it works whether or not
    the action has executed, and when the budget is gone already.

    ``policy_arn`` and ``release`` are for whoever freezes the roles before a teardown: attach the policy, and let the
    custom resource that does so depend on ``release``, which is then deleted, and works, after it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        roles: Sequence[ServiceRole],
        budget_name: str,
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``roles`` (at most 100) may start nothing new once the budget is spent; ``topic_arn`` hears of it."""
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        assert isinstance(stack, EnvironmentStack)  # noqa: S101  # every stack of this project is one
        policy = Resource(
            self,
            "Policy",
            "AWS::IAM::ManagedPolicy",
            tagged=False,  # CloudFormation tags no managed policies
            Description=f"Sandcastle {stack.stack_name}: nothing new that is billed",
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {"Sid": "NoNewSpending", "Effect": "Deny", "Action": list(BILLED_ACTIONS), "Resource": "*"}
                ],
            },
        )
        self.policy_arn: str = policy.ref
        exactly_this = {"ArnEquals": {"iam:PolicyARN": self.policy_arn}}
        arns = [role.arn for role in roles]
        self.release = self._release(exactly_this, code)
        self.release.runs_before(*(role.resource for role in roles))  # and before the policy, which it names
        action = Resource(
            self,
            "Action",
            "AWS::Budgets::BudgetsAction",
            tagged=False,  # it is, but under a name of its own
            BudgetName=budget_name,
            ActionType="APPLY_IAM_POLICY",
            NotificationType="ACTUAL",
            ActionThreshold={"Type": "PERCENTAGE", "Value": PERCENT},
            ApprovalModel="AUTOMATIC",
            ExecutionRoleArn=self._execution_role(arns, exactly_this).arn,
            Definition={
                "IamActionDefinition": {"PolicyArn": self.policy_arn, "Roles": [role.resource.ref for role in roles]}
            },
            Subscribers=[{"Type": "SNS", "Address": topic_arn}],
            ResourceTags=[{"Key": key, "Value": value} for key, value in stack.standard_tags.items()],
        )
        self.release.runs_after(action)

    def _release(self, exactly_this: dict[str, dict[str, str]], code: UploadedAsset) -> Janitor:
        any_role = f"arn:{PARTITION}:iam::{ACCOUNT}:role/*"
        this = {"iam__PolicyARN": self.policy_arn}
        other = {"iam__PolicyARN": f"arn:{PARTITION}:iam::aws:policy/ReadOnlyAccess"}
        return Janitor(
            self,
            "Release",
            kind="Custom::SandcastleSpendingRelease",
            handler="spending_release.handler",
            description="Gives roles back what an applied spending limit took, so that they can be deleted",
            code=code,
            statements=[
                Statement(["iam:ListEntitiesForPolicy"], [self.policy_arn]),
                Statement(
                    ["iam:DetachRolePolicy"],
                    [any_role],
                    exactly_this,
                    reason="whatever role has the policy, by hand too; the condition bounds it to this one policy",
                ),
            ],
            promises=[
                may("iam:ListEntitiesForPolicy", self.policy_arn),
                may("iam:DetachRolePolicy", any_role, **this),
                may_not("iam:DetachRolePolicy", any_role, **other),
                may_not("iam:AttachRolePolicy", "*"),
                may_not("iam:DeletePolicy", "*"),
            ],
            properties={"PolicyArn": self.policy_arn},
        )

    def _execution_role(self, role_arns: Sequence[str], exactly_this: dict[str, dict[str, str]]) -> ServiceRole:
        this = {"iam__PolicyARN": self.policy_arn}
        return ServiceRole(
            self,
            "ActionRole",
            service="budgets.amazonaws.com",
            source_account=True,
            description="Applies the spending limit",
            statements=[Statement(["iam:AttachRolePolicy", "iam:DetachRolePolicy"], role_arns, exactly_this)],
            promises=[
                *(may("iam:AttachRolePolicy", arn, **this) for arn in role_arns),
                *(may("iam:DetachRolePolicy", arn, **this) for arn in role_arns),
                may_not(
                    "iam:AttachRolePolicy", "*", iam__PolicyARN=f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess"
                ),
                may_not("iam:AttachRolePolicy", f"arn:{PARTITION}:iam::{ACCOUNT}:role/other", **this),
                may_not("iam:PutRolePolicy", "*"),
            ],
        )
