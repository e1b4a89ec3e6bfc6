"""The genuine SDK v3 monitors: suggests baselines, makes schedules, reads statistics and violations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.sagemaker.live import Workshop, wait_for
from tests.localcloud.sdk.environment import Genuine

pytestmark = pytest.mark.exhaustive

_HOUR = 3600
_CLUSTER: dict[str, Any] = {"instance_count": 1, "instance_type": "ml.m5.large", "volume_size_in_gb": 20}


def test_default_and_model_quality_monitors(genuine: Genuine) -> None:
    from sagemaker.core.model_monitor import (
        CronExpressionGenerator,
        DefaultModelMonitor,
        EndpointInput,
        ModelQualityMonitor,
    )
    from sagemaker.core.model_monitor.dataset_format import DatasetFormat

    workshop = Workshop.open(genuine.localcloud, "sdk-monitoring")
    endpoint = workshop.endpoint(genuine.localcloud, "sdk-monitoring")
    known = "score,left,right\n" + "".join(f"0.{n},{1 + n % 9},{9 - n % 9}\n" for n in range(60))
    data = DefaultModelMonitor(
        role=workshop.role, max_runtime_in_seconds=1800, sagemaker_session=genuine.session, **_CLUSTER
    )
    data.suggest_baseline(
        baseline_dataset=genuine.put("monitoring/known/rows.csv", known.encode()),
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{genuine.bucket}/monitoring/data",
        wait=True,
        logs=False,
    )
    assert data.baseline_statistics().body_dict["dataset"]["item_count"] == 60
    assert [f["name"] for f in data.suggested_constraints().body_dict["features"]] == ["score", "left", "right"]

    quality = ModelQualityMonitor(
        role=workshop.role, max_runtime_in_seconds=1800, sagemaker_session=genuine.session, **_CLUSTER
    )
    judged = genuine.put("monitoring/judged/rows.csv", ("probability,label\n" + "0.9,1\n0.1,0\n" * 30).encode())
    quality.suggest_baseline(
        baseline_dataset=judged,
        dataset_format=DatasetFormat.csv(header=True),
        problem_type="BinaryClassification",
        probability_attribute="probability",
        ground_truth_attribute="label",
        output_s3_uri=f"s3://{genuine.bucket}/monitoring/quality",
        wait=True,
        logs=False,
    )
    assert (
        quality.latest_baselining_job.baseline_statistics().body_dict["binary_classification_metrics"]["auc"]["value"]
        == 1.0
    )

    watched = "/opt/ml/processing/input_data"
    data.create_monitoring_schedule(
        monitor_schedule_name="sdk-data",
        endpoint_input=EndpointInput(endpoint_name=endpoint, destination=watched),
        output_s3_uri=f"s3://{genuine.bucket}/monitoring/reports",
        statistics=data.baseline_statistics(),
        constraints=data.suggested_constraints(),
        schedule_cron_expression=CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    quality.create_monitoring_schedule(
        monitor_schedule_name="sdk-quality",
        endpoint_input=EndpointInput(
            endpoint_name=endpoint, destination=watched, probability_attribute="0", probability_threshold_attribute=0.5
        ),
        ground_truth_input=f"s3://{genuine.bucket}/monitoring/truth",
        problem_type="BinaryClassification",
        output_s3_uri=f"s3://{genuine.bucket}/monitoring/reports",
        constraints=quality.suggested_constraints(),
        schedule_cron_expression=CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    for monitor in (data, quality):
        wait_for(lambda: monitor.describe_schedule()["MonitoringScheduleStatus"], lambda found: found == "Scheduled")  # noqa: B023 - called at once
    genuine.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"9.5,1")
    genuine.localcloud.admin("POST", "clock", {"advance_seconds": _HOUR})

    def over(monitor: Any) -> bool:
        found = monitor.describe_schedule().get("LastMonitoringExecutionSummary", {})
        return found.get("MonitoringExecutionStatus", "Pending") not in ("Pending", "InProgress")

    wait_for(lambda: over(data) and over(quality), bool)
    found = data.latest_monitoring_constraint_violations().body_dict["violations"]
    assert {each["constraint_check_type"] for each in found} == {"data_type_check"}
    assert data.latest_monitoring_statistics().body_dict["dataset"]["item_count"] == 1
    # nobody has said what was true
    [summary] = quality.list_executions()
    assert "No S3 objects found" in summary.describe()["FailureReason"]
