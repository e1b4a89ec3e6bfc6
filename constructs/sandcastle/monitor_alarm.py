"""Who is told of what a monitor finds: the environment's topic, in words and by alarms, for both engines alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.permissions import list_objects, put_metrics, read_objects
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

NAMESPACE, VIOLATIONS, FAILED = "Sandcastle/Monitors", "Violations", "FailedRuns"
"""What ``assets/functions/monitor_found.py`` measures of each run, with the schedule's name as the one dimension."""

_TIMEOUT_SECONDS = 60
_REPORTS = "reports of this workload's monitors, in folders by endpoint, schedule and hour"
_TOLD = "a file for each monitor of this workload"
_NEWS = "only when a monitor finds something, or fails"
_ENDED = ["Completed", "Failed", "Stopped"]


@dataclass(frozen=True)
class Reported:
    """Where the monitors of one workload report to.

    ``reports`` are folders of the bucket, without a slash at the end: below them lies what every job of a monitor
    writes, and nothing else does. ``watched`` are the addresses that are empty while nobody asks or labels anything.
    ``merging`` is the schedule of model quality, if there is one: its runs begin with a job that merges labels.
    """

    workload: str
    bucket_name: str
    bucket_arn: str
    reports: Sequence[str]
    watched: Sequence[str]
    merging: str = ""

    @property
    def told(self) -> str:
        """The folder for what people know already: no job may write to it."""
        return f"told/{self.workload}"


class MonitorAlarm(Construct):
    """A rule for the jobs of these schedules, the function that it calls, and two alarms for each schedule.

    Alarms know one metric and no words, and there is a metric for each feature: so the function counts violations and
    failures of each run for the alarms, and says the features and distances itself. An alarm stays as it is until
    another run has judged: hours in which nobody asks the endpoint end nothing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        schedules: Sequence[str],
        reported: Reported,
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``topic_arn`` is told."""
        super().__init__(scope, construct_id)
        function = self._function(environment, reported, topic_arn, code)
        begins = [{"prefix": f"s3://{reported.bucket_name}/{folder}/"} for folder in reported.reports]
        rule = Resource(
            self,
            "Rule",
            "AWS::Events::Rule",
            Description=f"A job of a monitor of {reported.workload} has ended",
            State="ENABLED",
            EventPattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Processing Job State Change"],
                "detail": {
                    "ProcessingJobStatus": _ENDED,
                    "ProcessingOutputConfig": {"Outputs": {"S3Output": {"S3Uri": begins}}},
                },
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
        self.resources = [
            alarm
            for number, schedule in enumerate(schedules)
            for alarm in (
                self._alarm(f"Violations{number}", schedule, VIOLATIONS, f"Violations found by {schedule}", topic_arn),
                self._alarm(f"Failed{number}", schedule, FAILED, f"Runs of {schedule} fail", topic_arn),
            )
        ]

    def _alarm(self, construct_id: str, schedule: str, metric: str, description: str, topic_arn: str) -> Resource:
        return Resource(
            self,
            construct_id,
            "AWS::CloudWatch::Alarm",
            AlarmDescription=f"{description}: the topic has heard which, sandcastle monitor shows them",
            Namespace=NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": "MonitoringSchedule", "Value": schedule}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",  # keep the state
            AlarmActions=[topic_arn],
            OKActions=[topic_arn],
        )

    def _function(self, environment: str, reported: Reported, topic_arn: str, code: UploadedAsset) -> Function:
        bucket, told = reported.bucket_arn, f"{reported.told}/*"
        reports = [f"{folder}/*" for folder in reported.reports]
        return Function(
            self,
            "Function",
            handler="monitor_found.handler",
            description="Tells topic and alarms what a monitor found",
            code=code,
            timeout_seconds=_TIMEOUT_SECONDS,
            statements=[
                read_objects(bucket, *reports, reason=_REPORTS),
                Statement(
                    ["s3:GetObject", "s3:PutObject"],
                    [f"{bucket}/{told}"],
                    reason=_TOLD,
                    unseen={"s3:PutObject": _NEWS},
                ),
                list_objects(bucket, told),
                put_metrics(NAMESPACE),
                Statement(["sns:Publish"], [topic_arn], unseen={"sns:Publish": _NEWS}),
            ],
            promises=[
                *(may("s3:GetObject", f"{bucket}/{one}") for one in (*reports, told)),
                may("s3:PutObject", f"{bucket}/{told}"),
                may("sns:Publish", topic_arn),
                *(may_not("s3:PutObject", f"{bucket}/{one}") for one in reports),
                may_not("s3:GetObject", f"{bucket}/capture/*"),
                may_not("s3:DeleteObject", "*"),
                may_not("cloudwatch:DeleteAlarms", "*"),
                may_not("sagemaker:CreateProcessingJob", "*"),
            ],
            variables={
                "ENVIRONMENT": environment,
                "WORKLOAD": reported.workload,
                "TOPIC_ARN": topic_arn,
                "TOLD": f"s3://{reported.bucket_name}/{reported.told}",
                "WATCHED": json.dumps(list(reported.watched)),
                "MERGING": reported.merging,
            },
        )
