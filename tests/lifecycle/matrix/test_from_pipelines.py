"""Situations with pipelines: the environment's own, and those of people whose steps no stop reaches."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import Situation, cases, situation
from tests.lifecycle.pipelines import Piped
from tests.lifecycle.stand import Stand

PIPELINE: Mapping[str, Any] = {"workloads": {"penguins": {"pipeline": True}}}
"""A workload with a pipeline and nothing else: nothing runs until somebody says so."""

LATE = "sandcastle-matrix--users-ada--late"
"""What is made after everything was told to stop. Under a name of the environment's, as its executions have no tags."""

_TRUST = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]},
          "Action": "sts:AssumeRole"}  # fmt: skip
_MAY = {"Effect": "Allow", "NotAction": "logs:CreateLogGroup", "Resource": "*"}
"""Anything, but for what no function of the environment may: it would have a log group that nobody knows of."""

_FUNCTION = textwrap.dedent(
    """
    import boto3, json, time

    def handler(event, context):
        time.sleep(event["seconds"])
        sagemaker = boto3.client("sagemaker")
        for operation, request in json.loads(event["calls"]):
            getattr(sagemaker, operation)(**request)
        return {}
    """
)


def _own(stand: Stand) -> Piped:
    return Piped(stand.cloud, stand.file, "penguins")


@situation("a run of a pipeline prepares its data", settings=PIPELINE, exhaustive=True)
def _run_prepares(stand: Stand) -> None:
    own = _own(stand)
    own.until(own.begin(), "Prepare", "Executing")


@situation("a run of a pipeline trains and tunes", settings=PIPELINE, exhaustive=True)
def _run_trains(stand: Stand) -> None:
    own = _own(stand)
    run = own.begin()
    own.until(run, "Tune", "Executing")
    own.until(run, "Train", "Executing", "Succeeded")


@situation(
    "three runs of a pipeline at the same time, and only results of whole runs are used again",
    settings=PIPELINE,
    switches={"step-cache": "succeeded-executions"},
    exhaustive=True,
)
@situation("three runs of a pipeline at the same time", settings=PIPELINE, exhaustive=True)
def _runs(stand: Stand) -> None:
    own = _own(stand)
    for run in [own.begin(DataVersion=f"version-{number}") for number in range(3)]:
        own.until(run, "Prepare", "Executing", "Succeeded")


@situation("a function of a pipeline deploys what a run has trained", settings=PIPELINE, exhaustive=True)
def _run_deploys(stand: Stand) -> None:
    own = _own(stand)
    own.until(own.begin(), "Deploy", "Executing")


@situation("a pipeline has deployed a model that is monitored", settings=PIPELINE, exhaustive=True)
def _run_over(stand: Stand) -> None:
    own = _own(stand)
    assert own.ended(own.begin()) == "Succeeded"


@situation("a version is approved the moment before", settings=PIPELINE)
def _approved(stand: Stand) -> None:
    """The event is on its way, or its function, or the deployment that it starts."""
    own, bucket = _own(stand), stand.outputs["DataBucket"]
    package = own.sagemaker.create_model_package(
        ModelPackageGroupName=own.outputs["PackageGroup"],
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [
                {
                    "Image": image_uri("sklearn", "us-east-1"),
                    "ModelDataUrl": f"s3://{bucket}/penguins/no-archive.tar.gz",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties={"folder": f"s3://{bucket}/penguins/pipeline/runs/none/EvaluatePlain"},
    )["ModelPackageArn"]
    own.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")


@situation(
    "a function of a pipeline is slow, and makes an endpoint and a schedule when all was told to stop", exhaustive=True
)
def _slow(stand: Stand) -> None:
    bucket = stand.outputs["DataBucket"]
    people.model(stand, LATE)
    variant = {"VariantName": "main", "ModelName": LATE, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": f"s3://{bucket}/capture",
               "CaptureOptions": [{"CaptureMode": "Input"}]}  # fmt: skip
    watched = {"EndpointInput": {"EndpointName": LATE, "LocalPath": "/opt/ml/processing/input"}}
    output = {"S3Output": {"S3Uri": f"s3://{bucket}/monitoring", "LocalPath": "/opt/ml/processing/output"}}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    plan = {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}, "MonitoringJobDefinitionName": LATE,
            "MonitoringType": "DataQuality"}  # fmt: skip
    calls = [
        ("create_endpoint_config",
         {"EndpointConfigName": LATE, "ProductionVariants": [variant], "DataCaptureConfig": capture}),
        ("create_endpoint", {"EndpointName": LATE, "EndpointConfigName": LATE}),
        ("create_data_quality_job_definition",
         {"JobDefinitionName": LATE, "DataQualityAppSpecification": {"ImageUri": image_uri("sklearn", "us-east-1")},
          "DataQualityJobInput": watched, "DataQualityJobOutputConfig": {"MonitoringOutputs": [output]},
          "JobResources": {"ClusterConfig": cluster}, "RoleArn": _role(stand)}),
        ("create_monitoring_schedule", {"MonitoringScheduleName": LATE, "MonitoringScheduleConfig": plan}),
    ]  # fmt: skip
    step = {
        "Name": "Slow",
        "Type": "Lambda",
        "FunctionArn": _function(stand),
        "Arguments": {"seconds": 4, "calls": json.dumps(calls)},
    }
    _executing(stand, step)


@situation("a pipeline waits for an answer that nobody will give", exhaustive=True)
def _unanswered(stand: Stand) -> None:
    queue = stand.client("sqs").create_queue(QueueName="adas-questions")["QueueUrl"]
    _executing(stand, {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}})


def _executing(stand: Stand, step: dict[str, Any]) -> None:
    """Have a pipeline with one step, which executes."""
    sagemaker = stand.client("sagemaker")
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}
    sagemaker.create_pipeline(
        PipelineName=LATE,
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken="0" * 32,
        RoleArn=_role(stand),
        Tags=people.tag_list(stand),
    )
    run = sagemaker.start_pipeline_execution(PipelineName=LATE, ClientRequestToken="1" * 32)["PipelineExecutionArn"]

    def executes() -> bool:
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=run)["PipelineExecutionSteps"]
        return [one["StepStatus"] for one in steps] == ["Executing"]

    stand.cloud.until(executes, "the step")


def _role(stand: Stand) -> str:
    """Return a role of the environment's that may do anything, made once."""
    iam, name = stand.client("iam"), f"{LATE}-role"
    if name not in [one["RoleName"] for one in iam.list_roles()["Roles"]]:
        trust, may = ({"Version": "2012-10-17", "Statement": [one]} for one in (_TRUST, _MAY))
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=stand.tag_list)
        iam.put_role_policy(RoleName=name, PolicyName="anything", PolicyDocument=json.dumps(may))
    arn: str = iam.get_role(RoleName=name)["Role"]["Arn"]
    return arn


def _function(stand: Stand) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("slow.py", _FUNCTION)
    arn: str = stand.client("lambda").create_function(
        FunctionName=LATE, Runtime="python3.13", Handler="slow.handler", Role=_role(stand), Timeout=60,
        Code={"ZipFile": packed.getvalue()}, Tags={"sandcastle:environment": stand.environment},
    )["FunctionArn"]  # fmt: skip
    return arn


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
