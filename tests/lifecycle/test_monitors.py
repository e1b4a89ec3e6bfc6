"""Monitors of workloads, deployed for real: baselines, schedules, what they find, a change of the model, the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.stand import Stand, stand
from tests.lifecycle.topic import Listener

BOTH = ["data-quality", "model-quality"]
HOUR = 3600
ROWS = 60
"""Requests in an hour."""


def _workloads(rounds: int = 20) -> dict[str, Any]:
    return {
        "bank": {"monitors": BOTH, "hyperparameters": {"num_round": rounds}},
        "penguins": {"monitors": {"data-quality": {"every": "hourly"}, "model-quality": {"every": "daily"}}},
    }


class Watched:
    """One monitored workload: its endpoint, what it is asked, and what is found."""

    def __init__(self, place: Stand, workload: str) -> None:
        self.cloud, self._client = place.cloud, place.client
        stacks = place.client("cloudformation").describe_stacks(StackName=place.stack(f"workload-{workload}"))
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stacks["Stacks"][0]["Outputs"]}
        self.workload = workload

    def read(self, address: str) -> Any:
        """Return a JSON document of S3."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return json.load(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"])

    def keys(self, address: str) -> list[str]:
        """Return the addresses of all objects below one."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [f"s3://{bucket}/{one['Key']}" for page in pages for one in page.get("Contents", [])]

    def rows(self) -> list[tuple[str, str]]:
        """Return label and features of the first rows of the test split."""
        bucket, _, folder = self.outputs["DatasetUri"].removeprefix("s3://").partition("/")
        body = self._client("s3").get_object(Bucket=bucket, Key=f"{folder}/test/test.csv")["Body"].read().decode()
        return [(line.partition(",")[0], line.partition(",")[2]) for line in body.splitlines()[:ROWS]]

    def ask(self, rows: Iterable[str], name: str) -> None:
        """Ask the endpoint about each row, under ids that begin with the name."""
        for number, row in enumerate(rows):
            self._client("sagemaker-runtime").invoke_endpoint(
                EndpointName=self.outputs["EndpointName"],
                ContentType="text/csv",
                Body=row.encode(),
                InferenceId=f"{name}-{number}",
            )

    def tell(self, labels: Iterable[str], name: str) -> None:
        """Say what was true, in the hour that it is now."""
        lines = [
            {
                "groundTruthData": {"data": label, "encoding": "CSV"},
                "eventMetadata": {"eventId": f"{name}-{number}"},
                "eventVersion": "0",
            }
            for number, label in enumerate(labels)
        ]
        now = datetime.fromtimestamp(self.cloud.admin("clock")["now"], UTC)
        bucket, _, prefix = self.outputs["GroundTruth"].removeprefix("s3://").partition("/")
        body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        self._client("s3").put_object(Bucket=bucket, Key=f"{prefix}/{now:%Y/%m/%d/%H}/labels.jsonl", Body=body)

    def runs(self, kind: str) -> list[dict[str, Any]]:
        """Return the finished executions of a monitor, newest first."""
        found = self._client("sagemaker").list_monitoring_executions(
            MonitoringScheduleName=self.outputs[f"{kind}Schedule"], SortBy="ScheduledTime", SortOrder="Descending"
        )["MonitoringExecutionSummaries"]
        return [one for one in found if one["MonitoringExecutionStatus"] not in ("Pending", "InProgress")]

    def report(self, kind: str, run: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the violations that a run wrote down."""
        hour = f"{run['ScheduledTime'].astimezone(UTC):%Y/%m/%d/%H}"
        folder = f"{self.outputs['MonitoringReports']}/{self.outputs['EndpointName']}"
        return list(
            self.read(f"{folder}/{self.outputs[f'{kind}Schedule']}/{hour}/constraint_violations.json")["violations"]
        )

    def alarm(self, kind: str, metric: str = "Violations") -> str:
        """Return the state of one of a monitor's alarms."""
        every = self._client("cloudwatch").describe_alarms()["MetricAlarms"]
        which = [{"Name": "MonitoringSchedule", "Value": self.outputs[f"{kind}Schedule"]}]
        (found,) = (one for one in every if one["Dimensions"] == which and one["MetricName"] == metric)
        return str(found["StateValue"])

    def next_run(self, kind: str) -> dict[str, Any]:
        """Let the next hour come, and return the run that it brings."""
        known = len(self.runs(kind))
        self.cloud.advance(HOUR - self.cloud.admin("clock")["now"] % HOUR + 1500)
        return self.cloud.until(lambda: self.runs(kind)[: len(self.runs(kind)) - known], f"a run of {kind}")[0]


