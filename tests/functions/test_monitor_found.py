"""What people are told of a monitor's run: feature and distance, and nothing of a run that found nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import monitor_found
import pytest

DRIFT = {
    "feature_name": "age",
    "constraint_check_type": "baseline_drift_check",
    "description": "Baseline drift distance: 0.76 exceeds threshold: 0.1",
}


class Services:
    """S3 with one report, and a topic."""

    def __init__(self, violations: list[dict[str, Any]]) -> None:
        self.violations, self.told, self.read = violations, list[dict[str, Any]](), list[tuple[str, str]]()

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        self.read.append((Bucket, Key))
        return {"Body": io.BytesIO(json.dumps({"violations": self.violations}).encode())}

    def publish(self, **message: Any) -> None:
        self.told.append(message)


def call(monkeypatch: pytest.MonkeyPatch, services: Services, message: str) -> str:
    for key, value in (("ENVIRONMENT", "a"), ("WORKLOAD", "bank"), ("TOPIC_ARN", "topic")):
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(monitor_found, "client", lambda _: services)
    job = {
        "ExitMessage": message,
        "Environment": {"sagemaker_monitoring_schedule_name": "s-data"},
        "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://r/bank/monitoring/reports/e/s/1"}}]},
    }
    return monitor_found.handler({"detail": job}, None)


def test_the_feature_and_its_distance_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services([DRIFT])
    said = call(monkeypatch, services, "CompletedWithViolations: Job completed successfully with 1 violations.")
    assert services.read == [("r", "bank/monitoring/reports/e/s/1/constraint_violations.json")]
    assert "age: baseline_drift_check: Baseline drift distance: 0.76 exceeds threshold: 0.1" in said
    assert services.told[0]["Message"] == said
    assert "bank" in services.told[0]["Subject"]


@pytest.mark.parametrize("message", ["Completed: Job completed successfully with no violations.", ""])
def test_a_run_that_found_nothing_is_not_told(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    services = Services([])
    assert call(monkeypatch, services, message) == ""
    assert services.told == []


def test_many_violations_are_counted() -> None:
    said = monitor_found.text("bank", "s", "s3://r", [DRIFT] * 60)
    assert said.count("age:") == 50
    assert "and 10 more" in said
