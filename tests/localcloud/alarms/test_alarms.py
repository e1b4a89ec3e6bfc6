"""Alarms of a running server: evaluated by dimension, on virtual time, with notifications; asleep without data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Stack, unique

pytestmark = pytest.mark.localcloud

ERRORS: dict[str, Any] = {
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 2.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Dimensions": [{"Name": "Of", "Value": "mine"}],
    "TreatMissingData": "notBreaching",
}


class Watched:
    """A metric of its own and an alarm on it that notifies a queue."""

    def __init__(self, localcloud: Any) -> None:
        self.localcloud = localcloud
        self.name = unique("alarm")
        self.cloudwatch = localcloud.client("cloudwatch")
        self.sqs = localcloud.client("sqs")
        sns = localcloud.client("sns")
        self.topic = sns.create_topic(Name=self.name)["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def put_alarm(self, **members: Any) -> None:
        given = {**ERRORS, "AlarmName": self.name, "Namespace": self.name, "AlarmActions": [self.topic], **members}
        self.cloudwatch.put_metric_alarm(**given)

    def put(self, *values: float, of: str = "mine") -> None:
        """Data points of this virtual moment."""
        moment = datetime.fromtimestamp(self.localcloud.admin("GET", "clock")["now"], UTC)
        dimensions = [{"Name": "Of", "Value": of}]
        data = {"MetricName": "Errors", "Values": list(values), "Timestamp": moment, "Dimensions": dimensions}
        self.cloudwatch.put_metric_data(Namespace=self.name, MetricData=[data])

    def minutes(self, count: float) -> None:
        self.localcloud.admin("POST", "clock", {"advance_seconds": 60 * count})

    def start_of_a_minute(self) -> None:
        now = self.localcloud.admin("GET", "clock")["now"]
        self.localcloud.admin("POST", "clock", {"advance_seconds": 66 - now % 60})

    @property
    def alarm(self) -> dict[str, Any]:
        [found] = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return dict(found)

    @property
    def state(self) -> str:
        return str(self.alarm["StateValue"])

    def messages(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in found]


@pytest.fixture
def watched(localcloud: Any) -> Watched:
    found = Watched(localcloud)
    found.start_of_a_minute()
    return found


def test_an_alarm_rings_after_its_periods_and_falls_silent_again(watched: Watched) -> None:
    watched.put_alarm()
    assert watched.state == "OK"  # missing data is not breaching
    watched.put(1, 1, 1, of="somebody else's")
    watched.put(2, 2)
    watched.minutes(1)
    assert watched.state == "OK"
    watched.put(1, 1, 1)
    watched.minutes(1)
    assert watched.state == "ALARM"
    assert "2 out of the last 2 datapoints [3.0, 4.0]" in watched.alarm["StateReason"]
    watched.minutes(5)
    assert watched.state == "OK"
    history = watched.cloudwatch.describe_alarm_history(AlarmName=watched.name)["AlarmHistoryItems"]
    updates = [item["HistorySummary"] for item in history if item["HistoryItemType"] == "StateUpdate"]
    assert updates[:2] == ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"]


def test_the_topic_hears_of_a_change_once_and_in_virtual_time(watched: Watched) -> None:
    watched.minutes(60 * 24)
    watched.put_alarm(EvaluationPeriods=1, Threshold=0)
    for _ in range(3):
        watched.put(1)
        watched.minutes(1)
    [message] = watched.messages()
    assert (message["AlarmName"], message["NewStateValue"]) == (watched.name, "ALARM")
    rang = datetime.fromisoformat(message["StateChangeTime"]).timestamp()
    assert abs(rang - watched.localcloud.admin("GET", "clock")["now"]) < 600


def test_percentiles(watched: Watched) -> None:
    members = {k: v for k, v in ERRORS.items() if k != "Statistic"}
    watched.cloudwatch.put_metric_alarm(
        **{**members, "AlarmName": watched.name, "Namespace": watched.name, "ExtendedStatistic": "p90"}
        | {"EvaluationPeriods": 1, "Threshold": 50}
    )
    watched.put(*[1.0] * 95, *[100.0] * 5)
    watched.minutes(1)
    assert watched.state == "OK"
    watched.put(*[1.0] * 80, *[100.0] * 20)
    watched.minutes(1)
    assert watched.state == "ALARM"


def test_nothing_is_evaluated_where_there_is_nothing_to_see(watched: Watched) -> None:
    watched.put_alarm()
    watched.put(1)
    watched.minutes(60)
    before = watched.localcloud.admin("GET", "clock")["pending_calendar"]
    watched.put(1)
    assert watched.localcloud.admin("GET", "clock")["pending_calendar"] == before + 1
    watched.minutes(60)
    assert watched.localcloud.admin("GET", "clock")["pending_calendar"] == before


def test_metric_math_is_refused_by_name(watched: Watched) -> None:
    with pytest.raises(ClientError, match=r"\[localcloud\] PutMetricAlarm: Metrics is not supported yet"):
        watched.cloudwatch.put_metric_alarm(
            AlarmName=watched.name,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "m", "Expression": "1"}],
        )


def test_alarms_and_dashboards_of_a_stack(watched: Watched) -> None:
    alarm = {**ERRORS, "AlarmName": watched.name, "Namespace": watched.name, "AlarmActions": [watched.topic]}
    body = json.dumps({"widgets": []})
    board = {"DashboardName": watched.name, "DashboardBody": body}
    stack = Stack(watched.localcloud, watched.name)
    created = stack.create(
        {
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
            "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": board},
        }
    )
    assert created == "CREATE_COMPLETE"
    watched.put(3)
    watched.minutes(1)
    watched.put(3)
    watched.minutes(1)
    assert watched.state == "ALARM"
    assert watched.cloudwatch.get_dashboard(DashboardName=watched.name)["DashboardBody"] == body
    listed = watched.cloudwatch.list_dashboards(DashboardNamePrefix=watched.name)["DashboardEntries"]
    assert [entry["DashboardName"] for entry in listed] == [watched.name]
    stack.delete()
    assert not watched.cloudwatch.list_dashboards(DashboardNamePrefix=watched.name)["DashboardEntries"]
    assert not watched.cloudwatch.describe_alarms(AlarmNames=[watched.name])["MetricAlarms"]
