"""Monitoring for real: baselines of the analyzer, schedules over captured traffic, labels, metrics in CloudWatch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop

pytestmark = pytest.mark.localcloud

_ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
_SOURCE, _OUTPUT = "/opt/ml/processing/input/baseline_dataset_input", "/opt/ml/processing/output"
_NAME = "monitoring-live"
_HOUR = 3600
_CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
#: what the endpoint is asked, and whether the first is the larger
_ROWS = [("9,1", 1), ("1,9", 0), ("9.5,1", 1), ("1,9.5", 0), ("12,1", 1), ("0,12", 0)]


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    return Workshop.open(localcloud, _NAME)


@pytest.fixture(scope="module")
def sm(localcloud: Any) -> Any:
    return localcloud.client("sagemaker")


def baseline(localcloud: Any, workshop: Workshop, name: str, table: str, **variables: str) -> str:
    """Run a baselining job to its end: the S3 folder of its files."""
    localcloud.client("s3").put_object(Bucket=workshop.bucket, Key=f"rows/{name}/rows.csv", Body=table.encode())
    folder = f"s3://{workshop.bucket}/baselines/{name}"
    place = {"S3InputMode": "File", "S3DataType": "S3Prefix", "LocalPath": _SOURCE}
    sm = localcloud.client("sagemaker")
    sm.create_processing_job(
        ProcessingJobName=f"{_NAME}-{name}",
        AppSpecification={"ImageUri": _ANALYZER},
        RoleArn=workshop.role,
        ProcessingResources=_CLUSTER,
        ProcessingInputs=[{"InputName": "in", "S3Input": {**place, "S3Uri": f"s3://{workshop.bucket}/rows/{name}/"}}],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {"S3Uri": folder, "LocalPath": _OUTPUT, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        Environment={
            "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
            "dataset_source": _SOURCE,
            "output_path": _OUTPUT,
            "publish_cloudwatch_metrics": "Disabled",
            **variables,
        },
    )
    job = live.wait_for(
        lambda: sm.describe_processing_job(ProcessingJobName=f"{_NAME}-{name}"),
        lambda found: found["ProcessingJobStatus"] != "InProgress",
    )
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "Completed: Job completed successfully with no violations."
    return folder


def define(sm: Any, workshop: Workshop, kind: str, folder: str, **members: Any) -> None:
    """A job definition and an hourly schedule of the same name, Scheduled."""
    files = ("Statistics", "Constraints") if kind == "DataQuality" else ("Constraints",)
    create = getattr(sm, f"create_{'data' if kind == 'DataQuality' else 'model'}_quality_job_definition")
    watched = {"EndpointName": _NAME, "LocalPath": "/opt/ml/processing/input_data"}
    inputs = {key: members.pop(key) for key in ("GroundTruthS3Input",) if key in members}
    output = {"S3Uri": f"s3://{workshop.bucket}/reports", "LocalPath": _OUTPUT}
    create(
        JobDefinitionName=kind,
        **{
            f"{kind}BaselineConfig": {f"{file}Resource": {"S3Uri": f"{folder}/{file.lower()}.json"} for file in files},
            f"{kind}AppSpecification": {"ImageUri": _ANALYZER, **members.pop("application", {})},
            f"{kind}JobInput": {"EndpointInput": {**watched, **members}, **inputs},
            f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        },
        JobResources=_CLUSTER,
        NetworkConfig={"EnableNetworkIsolation": True},
        RoleArn=workshop.role,
    )
    sm.create_monitoring_schedule(
        MonitoringScheduleName=kind,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinitionName": kind,
            "MonitoringType": kind,
        },
    )
    live.wait_for(
        lambda: sm.describe_monitoring_schedule(MonitoringScheduleName=kind)["MonitoringScheduleStatus"],
        lambda status: status == "Scheduled",
    )


def ended(sm: Any, kind: str, fired: float) -> dict[str, Any]:
    """The schedule's execution of this hour, over."""

    def execution() -> dict[str, Any]:
        listed = sm.list_monitoring_executions(MonitoringScheduleName=kind)["MonitoringExecutionSummaries"]
        return next((each for each in listed if each["ScheduledTime"].timestamp() == fired), {})

    found: dict[str, Any] = live.wait_for(
        execution, lambda found: found and found["MonitoringExecutionStatus"] not in ("Pending", "InProgress")
    )
    return found


