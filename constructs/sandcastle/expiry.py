"""Time to live: when it is over, the environment destroys itself, after warnings."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function, service_timeout
from sandcastle.permissions import ACCOUNT, PARTITION, REGION, pass_roles
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement
from sandcastle.schedule import ScheduleRole, schedule_arn

SCHEDULES = ("expire", "warn-24h", "warn-1h")
"""The schedules that are made at run time. ``StartDate`` of the first is the end of the environment's life."""

_SCHEDULE_SECONDS, _STEP_SECONDS = 240, 120
"""Timeouts. The first waits up to 90 s for each of its schedules to accept a role that is new."""


class Expiry(Construct):
    """Schedules in a group of their own, made by a custom resource, and the function that they call.

    It belongs into the stack that all others outlive nothing of: the function deletes them in their order, whatever
    fails and however often, and its own stack when it is alone. Its permission to delete stacks is bounded by name and
    by the environment's tag; CloudFormation deletes each with the role that it was deployed with, so it passes none.

    The date is not in the template (see ``assets/functions/expiry_schedule.py``).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        minutes: int,
        layers: Sequence[Sequence[str]],
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``minutes`` is the life from deployment on; ``layers`` are the other stacks in order of deletion."""
        super().__init__(scope, construct_id)
        group = Resource(self, "Group", "AWS::Scheduler::ScheduleGroup")
        self.group: str = group.ref
        stacks = f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/sandcastle-{environment}-*/*"
        own = {"aws__ResourceTag/sandcastle:environment": environment}
        other = {"aws__ResourceTag/sandcastle:environment": "other"}
        named = "stacks of the environment by name; what a name cannot tell apart, the tag does: a deletion needs both"
        function = Function(
            self,
            "Function",
            handler="expiry.handler",
            description="Warns of the end of the environment, and then destroys it",
            code=code,
            timeout_seconds=_STEP_SECONDS,
            variables={
                "ENVIRONMENT": environment,
                "LAYERS": json.dumps(layers, separators=(",", ":")),
                "OWN_STACK": cdk.Stack.of(self).stack_name,
                "GROUP": self.group,
                "TOPIC_ARN": topic_arn,
            },
            statements=[
                Statement(
                    ["cloudformation:ListStacks"],
                    ["*"],
                    reason="listing is not about one stack: AWS takes no resource",
                ),
                Statement(
                    ["cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"], [stacks], reason=named
                ),
                Statement(
                    ["cloudformation:DeleteStack"],
                    [stacks],
                    {"StringEquals": {"aws:ResourceTag/sandcastle:environment": environment}},
                    reason=named,
                ),
                Statement(["scheduler:GetSchedule"], [schedule_arn(self.group, SCHEDULES[0])]),
                Statement(["sns:Publish"], [topic_arn]),
            ],
            promises=[
                may("cloudformation:DeleteStack", stacks, **own),
                may_not("cloudformation:DeleteStack", stacks, **other),
                may_not(
                    "cloudformation:DeleteStack",
                    f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/CDKToolkit/*",
                ),
                may("sns:Publish", topic_arn),
                may_not("iam:PassRole", "*"),
                may_not("cloudformation:UpdateStack", "*"),
                may_not("scheduler:DeleteSchedule", "*"),
            ],
        )
        role = ScheduleRole(
            self, "Role", function_arn=function.arn, description="Scheduler calls the end of the environment"
        )
        schedules = [schedule_arn(self.group, name) for name in SCHEDULES]
        maker = Function(
            self,
            "Maker",
            handler="expiry_schedule.handler",
            description="Makes the schedules of the environment's end, counted from its deployment",
            code=code,
            timeout_seconds=_SCHEDULE_SECONDS,
            statements=[
                Statement(
                    [
                        "scheduler:CreateSchedule",
                        "scheduler:DeleteSchedule",
                        "scheduler:GetSchedule",
                        "scheduler:UpdateSchedule",
                    ],
                    schedules,
                ),
                pass_roles([role.arn], "scheduler.amazonaws.com"),
            ],
            promises=[
                *(may("scheduler:UpdateSchedule", arn) for arn in schedules),
                may("iam:PassRole", role.arn, iam__PassedToService="scheduler.amazonaws.com"),
                may_not("iam:PassRole", role.arn, iam__PassedToService="lambda.amazonaws.com"),
                may_not("scheduler:CreateSchedule", schedule_arn("default", "*")),
                may_not("cloudformation:DeleteStack", "*"),
                may_not("lambda:InvokeFunction", "*"),
            ],
        )
        self.resource = Resource(
            self,
            "Resource",
            "Custom::SandcastleExpiry",
            tagged=False,
            ServiceToken=maker.arn,
            ServiceTimeout=service_timeout(_SCHEDULE_SECONDS),
            ExpiresAfterMinutes=minutes,
            Group=self.group,
            FunctionArn=function.arn,
            RoleArn=role.arn,
        )
