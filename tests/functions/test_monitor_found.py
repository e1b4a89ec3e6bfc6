"""What people and alarms are told of a monitor's runs: what is new, once, with feature and distance."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import monitor_found
import monitor_told
import pytest
from botocore.exceptions import ClientError

REPORTS = "s3://r/bank/monitoring/reports"
DATA, MODEL = "sandcastle-a--bank--1-data", "sandcastle-a--bank--1-quality"
HOUR = 3_600_000
VARIABLES = {
    "ENVIRONMENT": "a",
    "WORKLOAD": "bank",
    "TOPIC_ARN": "topic",
    "TOLD": "s3://r/told/bank",
    "WATCHED": json.dumps(["s3://r/capture/bank", "s3://d/bank/ground-truth", f"{REPORTS}/merge"]),
    "MERGING": MODEL,
}
CLEAN = "Completed: Job completed successfully with no violations."


def drift(feature: str, distance: float) -> dict[str, str]:
    text = f"Baseline drift distance: {distance} exceeds threshold: 0.1"
    return {"feature_name": feature, "constraint_check_type": "baseline_drift_check", "description": text}


class Services:
    """S3, a topic and CloudWatch, and jobs that end one after the other, an hour apart."""

    def __init__(self) -> None:
        self.objects = dict[tuple[str, str], bytes]()
        self.told, self.measured = list[dict[str, str]](), list[dict[str, Any]]()
        self.hour, self.broken = 0, False

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        return {"KeyCount": min(MaxKeys, sum(key == (Bucket, Prefix) for key in self.objects))}

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:
        body = self.objects[Bucket, Key]
        return {"Body": io.BytesIO(body[: int(Range.partition("-")[2]) + 1] if Range else body)}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        assert ContentType == "application/json"
        self.objects[Bucket, Key] = Body

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        assert Namespace == monitor_found.NAMESPACE
        self.measured += MetricData

    def publish(self, **message: Any) -> None:
        if self.broken:
            raise ClientError({"Error": {"Code": "InternalError"}}, "Publish")
        self.told.append(message)

    @property
    def values(self) -> dict[str, float]:
        """The newest value of each metric."""
        return {one["MetricName"]: one["Value"] for one in self.measured}

    def ends(self, status: str = "Completed", schedule: str = DATA, **members: Any) -> dict[str, Any]:
        """Return the event of a job of the next hour."""
        self.hour += 1
        folder = f"{REPORTS}/e/{schedule}/2026/01/01/{self.hour:02}"
        job = {
            "ProcessingJobName": f"job-{self.hour}",
            "ProcessingJobStatus": status,
            "CreationTime": self.hour * HOUR,
            "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
            "Environment": {"sagemaker_monitoring_schedule_name": schedule},
            "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": folder}}]},
            **members,
        }
        return {"detail": job}

    def judged(self, *violations: dict[str, str], rows: int = 60, schedule: str = DATA) -> dict[str, Any]:
        """Return the event of a run with a report."""
        count = len(violations)
        found = f"CompletedWithViolations: Job completed successfully with {count} violations."
        event = self.ends(schedule=schedule, ExitMessage=found if violations else CLEAN)
        folder = event["detail"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].removeprefix("s3://r/")
        statistics = {"version": 0.0, "dataset": {"item_count": rows}, "features": [{"name": "x" * 5000}]}
        for name, content in (("constraint_violations", {"violations": violations}), ("statistics", statistics)):
            self.objects["r", f"{folder}/{name}.json"] = json.dumps(content, indent=2).encode()
        return event


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    for key, value in VARIABLES.items():
        monkeypatch.setenv(key, value)
    found = Services()
    monkeypatch.setattr(monitor_found, "client", lambda _: found)
    return found


def hear(services: Services, event: dict[str, Any]) -> str:
    """Return what the topic hears of the event."""
    before = len(services.told)
    said = monitor_found.handler(event, None)
    heard = [message["Message"] for message in services.told[before:]]
    assert heard == ([said] if said else [])
    return said


def test_the_feature_and_its_distance_are_named(services: Services) -> None:
    said = hear(services, services.judged(drift("age", 0.76)))
    assert "new: age: baseline_drift_check: Baseline drift distance: 0.76 exceeds threshold: 0.1" in said
    assert f"Report: {REPORTS}/e/{DATA}/2026/01/01/01/" in said
    assert "sandcastle monitor report bank --environment a" in said
    assert services.told[0]["Subject"] == "Sandcastle a: a monitor of bank found something"
    assert services.values == {"Violations": 1.0, "FailedRuns": 0.0}
    assert services.measured[0]["Dimensions"] == [{"Name": "MonitoringSchedule", "Value": DATA}]


def test_what_is_still_so_is_not_told_again_until_it_changes_or_ends(services: Services) -> None:
    assert hear(services, services.judged(drift("age", 0.76)))
    assert not hear(services, services.judged(drift("age", 0.71)))
    assert services.values["Violations"] == 1.0
    changed = hear(services, services.judged(drift("job", 0.2), drift("age", 0.73)))
    assert changed.index("new: job: ") < changed.index(
        "still: age: baseline_drift_check: Baseline drift distance: 0.73"
    )
    other = hear(services, services.judged(drift("job", 0.3)))
    assert "still: job" in other
    assert "over: age: baseline_drift_check\n" in other
    ended = hear(services, services.judged())
    assert "over: job" in ended
    assert services.told[-1]["Subject"].endswith("a monitor of bank finds nothing any more")
    assert services.values["Violations"] == 0.0
    assert not hear(services, services.judged())


def test_a_run_that_found_nothing_is_not_told_but_measured(services: Services) -> None:
    assert not hear(services, services.judged())
    assert services.values == {"Violations": 0.0, "FailedRuns": 0.0}
    assert not [key for key in services.objects if key[1].startswith("told/")]


def test_each_monitor_is_told_by_itself(services: Services) -> None:
    assert hear(services, services.judged(drift("age", 0.76)))
    metric = {
        "metric_name": "accuracy",
        "constraint_check_type": "LessThanThreshold",
        "description": "Metric accuracy with 0.61 was LessThanThreshold 0.9",
    }
    said = hear(services, services.judged(metric, schedule=MODEL))
    assert "new: accuracy: LessThanThreshold: Metric accuracy with 0.61" in said
    assert "age" not in said


EMPTY = [
    'ClientError: Data download failed: No S3 objects found under S3 URL "s3://r/capture/bank/e/main/2026/01/01/15".',
    'ClientError: Data download failed: No S3 objects found under S3 URL "s3://d/bank/ground-truth/2026/01/01/15".',
    f'ClientError: Data download failed: No S3 objects found under S3 URL "{REPORTS}/merge/e/main/2026/01/01/15".',
    "Job inputs had no data",
    "AlgorithmError: Error: There is no data to analyse., exit code: 255",
]


@pytest.mark.parametrize("reason", EMPTY)
def test_an_hour_in_which_nobody_asked_or_labelled_is_no_failure_and_ends_nothing(
    services: Services, reason: str
) -> None:
    assert hear(services, services.judged(drift("age", 0.76)))
    measured = list(services.measured)
    assert not hear(services, services.ends("Failed", FailureReason=reason))
    assert not hear(services, services.judged(rows=0))  # what the portable engine says of such an hour
    assert services.measured == measured
    assert "over: age" in hear(services, services.judged())


def test_a_failure_is_told_once_and_so_is_its_end(services: Services) -> None:
    assert hear(services, services.judged(drift("age", 0.76)))
    baseline = (
        'ClientError: No S3 objects found under S3 URL "s3://r/bank/monitoring/baselines/x/data/constraints.json"'
    )
    said = hear(services, services.ends("Failed", FailureReason=baseline))
    assert baseline in said
    assert "Job: job-2" in said
    assert services.values == {"Violations": 1.0, "FailedRuns": 1.0}
    assert not hear(services, services.ends("Failed", FailureReason="AlgorithmError: exit code 255"))
    said = hear(services, services.judged(drift("age", 0.5)))
    assert "still: age" in said
    assert services.told[-1]["Subject"].endswith("a monitor of bank works again")
    assert services.values["FailedRuns"] == 0.0


def test_a_run_that_works_again_may_find_something_new_or_nothing(services: Services) -> None:
    assert hear(services, services.ends("Failed", FailureReason="broken"))
    said = hear(services, services.judged(drift("age", 0.76)))
    assert "Its runs work again." in said
    assert services.told[-1]["Subject"].endswith("found something")
    assert hear(services, services.ends("Failed", FailureReason="broken"))
    assert "Its runs work again." in hear(services, services.judged())
    assert hear(services, services.ends("Failed", FailureReason="broken"))
    assert hear(services, services.judged())
    assert services.told[-1]["Subject"].endswith("works again")


def test_a_run_that_took_too_long_has_failed_and_one_that_was_stopped_has_not(services: Services) -> None:
    times = {"ProcessingStartTime": HOUR, "ProcessingEndTime": HOUR + 60_000}
    assert not hear(services, services.ends("Stopped", **times))
    assert not hear(services, services.ends("Stopped"))
    said = hear(services, services.ends("Stopped", **times | {"ProcessingEndTime": HOUR + 1_800_000}))
    assert "stopped after 30 minutes" in said


def merge(services: Services, status: str, **members: Any) -> dict[str, Any]:
    """Return the event of the job that merges labels: SageMaker tells it no schedule."""
    output = {"Outputs": [{"S3Output": {"S3Uri": f"{REPORTS}/merge"}}]}
    return services.ends(status, Environment={}, ProcessingOutputConfig=output, **members)


def test_labels_that_cannot_be_merged_are_a_failure_of_model_quality(services: Services) -> None:
    assert not hear(services, merge(services, "Completed"))
    assert services.measured == []
    assert not hear(services, merge(services, "Failed", FailureReason=EMPTY[1]))
    assert f"{MODEL} failed: AccessDenied" in hear(services, merge(services, "Failed", FailureReason="AccessDenied"))
    assert services.measured[-1]["Dimensions"][0]["Value"] == MODEL


def test_what_somebody_runs_by_hand_alarms_nobody(services: Services) -> None:
    output = {"Outputs": [{"S3Output": {"S3Uri": f"{REPORTS}/e/{DATA}/by-hand/job/merge"}}]}
    assert not hear(services, services.ends("Failed", FailureReason="broken", ProcessingOutputConfig=output))
    assert services.measured == []


def test_an_event_that_comes_twice_or_late_is_not_told(services: Services) -> None:
    early, late = services.judged(drift("age", 0.76)), services.judged(drift("job", 0.2))
    assert hear(services, late)
    measured = list(services.measured)
    assert not hear(services, late)
    assert not hear(services, early)
    assert services.measured == measured


def test_what_could_not_be_told_is_told_when_lambda_tries_again(services: Services) -> None:
    event = services.judged(drift("age", 0.76))
    services.broken = True
    with pytest.raises(ClientError):
        monitor_found.handler(event, None)
    services.broken = False
    assert hear(services, event)


def test_many_violations_are_counted() -> None:
    found = {f"f{number}: baseline_drift_check": "far" for number in range(60)}
    said = monitor_told.lines(found, {})
    assert len(said) == monitor_told.MOST + 1
    assert said[-1] == "and 10 more"
