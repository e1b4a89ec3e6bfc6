"""The alarms of a monitor in a stack: a job ends, its event calls the function, alarms ring, the topic hears both."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.constructs.stack_for import template_of
from tests.localcloud.core.stacks import Stack, eventually, unique
from tests.localcloud.sagemaker.live import SKLEARN, role

pytestmark = pytest.mark.localcloud

FUNCTIONS = Path(__file__).resolve().parents[3] / "assets" / "functions"
OUTPUT, PROGRAM = "/opt/ml/processing/output", "/opt/ml/processing/input/program"
JOB = """
import os
files = {files!r}
for path, text in files.items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(text)
"""


def template(bucket: str, schedule: str, topic: str) -> dict[str, Any]:
    """Return the resources of a monitor's alarm, and of what hears the topic."""
    from sandcastle.code import UploadedAsset
    from sandcastle.monitor_alarm import MonitorAlarm, Reported
    from sandcastle.resource import EnvironmentStack

    def build(stack: EnvironmentStack) -> None:
        MonitorAlarm(
            stack,
            "Alarm",
            environment="local",
            schedules=[schedule],
            reported=Reported(
                "bank", bucket, f"arn:aws:s3:::{bucket}", ["bank/monitoring/reports"], [f"s3://{bucket}/capture"]
            ),
            topic_arn=topic,
            code=UploadedAsset("0", bucket, "code.zip"),
        )

    found: dict[str, Any] = template_of(build)["Resources"]
    return found


class Watched:
    """A bucket with the functions' code, a topic with a queue, the stack, and jobs that end as a monitor's do."""

    def __init__(self, localcloud: Any) -> None:
        self.localcloud, self.name = localcloud, unique("monitor")
        self.s3, self.sm, self.sqs = (localcloud.client(one) for one in ("s3", "sagemaker", "sqs"))
        self.cloudwatch, self.jobs = localcloud.client("cloudwatch"), 0
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_object(Bucket=self.name, Key="code.zip", Body=_code())
        self.role = role(localcloud, self.name)
        self.topic = localcloud.client("sns").create_topic(Name=self.name)["TopicArn"]
        self.queue = self._queue()
        self.stack = Stack(localcloud, self.name)
        resources = template(self.name, f"{self.name}-data", self.topic)
        assert self.stack.create(resources) == "CREATE_COMPLETE", self.stack.statuses()

    def _queue(self) -> str:
        url: str = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        principal = {"Service": "sns.amazonaws.com"}
        allow = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.localcloud.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        return url

    def ends(self, message: str = "", code: str = "", **reports: Any) -> None:
        """Run a job of the monitor to its end; it leaves a message and reports, and then does ``code``."""
        self.jobs += 1
        files = {f"{OUTPUT}/{name}.json": json.dumps(content) for name, content in reports.items()}
        program = JOB.format(files={**files, **({"/opt/ml/output/message": message} if message else {})}) + code
        self.s3.put_object(Bucket=self.name, Key=f"programs/{self.jobs}/job.py", Body=program.encode())
        given = {"S3Uri": f"s3://{self.name}/programs/{self.jobs}/", "LocalPath": PROGRAM, "S3DataType": "S3Prefix"}
        folder = f"s3://{self.name}/bank/monitoring/reports/e/{self.name}-data/2026/01/01/{self.jobs:02}"
        output = {"S3Uri": folder, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
        self.sm.create_processing_job(
            ProcessingJobName=f"{self.name}-{self.jobs}",
            AppSpecification={"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", f"{PROGRAM}/job.py"]},
            ProcessingInputs=[{"InputName": "program", "S3Input": {**given, "S3InputMode": "File"}}],
            Environment={"sagemaker_monitoring_schedule_name": f"{self.name}-data"},
            RoleArn=self.role,
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
            },
            ProcessingOutputConfig={"Outputs": [{"OutputName": "result", "S3Output": output}]},
        )

    def states(self) -> dict[str, str]:
        """Return the state of each alarm by its metric."""
        found = self.cloudwatch.describe_alarms()["MetricAlarms"]
        ours = [one for one in found if one["Dimensions"] and one["Dimensions"][0]["Value"] == f"{self.name}-data"]
        return {one["MetricName"]: one["StateValue"] for one in ours}

    def becomes(self, **states: str) -> None:
        """Let minutes go by until the alarms are in these states."""

        def look() -> bool:
            self.localcloud.admin("POST", "clock", {"advance_seconds": 60})
            return self.states() == states

        eventually(look, 30)

    def heard(self, *beginnings: str) -> list[str]:
        """Wait until the topic has heard a message with each of these beginnings; take and return them, in order."""
        wanted = list(beginnings)
        found = dict[str, str]()

        def receive() -> bool:
            for one in self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
                text = json.loads(one["Body"])["Message"]
                alarm = json.loads(text) if text.startswith("{") else None
                said = f"{alarm['Trigger']['MetricName']} {alarm['NewStateValue']}" if alarm else text
                beginning = next((start for start in wanted if start not in found and said.startswith(start)), None)
                assert beginning is not None, f"nobody waits for {said!r}"
                found[beginning] = said
            return len(found) == len(wanted)

        eventually(receive)
        return [found[one] for one in wanted]


def _code() -> bytes:
    """Return the functions' code as Lambda takes it."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for file in FUNCTIONS.glob("*.py"):
            archive.write(file, file.name)
    return body.getvalue()


@pytest.fixture
def watched(localcloud: Any) -> Iterator[Watched]:
    found = Watched(localcloud)
    yield found
    assert found.stack.delete() == "DELETE_COMPLETE"
    assert not found.states()


DRIFT = {
    "feature_name": "age",
    "constraint_check_type": "baseline_drift_check",
    "description": "Baseline drift distance: 0.76 exceeds threshold: 0.1",
}
FOUND = "CompletedWithViolations: Job completed successfully with 1 violations."
CLEAN = "Completed: Job completed successfully with no violations."


def test_a_violation_rings_until_a_run_is_clean_and_a_failure_until_a_run_works(watched: Watched) -> None:
    watched.ends(FOUND, constraint_violations={"violations": [DRIFT]})
    watched.becomes(Violations="ALARM", FailedRuns="OK")
    *_, said = watched.heard("Violations ALARM", "FailedRuns OK", "Workload bank: ")
    assert "new: age: baseline_drift_check: Baseline drift distance: 0.76 exceeds threshold: 0.1" in said

    watched.localcloud.admin("POST", "clock", {"advance_seconds": 7200})  # hours in which nobody asks
    watched.ends(code="raise SystemExit('broken')")
    watched.becomes(Violations="ALARM", FailedRuns="ALARM")
    _, said = watched.heard("FailedRuns ALARM", "Workload bank: ")
    assert f"{watched.name}-data failed: " in said

    watched.ends(CLEAN, statistics={"dataset": {"item_count": 60}})
    watched.becomes(Violations="OK", FailedRuns="OK")
    *_, said = watched.heard("FailedRuns OK", "Violations OK", "Workload bank: ")
    assert "over: age: baseline_drift_check" in said
