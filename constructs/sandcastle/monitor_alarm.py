"""Who is told of what a monitor finds: the environment's topic, by feature and distance, for both engines alike."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.monitor_roles import MonitorAccess
from sandcastle.permissions import read_objects
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

_TIMEOUT_SECONDS = 60
_REPORTS = "reports of this workload's monitors, in folders by endpoint, schedule and hour"


class MonitorAlarm(Construct):
    """A rule for the jobs of these schedules, which are told by what their environment says, and its function.

    No alarm of CloudWatch: that knows one metric and no words, and there is a metric for each feature.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        schedules: Sequence[str],
        access: MonitorAccess,
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``topic_arn`` is told."""
        super().__init__(scope, construct_id)
        reports, workload = f"{access.places.folder}/reports/*", access.names.workload
        function = Function(
            self,
            "Function",
            handler="monitor_found.handler",
            description="Tells the topic what a monitor found",
            code=code,
            timeout_seconds=_TIMEOUT_SECONDS,
            statements=[
                read_objects(access.reports_arn, reports, reason=_REPORTS),
                Statement(["sns:Publish"], [topic_arn]),
            ],
            promises=[
                may("s3:GetObject", f"{access.reports_arn}/{reports}"),
                may("sns:Publish", topic_arn),
                may_not("s3:GetObject", f"{access.reports_arn}/{access.capture}/*"),
                may_not("s3:PutObject", "*"),
                may_not("sagemaker:CreateProcessingJob", "*"),
            ],
            variables={"ENVIRONMENT": environment, "WORKLOAD": workload, "TOPIC_ARN": topic_arn},
        )
        detail = {
            "ProcessingJobStatus": ["Completed"],
            "Environment": {"sagemaker_monitoring_schedule_name": list(schedules)},
        }
        rule = Resource(
            self,
            "Rule",
            "AWS::Events::Rule",
            Description=f"A monitor of {workload} has looked",
            State="ENABLED",
            EventPattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Processing Job State Change"],
                "detail": detail,
            },
            Targets=[{"Id": "function", "Arn": function.arn}],
        )
        Resource(
            self,
            "Permission",
            "AWS::Lambda::Permission",
            tagged=False,
            Action="lambda:InvokeFunction",
            FunctionName=function.arn,
            Principal="events.amazonaws.com",
            SourceArn=rule.attribute("Arn"),
        )
