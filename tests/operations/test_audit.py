"""The inventory finds what carries the environment's tag or names, and nothing of a neighbour's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.audit import take_inventory
from operations.audit.finding import Owner
from operations.audit.inventory import COLLECTORS
from operations.console import Console
from operations.sweep import sweep
from operations.target import Target

pytestmark = pytest.mark.localcloud


def owner(environment: str) -> Owner:
    return Owner(environment, "000000000000", "us-east-1")


def furnish(target: Target, environment: str) -> None:
    """Leave one thing of many kinds behind, as a destroy that went wrong would."""
    tag = [{"Key": "sandcastle:environment", "Value": environment}]
    s3 = target.client("s3")
    bucket = f"left-by-{environment}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="model", Body=b"x" * 1000)
    s3.put_object(Bucket=bucket, Key="model", Body=b"y" * 500)
    s3.delete_object(Bucket=bucket, Key="model")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="half")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="half", UploadId=upload, PartNumber=1, Body=b"z" * 200)
    logs = target.client("logs")
    logs.create_log_group(logGroupName=f"/aws/lambda/{environment}-function", tags={tag[0]["Key"]: environment})
    logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/sandcastle-{environment}--bank")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    logs.create_log_stream(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=f"sandcastle-{environment}--bank--1a2b/algo-1-1"
    )
    target.client("sns").create_topic(Name=f"topic-of-{environment}", Tags=tag)
    target.client("budgets").create_budget(
        AccountId=target.account,
        Budget={
            "BudgetName": f"budget-of-{environment}",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "10", "Unit": "USD"},
        },
        ResourceTags=tag,
    )
    target.client("cloudwatch").put_metric_alarm(
        AlarmName=f"alarm-of-{environment}", Namespace="Test", MetricName="M", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Tags=tag,
    )  # fmt: skip


def kinds(target: Target, environment: str) -> list[str]:
    inventory = take_inventory(target, owner(environment))
    assert inventory.unanswered == {}
    return sorted(finding.kind for finding in inventory.findings)


EXPECTED = ["alarm", "bucket", "budget", "log group", "log group", "log stream", "topic"]


def test_an_environment_that_never_was_has_nothing(target: Target) -> None:
    inventory = take_inventory(target, owner("never-was"))
    assert inventory.clean
    assert inventory.monthly_usd == 0.0


def test_everything_left_is_found_priced_and_swept_and_the_twin_keeps_all_of_its_own(target: Target) -> None:
    for environment in ("twin", "twin-2", "twi"):
        furnish(target, environment)
    neighbours = {name: take_inventory(target, owner(name)).document() for name in ("twin-2", "twi")}
    assert kinds(target, "twin") == EXPECTED
    inventory = take_inventory(target, owner("twin"))
    bucket = next(finding for finding in inventory.findings if finding.kind == "bucket")
    assert bucket.name == "left-by-twin"
    assert bucket.state == "4 objects, 1,700 bytes"
    assert bucket.monthly_usd == pytest.approx(1700 / 2**30 * 0.023)
    alarm = next(finding for finding in inventory.findings if finding.kind == "alarm")
    assert alarm.monthly_usd == pytest.approx(0.10)
    swept = sweep(target, inventory, Console(as_json=True))
    assert len(swept) == len(EXPECTED)
    assert take_inventory(target, owner("twin")).clean
    assert {name: take_inventory(target, owner(name)).document() for name in neighbours} == neighbours
    for name in neighbours:
        sweep(target, take_inventory(target, owner(name)), Console(as_json=True))
        assert take_inventory(target, owner(name)).clean


class Refusing:
    """A target in which one service refuses every question."""

    def __init__(self, target: Target, service: str) -> None:
        self._target, self._service = target, service

    def client(self, service: str) -> Any:
        if service != self._service:
            return self._target.client(service)
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, f"Any{service}")


@pytest.mark.parametrize("service", ["s3", "sagemaker", "logs", "budgets", "ec2"])
def test_a_service_that_refuses_is_named_and_never_taken_for_empty(target: Target, service: str) -> None:
    inventory = take_inventory(Refusing(target, service), owner("never-was"))
    assert not inventory.clean
    assert inventory.unanswered
    assert all("not authorized" in reason for reason in inventory.unanswered.values())


def test_every_service_answers_on_localcloud(target: Target) -> None:
    inventory = take_inventory(target, owner("never-was"))
    assert inventory.unanswered == {}
    assert inventory.document()["asked"] == len(COLLECTORS)


@pytest.mark.parametrize(
    ("environment", "name", "belongs"),
    [
        ("a", "sandcastle-a--bank", True),
        ("a", "sandcastle-a--bank--1a2b--c3", True),
        ("a", "sandcastle-a-b--bank", False),
        ("a-b", "sandcastle-a--bank", False),
        ("a", "sandcastle-ab--bank", False),
        ("a", "my-sandcastle-a--bank", False),
    ],
)
def test_run_time_names_belong_to_one_environment_only(environment: str, name: str, belongs: bool) -> None:
    assert (owner(environment).by_run_time_name(name) is not None) is belongs
