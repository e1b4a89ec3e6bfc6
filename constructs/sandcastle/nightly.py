"""The night: what costs money while nobody is there is stopped, and endpoints are woken in the morning."""

from __future__ import annotations

import json
from collections.abc import Sequence

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.config import NightlyStop
from sandcastle.functions import Function
from sandcastle.permissions import ACCOUNT, PARTITION, REGION, sagemaker_arn, scaled_endpoints, scales_endpoints
from sandcastle.promises import Promise, may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, Statement
from sandcastle.schedule import ScheduleRole

WARN_MINUTES = 10
"""How long before the stop the topic is told."""

SCALE_MINUTES = 20
"""How long after the waking it is done once more, for endpoints that are scaled: that takes until they are in service,
minutes for instances to start and to answer."""

_TIMEOUT_SECONDS = 300

_NAMES = "names are chosen at run time; bounded to those that begin with the environment's own prefix"
_TAGS = "names are chosen at run time; the condition asks for the environment's tag"
_LISTED = "lists are no resources: the service authorization reference names none for them"
_STACKS = "stacks of the environment by name; what a name cannot tell apart, the function asks the tags for"


class Nightly(Construct):
    """Schedules for the warning, the stop and, if it is asked for, the waking; and the function that they call.

    ``arn`` is the function's, for who wants to do it now. ``role`` is the function's: it can spend, by waking.
    ``triggers`` are the schedules: they must be gone before anything is brought to rest for good.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        stop: NightlyStop,
        domain_id: str | None,
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``domain_id`` is the environment's Studio, whose apps are stopped."""
        super().__init__(scope, construct_id)
        self._environment = environment
        function = Function(
            self,
            "Function",
            handler="nightly.handler",
            description="Stops for the night what runs, and wakes endpoints in the morning",
            code=code,
            timeout_seconds=_TIMEOUT_SECONDS,
            variables={
                "ENVIRONMENT": environment,
                "DOMAIN_ID": domain_id or "",
                "ENDPOINTS": "true" if stop.endpoints else "false",
                "WHEN": f"{stop.at} {stop.timezone}",
                "TOPIC_ARN": topic_arn,
            },
            statements=[
                *self._stopping(domain_id),
                *(self._endpoints() if stop.endpoints else []),
                Statement(["sns:Publish"], [topic_arn]),
            ],
            promises=self._promises(),
        )
        self.name: str = function.resource.ref
        self.role: ServiceRole = function.role
        role = ScheduleRole(self, "Role", function_arn=function.arn, description="Scheduler calls the night")
        group = Resource(self, "Group", "AWS::Scheduler::ScheduleGroup").ref
        times = {"warn": shifted(stop.at, -WARN_MINUTES), "stop": stop.at}
        times |= {"wake": stop.wake, "scale": shifted(stop.wake, SCALE_MINUTES)} if stop.wake else {}
        self.triggers = [
            Resource(
                self,
                what.capitalize(),
                "AWS::Scheduler::Schedule",
                tagged=False,  # CloudFormation tags groups of schedules, not schedules
                GroupName=group,
                ScheduleExpression=daily(at),
                ScheduleExpressionTimezone=stop.timezone,
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": function.arn,
                    "RoleArn": role.arn,
                    "Input": json.dumps({"do": "wake" if what == "scale" else what}),
                    "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 900},
                },
            )
            for what, at in times.items()
        ]

    def _stopping(self, domain_id: str | None) -> list[Statement]:
        """Allow stopping notebook instances and, with a domain, the apps in it."""
        mine = {"StringEquals": {"aws:ResourceTag/sandcastle:environment": self._environment}}
        everything = [sagemaker_arn("*", "*")]
        statements = [
            Statement(["sagemaker:ListNotebookInstances"], ["*"], reason=_LISTED),
            Statement(["sagemaker:ListTags"], everything, reason="whose something is has to be asked of all there is"),
            Statement(
                ["sagemaker:StopNotebookInstance"], [sagemaker_arn("notebook-instance", "*")], mine, reason=_TAGS
            ),
        ]
        if domain_id:
            statements += [
                Statement(["sagemaker:ListApps"], ["*"], reason=_LISTED),
                Statement(
                    ["sagemaker:DeleteApp"],
                    [sagemaker_arn("app", f"{domain_id}/*")],
                    reason="apps have names that people choose; all of them in this domain",
                ),
            ]
        return statements

    def _endpoints(self) -> list[Statement]:
        """Allow deleting the environment's endpoints, and making those of its stacks again."""
        environment = self._environment
        mine = {"StringEquals": {"aws:ResourceTag/sandcastle:environment": environment}}
        named = sagemaker_arn("endpoint", f"sandcastle-{environment}--*")
        stacks = f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/sandcastle-{environment}-*/*"
        by_name = ("AddTags", "CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint")
        return [
            Statement(["sagemaker:ListEndpoints"], ["*"], reason=_LISTED),
            Statement(
                ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"],
                [sagemaker_arn("endpoint", "*")],
                mine,
                reason=_TAGS,
            ),
            *scales_endpoints(environment),
            Statement([f"sagemaker:{action}" for action in by_name], [named], reason=_NAMES),
            scaled_endpoints(),
            Statement(["sagemaker:CreateEndpoint"], [sagemaker_arn("endpoint-config", "*")], mine, reason=_TAGS),
            *self._deployed(),
            Statement(["cloudformation:ListStacks"], ["*"], reason=_LISTED),
            Statement(["cloudformation:DescribeStacks"], [stacks], reason=_STACKS),
        ]

    def _deployed(self) -> list[Statement]:
        """Allow remembering what a pipeline has deployed, and stopping what watches it."""
        config, schedule = (
            sagemaker_arn(kind, f"sandcastle-{self._environment}--*")
            for kind in ("endpoint-config", "monitoring-schedule")
        )
        by_name = ("AddTags", "DeleteTags", "StartMonitoringSchedule", "StopMonitoringSchedule")
        return [
            Statement(["sagemaker:ListEndpointConfigs", "sagemaker:ListMonitoringSchedules"], ["*"], reason=_LISTED),
            Statement(["sagemaker:AddTags"], [config], reason=_NAMES),
            Statement([f"sagemaker:{action}" for action in by_name], [schedule], reason=_NAMES),
        ]

    def _promises(self) -> Sequence[Promise]:
        tag, other = "aws:ResourceTag/sandcastle:environment", f"{self._environment}-b"
        return [
            may("sagemaker:StopNotebookInstance", sagemaker_arn("notebook-instance", "*"), **{tag: self._environment}),
            may_not("sagemaker:StopNotebookInstance", "*", **{tag: other}),
            may_not("sagemaker:DeleteEndpoint", sagemaker_arn("endpoint", "other"), **{tag: other}),
            may_not("sagemaker:CreateEndpoint", sagemaker_arn("endpoint", "other")),
            may_not("sagemaker:UpdateEndpointWeightsAndCapacities", sagemaker_arn("endpoint", "other")),
            may_not("sagemaker:DeleteEndpointConfig", "*"),
            may_not("sagemaker:AddTags", sagemaker_arn("endpoint-config", f"sandcastle-{other}--x")),
            may_not("sagemaker:StopMonitoringSchedule", sagemaker_arn("monitoring-schedule", "other")),
            may_not("sagemaker:DeleteMonitoringSchedule", "*"),
            may_not("sagemaker:DeleteSpace", "*"),
            may_not("sagemaker:StartNotebookInstance", "*"),
            may_not("cloudformation:DeleteStack", "*"),
            may_not("iam:PassRole", "*"),
        ]


def daily(at: str) -> str:
    """Return Scheduler's expression for a time of day (``HH:MM``), in the time zone that is given beside it."""
    hour, minute = at.split(":")
    return f"cron({int(minute)} {int(hour)} * * ? *)"


def shifted(at: str, minutes: int) -> str:
    """Return the time of day so many minutes later, or earlier."""
    hour, minute = (int(part) for part in at.split(":"))
    total = (hour * 60 + minute + minutes) % (24 * 60)
    return f"{total // 60:02}:{total % 60:02}"
