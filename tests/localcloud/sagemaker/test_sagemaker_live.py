"""A real job and a real endpoint: train, deploy, invoke, capture, update, roll back, delete, read the meter."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.localcloud

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_SECONDS = 30
_HIGH, _LOW = "1,9.0,1.0", "0,1.0,9.0"


@dataclass(frozen=True)
class Trained:
    """What the tests share: a bucket, a role and two models of the same data."""

    bucket: str
    role: str
    model_data: str
    job: dict[str, Any]


def wait_for(read: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Read until it is as wanted."""
    deadline = time.monotonic() + _SECONDS
    while not done(value := read()):
        assert time.monotonic() < deadline, value
        time.sleep(0.02)
    return value


@pytest.fixture(scope="module")
def trained(localcloud: Any) -> Trained:
    """A classifier trained by a training job on two columns: the label is whether the first is the larger."""
    s3, iam, sm = (localcloud.client(name) for name in ("s3", "iam", "sagemaker"))
    bucket = "live-models"
    s3.create_bucket(Bucket=bucket)
    rows = "\n".join([_HIGH, _LOW] * 40) + "\n"
    s3.put_object(Bucket=bucket, Key="data/train/train.csv", Body=rows.encode())
    role = _role(iam, "live-role", bucket)
    sm.create_training_job(
        TrainingJobName="live-training",
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/data/train/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        HyperParameters={"num_round": "2", "objective": "binary:logistic", "eval_metric": "error"},
    )
    job = wait_for(
        lambda: sm.describe_training_job(TrainingJobName="live-training"),
        lambda found: found["TrainingJobStatus"] != "InProgress",
    )
    assert job["TrainingJobStatus"] == "Completed", job
    return Trained(bucket, role, job["ModelArtifacts"]["S3ModelArtifacts"], job)


def _role(iam: Any, name: str, bucket: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = [
        {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        },
    ]
    document = {"Version": "2012-10-17"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({**document, "Statement": [trust]}))[
        "Role"
    ]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps({**document, "Statement": may}))
    return str(arn)


def make_config(sm: Any, trained: Trained, name: str, *, model_data: str = "", environment: Any = None) -> None:
    """A model and a configuration of the same name, capturing everything."""
    sm.create_model(
        ModelName=name,
        ExecutionRoleArn=trained.role,
        PrimaryContainer={
            "Image": XGBOOST,
            "ModelDataUrl": model_data or trained.model_data,
            "Environment": environment or {},
        },
    )
    sm.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{trained.bucket}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )


def settle(sm: Any, name: str) -> dict[str, Any]:
    described: dict[str, Any] = wait_for(
        lambda: sm.describe_endpoint(EndpointName=name),
        lambda found: found["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"),
    )
    return described


@pytest.fixture(scope="module")
def endpoint(localcloud: Any, trained: Trained) -> Iterator[str]:
    """Endpoint `live` InService."""
    sm = localcloud.client("sagemaker")
    make_config(sm, trained, "live-first")
    sm.create_endpoint(EndpointName="live", EndpointConfigName="live-first")
    assert settle(sm, "live")["EndpointStatus"] == "InService"
    yield "live"


def score(runtime: Any, endpoint: str, row: str) -> float:
    reply = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)
    assert reply["InvokedProductionVariant"] == "AllTraffic"
    return float(reply["Body"].read())