def report(localcloud: Any, sm: Any, execution: dict[str, Any], name: str) -> Any:
    """A file of an execution's report."""
    job = sm.describe_processing_job(ProcessingJobName=execution["ProcessingJobArn"].rpartition("/")[2])
    folder = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    bucket, _, key = folder.removeprefix("s3://").partition("/")
    return json.load(localcloud.client("s3").get_object(Bucket=bucket, Key=f"{key}/{name}.json")["Body"])


def metric(localcloud: Any, namespace: str, kind: str, name: str, now: datetime) -> dict[str, float]:
    """The newest data point."""
    found = localcloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": "Endpoint", "Value": _NAME}, {"Name": "MonitoringSchedule", "Value": kind}],
        StartTime=now - timedelta(hours=3),
        EndTime=now + timedelta(hours=3),
        Period=3600,
        Statistics=["Maximum", "SampleCount", "Sum"],
    )["Datapoints"]
    assert found, f"no data for {name}"
    newest: dict[str, float] = max(found, key=lambda each: each["Timestamp"])
    return newest


def test_schedules_judge_what_was_captured(localcloud: Any, sm: Any, workshop: Workshop) -> None:
    """Data of another type is a violation, right answers are none, and all of it becomes metrics."""
    workshop.endpoint(localcloud, _NAME)
    known = "score,left,right\n" + "".join(f"0.{n},{1 + n % 9},{9 - n % 9}\n" for n in range(60))
    judged = "probability,label\n" + "0.9,1\n0.1,0\n" * 30
    data = baseline(localcloud, workshop, "data", known)
    quality = baseline(
        localcloud,
        workshop,
        "quality",
        judged,
        analysis_type="MODEL_QUALITY",
        problem_type="BinaryClassification",
        probability_attribute="probability",
        ground_truth_attribute="label",
    )
    define(sm, workshop, "DataQuality", data)
    define(
        sm,
        workshop,
        "ModelQuality",
        quality,
        application={"ProblemType": "BinaryClassification"},
        ProbabilityAttribute="0",
        ProbabilityThresholdAttribute=0.5,
        GroundTruthS3Input={"S3Uri": f"s3://{workshop.bucket}/truth"},
    )
    fired = hour(localcloud, workshop)
    found, judgement = ended(sm, "DataQuality", fired), ended(sm, "ModelQuality", fired)
    assert found["MonitoringExecutionStatus"] == "CompletedWithViolations", found
    violations = report(localcloud, sm, found, "constraint_violations")["violations"]
    assert {(v["feature_name"], v["constraint_check_type"]) for v in violations} >= {
        ("left", "data_type_check"),
        ("right", "data_type_check"),
    }
    assert judgement["MonitoringExecutionStatus"] == "Completed", report(
        localcloud, sm, judgement, "constraint_violations"
    )
    metrics = report(localcloud, sm, judgement, "statistics")["binary_classification_metrics"]
    assert metrics["confusion_matrix"] == {"0": {"0": 3, "1": 0}, "1": {"0": 0, "1": 3}}
    now = datetime.fromtimestamp(localcloud.admin("GET", "clock")["now"], UTC)
    left = metric(localcloud, "aws/sagemaker/Endpoints/data-metrics", "DataQuality", "feature_data_left", now)
    assert (left["Maximum"], left["Sum"], left["SampleCount"]) == (12.0, 32.5, 6.0)
    assert metric(localcloud, "aws/sagemaker/Endpoints/model-metrics", "ModelQuality", "auc", now)["Maximum"] == 1.0


def hour(localcloud: Any, workshop: Workshop) -> float:
    """Traffic, labels for it, and the end of the hour: when the schedules fired, epoch seconds."""
    seconds = localcloud.admin("GET", "clock")["now"] % _HOUR
    if seconds > _HOUR - 600:  # not all of it may come in this hour
        localcloud.admin("POST", "clock", {"advance_seconds": _HOUR - seconds})
    now = localcloud.admin("GET", "clock")["now"]
    runtime = localcloud.client("sagemaker-runtime")
    lines = []
    for number, (row, label) in enumerate(_ROWS):
        name = f"request-{number}"
        runtime.invoke_endpoint(EndpointName=_NAME, ContentType="text/csv", Body=row.encode(), InferenceId=name)
        truth = {"data": str(label), "encoding": "CSV"}
        lines.append(json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": name}, "eventVersion": "0"}))
    key = f"truth/{datetime.fromtimestamp(now, UTC):%Y/%m/%d/%H}/labels.jsonl"
    localcloud.client("s3").put_object(Bucket=workshop.bucket, Key=key, Body="\n".join(lines).encode())
    localcloud.admin("POST", "clock", {"advance_seconds": _HOUR})
    return float(now - now % _HOUR + _HOUR)
