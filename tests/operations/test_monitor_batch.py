"""The monitor of transform jobs as the commands see it: where it is found, and its job by hand on both engines."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from operations.errors import OperationError
from operations.monitor import monitors
from operations.monitor.batch import Batch
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.windows import Window
from operations.target import Target

CAPTURED, REPORTS = "s3://data/bank/transform/captured", "s3://reports/bank/monitoring/reports"
HOUR = datetime(2026, 3, 1, 14, tzinfo=UTC)
WINDOW = Window(HOUR, datetime(2026, 3, 1, 15, tzinfo=UTC), (("input", HOUR),))
OUTPUTS = {
    "EndpointKind": "none",
    "MonitoringEngine": "portable",
    "MonitoringReports": REPORTS,
    "BatchDataQualitySchedule": "s-batch",
}
CALL: dict[str, Any] = {
    "schedule": "s-batch",
    "hours": 24,
    "late": 1,
    "captured": CAPTURED,
    "reports": REPORTS,
    "request": {
        "ProcessingInputs": [{"InputName": "code"}],
        "Environment": {"dataset_source": "/opt/ml/processing/input/batch", "publish_cloudwatch_metrics": "Enabled"},
    },
}
DEFINITION: dict[str, Any] = {
    "DataQualityAppSpecification": {"ImageUri": "image"},
    "DataQualityBaselineConfig": {"ConstraintsResource": {"S3Uri": "s3://reports/b/constraints.json"}},
    "DataQualityJobInput": {
        "BatchTransformInput": {
            "DataCapturedDestinationS3Uri": CAPTURED,
            "DatasetFormat": {"Csv": {"Header": False}},
            "LocalPath": "/opt/ml/processing/input/batch",
            "StartTimeOffset": "-PT25H",
            "EndTimeOffset": "-PT1H",
        }
    },
    "DataQualityJobOutputConfig": {
        "MonitoringOutputs": [{"S3Output": {"S3Uri": REPORTS, "LocalPath": "/opt/ml/processing/output"}}]
    },
    "JobResources": {"ClusterConfig": {"InstanceCount": 1}},
    "RoleArn": "role",
}


class Account:
    """S3, SageMaker and Scheduler with one monitor."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = objects or {}

    def client(self, _service: str) -> Account:
        return self

    def get_paginator(self, name: str) -> Any:
        pages: dict[str, Any] = {"list_objects_v2": self._objects, "list_schedules": self._schedules}
        return type("Pages", (), {"paginate": staticmethod(pages[name])})

    def _objects(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        keys = [
            one.removeprefix(f"s3://{Bucket}/") for one in self.objects if one.startswith(f"s3://{Bucket}/{Prefix}")
        ]
        return [{"Contents": [{"Key": key}]} for key in keys]

    def _schedules(self, NamePrefix: str) -> list[dict[str, Any]]:
        return [{"Schedules": [{"GroupName": "group", "Name": NamePrefix}]}]

    def get_schedule(self, GroupName: str, Name: str) -> dict[str, Any]:
        del GroupName, Name
        return {"Target": {"Input": json.dumps(CALL)}, "ScheduleExpression": "cron(10 0 ? * * *)", "State": "ENABLED"}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[f"s3://{Bucket}/{Key}"])}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def describe_data_quality_job_definition(self, JobDefinitionName: str) -> dict[str, Any]:
        assert JobDefinitionName == "definition"
        return DEFINITION

    def describe_monitoring_schedule(self, MonitoringScheduleName: str) -> dict[str, Any]:
        return {
            "MonitoringScheduleName": MonitoringScheduleName,
            "MonitoringType": "DataQuality",
            "MonitoringScheduleStatus": "Scheduled",
            "MonitoringScheduleConfig": {"MonitoringJobDefinitionName": "definition"},
        }


def watched(account: Account, **outputs: str) -> Watched:
    return Watched(cast(Target, account), "here", "bank", "", {**OUTPUTS, **outputs})


def found(account: Account, engine: str) -> Monitor:
    (monitor,) = watched(account, MonitoringEngine=engine).monitors()
    return monitor


@pytest.mark.parametrize("engine", ["portable", "model-monitor"])
def test_it_is_found_by_the_name_that_the_stack_says(engine: str) -> None:
    monitor = found(Account(), engine)
    assert (monitor.schedule, monitor.word, monitor.engine) == ("s-batch", "batch-data-quality", engine)
    assert (monitor.about, monitor.status) == ("transform jobs", "Scheduled")


@pytest.mark.parametrize("engine", ["portable", "model-monitor"])
def test_a_run_by_hand_reads_one_manifest_of_all_jobs_and_puts_no_metrics(engine: str) -> None:
    account = Account(
        {
            f"{CAPTURED}/input/2026/03/01/14/a.json": b'[{"prefix": "s3://data/one/"}, "x.csv", "y.csv"]',
            f"{CAPTURED}/input/2026/03/01/14/b.json": b'[{"prefix": "s3://data/"}, "two.csv", "one/x.csv"]',
            f"{CAPTURED}/input/2026/03/01/15/c.json": b'[{"prefix": "s3://data/"}, "later.csv"]',
        }
    )
    monitor = found(account, engine)
    batch = Batch.of(watched(account), monitor)
    assert (batch.capture, batch.offsets) == (CAPTURED, ("-PT25H", "-PT1H"))
    (request,) = batch.requests(lambda: "job", WINDOW, [])
    (rows,) = (one["S3Input"] for one in request["ProcessingInputs"] if one["InputName"].startswith("rows"))
    assert (rows["S3DataType"], rows["LocalPath"]) == ("ManifestFile", "/opt/ml/processing/input/batch/1")
    assert rows["S3Uri"].startswith("s3://reports/bank/monitoring/")
    assert json.loads(account.objects[rows["S3Uri"]]) == [
        {"prefix": "s3://data/"}, "one/x.csv", "one/y.csv", "two.csv",
    ]  # fmt: skip
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{REPORTS}/s-batch/by-hand/job"
    told = request["Environment"]
    assert told["publish_cloudwatch_metrics"] == "Disabled"
    assert (told["start_time"], told["end_time"]) == ("2026-03-01T14:00:00Z", "2026-03-01T15:00:00Z")
    assert "sagemaker_endpoint_name" not in told
    if engine == "model-monitor":
        assert told["dataset_format"] == '{"csv": {"header": false}}'
        assert told["baseline_constraints"].endswith("/constraints.json")


def test_what_is_no_manifest_is_named() -> None:
    address = f"{CAPTURED}/input/2026/03/01/14/a.json"
    batch = Batch.of(watched(Account({address: b"rows"})), found(Account(), "portable"))
    with pytest.raises(OperationError, match=f"{address} is no manifest"):
        batch.requests(lambda: "job", WINDOW, [])
    assert "sandcastle transform bank --capture --environment here" in batch.silent


def test_without_a_real_time_endpoint_there_has_to_be_a_monitor_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    target = cast(Target, Account())
    for kind in ("none", "serverless"):
        outputs = {**OUTPUTS, "EndpointKind": kind, "EndpointName": "e"}
        monkeypatch.setattr(monitors, "model_outputs", lambda *_, found=outputs: found)
        assert Watched.find(target, "here", "bank").endpoint == ""
        del outputs["BatchDataQualitySchedule"]
        with pytest.raises(OperationError, match="endpoint"):
            Watched.find(target, "here", "bank")