def test_the_training_job_really_trained(trained: Trained) -> None:
    steps = [step["Status"] for step in trained.job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert trained.model_data == f"s3://{trained.bucket}/out/live-training/output/model.tar.gz"
    assert {metric["MetricName"] for metric in trained.job["FinalMetricDataList"]} == {"train:error"}
    assert trained.job["TrainingEndTime"] > trained.job["TrainingStartTime"]
    assert 30 < trained.job["TrainingTimeInSeconds"] < 90


def test_the_endpoint_answers_with_the_model(endpoint: str, runtime: Any) -> None:
    assert score(runtime, endpoint, "9.0,1.0") > 0.5 > score(runtime, endpoint, "1.0,9.0")


def test_a_request_that_the_container_refuses(endpoint: str, runtime: Any) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/x-image", Body=b"1")
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 415
    assert response["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_an_endpoint_that_is_not_there(endpoint: str, runtime: Any) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName="nobody", ContentType="text/csv", Body=b"1")
    assert caught.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint nobody of account 000000000000 not found.",
    }


def test_invoking_needs_permission_on_the_endpoint(endpoint: str, localcloud: Any) -> None:
    iam = localcloud.client("iam")
    iam.create_user(UserName="live-caller")
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{endpoint}",
    }
    iam.put_user_policy(
        UserName="live-caller",
        PolicyName="may",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="live-caller")["AccessKey"]
    caller = localcloud.client(
        "sagemaker-runtime", {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"]}
    )
    assert score(caller, endpoint, "9.0,1.0") > 0.5
    with pytest.raises(ClientError) as caught:
        score(caller, "another", "9.0,1.0")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "sagemaker:InvokeEndpoint" in caught.value.response["Error"]["Message"]


def test_what_was_asked_lands_in_s3(endpoint: str, runtime: Any, trained: Trained, localcloud: Any) -> None:
    runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"9.0,1.0", InferenceId="mine")
    localcloud.admin("POST", "clock", {"advance_seconds": 61})
    s3 = localcloud.client("s3")

    def lines() -> list[dict[str, Any]]:
        listed = s3.list_objects_v2(Bucket=trained.bucket, Prefix=f"capture/{endpoint}/AllTraffic/")
        bodies = [s3.get_object(Bucket=trained.bucket, Key=item["Key"]) for item in listed.get("Contents", [])]
        return [json.loads(line) for body in bodies for line in body["Body"].read().decode().splitlines()]

    found = wait_for(lines, lambda lines: any(line["eventMetadata"].get("inferenceId") == "mine" for line in lines))
    mine = next(line for line in found if line["eventMetadata"].get("inferenceId") == "mine")
    assert mine["captureData"]["endpointInput"]["data"] == "9.0,1.0"
    assert float(mine["captureData"]["endpointOutput"]["data"]) > 0.5


def test_invocations_are_counted_in_cloudwatch(endpoint: str, runtime: Any, localcloud: Any) -> None:
    score(runtime, endpoint, "9.0,1.0")
    cloudwatch = localcloud.client("cloudwatch")
    wanted = {"Invocations", "InvocationsPerInstance", "ModelLatency", "OverheadLatency"}
    wanted |= {"Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors"}

    def names() -> set[str]:
        metrics = cloudwatch.list_metrics(
            Namespace="AWS/SageMaker",
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        )["Metrics"]
        return {metric["MetricName"] for metric in metrics}

    assert wait_for(names, lambda found: found >= wanted)


def test_the_server_logs_under_its_role(endpoint: str, localcloud: Any) -> None:
    logs = localcloud.client("logs")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    streams = wait_for(
        lambda: [g["logGroupName"] for g in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]],
        lambda found: group in found,
    )
    assert streams == [group]
    found = wait_for(lambda: logs.describe_log_streams(logGroupName=group)["logStreams"], bool)
    assert found[0]["logStreamName"].startswith("AllTraffic/")


def test_an_update_and_one_that_is_rolled_back(
    endpoint: str, sm: Any, runtime: Any, trained: Trained, localcloud: Any
) -> None:
    make_config(sm, trained, "live-second")
    sm.update_endpoint(EndpointName=endpoint, EndpointConfigName="live-second")
    assert score(runtime, endpoint, "9.0,1.0") > 0.5  # no gap while it is updated
    assert settle(sm, endpoint)["EndpointConfigName"] == "live-second"
    localcloud.client("s3").put_object(Bucket=trained.bucket, Key="broken.tar.gz", Body=b"this is no archive")
    make_config(sm, trained, "live-broken", model_data=f"s3://{trained.bucket}/broken.tar.gz")
    sm.update_endpoint(EndpointName=endpoint, EndpointConfigName="live-broken")
    back = settle(sm, endpoint)
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", "live-second")
    assert back["FailureReason"]
    assert score(runtime, endpoint, "9.0,1.0") > 0.5


def test_after_delete_nothing_runs_and_the_meter_stands_still(
    sm: Any, runtime: Any, trained: Trained, localcloud: Any
) -> None:
    make_config(sm, trained, "gone")
    arn = sm.create_endpoint(EndpointName="gone", EndpointConfigName="gone")["EndpointArn"]
    assert settle(sm, "gone")["EndpointStatus"] == "InService"

    def lines() -> list[dict[str, Any]]:
        readings = localcloud.admin("GET", "meter")["readings"]
        return [line for line in readings if line["arn"].startswith(arn)]

    assert [line["running"] for line in lines()] == [True]
    sm.delete_endpoint(EndpointName="gone")
    [before] = lines()
    sm.get_waiter("endpoint_deleted").wait(EndpointName="gone", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    localcloud.admin("POST", "clock", {"advance_seconds": 86_400})
    [after] = lines()
    assert (after["running"], after["seconds"]) == (False, before["seconds"])
    with pytest.raises(ClientError, match="not found"):
        score(runtime, "gone", "1,2")