@pytest.mark.exhaustive
def test_baselines_are_made_drift_is_found_a_retrained_model_gets_another_baseline_and_nothing_is_left(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    settings = {"monitoring": {"engine": "model-monitor"}, "monthly_budget_usd": 900}
    place = stand(cloud, environment_file("watched", workloads=_workloads(), **settings)).up()
    bank, penguins = Watched(place, "bank"), Watched(place, "penguins")
    listener = Listener(cloud, place.outputs["AlarmTopicArn"])
    for one in (bank, penguins):
        assert one.outputs["MonitoringEngine"] == "model-monitor"
        data = one.read(f"{one.outputs['DataQualityBaseline']}/statistics.json")
        assert len(data["features"]) > 5
        model = one.read(f"{one.outputs['ModelQualityBaseline']}/constraints.json")
        [limits] = (model[key] for key in model if key.endswith("_classification_constraints"))
        [suggested] = (
            rules
            for key, rules in one.read(f"{one.outputs['ModelQualityBaseline']}/constraints_original.json").items()
            if key.endswith("_classification_constraints")
        )
        assert 0.5 < limits["accuracy"]["threshold"] < suggested["accuracy"]["threshold"]

    clean = bank.rows()
    bank.ask([row for _, row in clean], "clean")
    bank.tell([label for label, _ in clean], "clean")
    shifted = [",".join(["9999", *row.split(",")[1:]]) for _, row in clean]
    penguins.ask([row for _, row in penguins.rows()], "clean")
    run = bank.next_run("DataQuality")
    assert run["MonitoringExecutionStatus"] in ("Completed", "CompletedWithViolations"), run
    first = bank.report("DataQuality", run) if run["MonitoringExecutionStatus"] != "Completed" else []
    bank.ask(shifted, "shifted")
    run = bank.next_run("DataQuality")
    assert run["MonitoringExecutionStatus"] == "CompletedWithViolations", run
    found = bank.report("DataQuality", run)
    names = {one["feature_name"] for one in found if one["constraint_check_type"] == "baseline_drift_check"}
    before = {one["feature_name"] for one in first if one["constraint_check_type"] == "baseline_drift_check"}
    feature = bank.read(f"{bank.outputs['DataQualityBaseline']}/statistics.json")["features"][1]["name"]
    assert feature in names - before, found

    def rings() -> bool:
        cloud.advance(60)
        return bank.alarm("DataQuality") == "ALARM"

    cloud.until(rings, "the alarm of what was found")
    assert bank.alarm("DataQuality", "FailedRuns") == "OK"
    words = f"new: {feature}: baseline_drift_check: Baseline drift distance: "
    cloud.until(
        lambda: listener.subjects() and any(words in text for _, text in listener.heard), "a message about the feature"
    )
    listener.close()
    judged = cloud.until(
        lambda: [one for one in bank.runs("ModelQuality") if one["ScheduledTime"] == run["ScheduledTime"]],
        "the judgement of the clean hour, in which the labels came",
    )[0]
    assert judged["MonitoringExecutionStatus"] in ("Completed", "CompletedWithViolations"), judged

    place = stand(cloud, environment_file("watched", workloads=_workloads(rounds=30), **settings)).up()
    changed = Watched(place, "bank").outputs
    assert changed["DataQualityBaseline"] == bank.outputs["DataQualityBaseline"]
    assert changed["ModelQualityBaseline"] != bank.outputs["ModelQualityBaseline"]
    schedule = cloud.client("sagemaker").describe_monitoring_schedule(
        MonitoringScheduleName=changed["ModelQualitySchedule"]
    )
    definition = cloud.client("sagemaker").describe_model_quality_job_definition(
        JobDefinitionName=schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    )
    compared = definition["ModelQualityBaselineConfig"]["ConstraintsResource"]["S3Uri"]
    assert compared == f"{changed['ModelQualityBaseline']}/constraints.json"
    place.destroyed_at_once()
