"""Situations with things made at run time: jobs, tuning, pipelines, schedules, endpoints, packages, warm pools."""

from __future__ import annotations

import json

import pytest

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import Situation, cases, situation
from tests.lifecycle.stand import Stand


@situation("a processing job runs", exhaustive=True)
def _processing(stand: Stand) -> None:
    people.processing(stand, "adas-processing")


@situation("a training job runs", exhaustive=True)
def _training(stand: Stand) -> None:
    people.training(stand, "adas-training")


@situation("a finished training keeps its instances warm", exhaustive=True)
def _warm_pool(stand: Stand) -> None:
    stand.cloud.post("quotas", {"ml.m5.large for training warm pool usage": 4})
    people.training(stand, "adas-warm", rounds=2, KeepAlivePeriodInSeconds=3600)
    sagemaker = stand.client("sagemaker")

    def available() -> bool:
        job = sagemaker.describe_training_job(TrainingJobName="adas-warm")
        return bool(job.get("WarmPoolStatus", {}).get("Status") == "Available")

    stand.cloud.until(available, "the warm pool")


@situation("a tuning job runs", exhaustive=True)
def _tuning(stand: Stand) -> None:
    request = people.training_request(stand, rounds=100_000)
    hyperparameters = request.pop("HyperParameters")
    request["AlgorithmSpecification"] = {
        **request["AlgorithmSpecification"],
        "MetricDefinitions": [],
    }
    stand.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="adas-tuning",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}],
            },
        },
        TrainingJobDefinition={
            **{key: value for key, value in request.items() if key != "AlgorithmSpecification"},
            "AlgorithmSpecification": {key: value for key, value in request["AlgorithmSpecification"].items() if value},
            "StaticHyperParameters": hyperparameters,
        },
        Tags=people.tag_list(stand),
    )
    sagemaker = stand.client("sagemaker")
    stand.cloud.until(
        lambda: sagemaker.list_training_jobs(NameContains="adas-tuning")["TrainingJobSummaries"],
        "a child of the tuning",
    )


@situation("a batch transform runs", exhaustive=True)
def _transform(stand: Stand) -> None:
    people.model(stand, "adas-model")
    rows = "".join(f"{index},{index % 7}\n" for index in range(20_000))
    for part in range(40):
        people.upload(stand, f"batch/{part}.csv", rows.encode())
    bucket = stand.outputs["DataBucket"]
    stand.client("sagemaker").create_transform_job(
        TransformJobName="adas-transform",
        ModelName="adas-model",
        TransformInput={
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/users/{people.USER}/batch/"}
            },
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/users/{people.USER}/batch-out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        Tags=people.tag_list(stand),
    )


def _pipeline(stand: Stand, seconds: int) -> None:
    step = {
        "Name": "Wait",
        "Type": "Processing",
        "Arguments": {
            "RoleArn": people.role(stand),
            "AppSpecification": {
                "ImageUri": image_uri("sklearn", "us-east-1"),
                "ContainerEntrypoint": ["python3", "-c", f"import time; time.sleep({seconds})"],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        },
    }
    stand.client("sagemaker").create_pipeline(
        PipelineName="adas-pipeline",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}),
        ClientRequestToken="0" * 32,
        RoleArn=people.role(stand),
        Tags=people.tag_list(stand),
    )


@situation("a pipeline executes", exhaustive=True)
def _pipeline_executing(stand: Stand) -> None:
    _pipeline(stand, 600)
    sagemaker = stand.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName="adas-pipeline", ClientRequestToken="1" * 32)[
        "PipelineExecutionArn"
    ]
    stand.cloud.until(
        lambda: sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"], "a step"
    )


@situation("a pipeline is there, and nothing of it runs", exhaustive=True)
def _pipeline_idle(stand: Stand) -> None:
    _pipeline(stand, 1)


@situation("packages are registered in a group", exhaustive=True)
def _packages(stand: Stand) -> None:
    sagemaker = stand.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="adas-models", Tags=people.tag_list(stand))
    url = people.upload(stand, "model.tar.gz", b"an archive")
    for _ in range(3):
        sagemaker.create_model_package(
            ModelPackageGroupName="adas-models",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": image_uri("xgboost", "us-east-1"), "ModelDataUrl": url}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


WATCHED = "sandcastle-matrix--users-ada-watched"
"""Under a name of the environment's: the logs of an endpoint that is gone have nothing else that leads back to it."""


def _schedule(stand: Stand, seconds: int) -> None:
    people.endpoint(stand, WATCHED, captured=True)
    people.ask(stand, WATCHED)
    bucket = stand.outputs["DataBucket"]
    name = "adas-quality"
    sagemaker = stand.client("sagemaker")
    sagemaker.create_data_quality_job_definition(
        JobDefinitionName=name,
        DataQualityAppSpecification={
            "ImageUri": image_uri("sklearn", "us-east-1"),
            "ContainerEntrypoint": ["python3", "-c", f"import time; time.sleep({seconds})"],
        },
        DataQualityJobInput={"EndpointInput": {"EndpointName": WATCHED, "LocalPath": "/opt/ml/processing/input"}},
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [
                {
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/users/{people.USER}/monitoring",
                        "LocalPath": "/opt/ml/processing/output",
                    }
                }
            ]
        },
        JobResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
        RoleArn=people.role(stand),
        Tags=people.tag_list(stand),
    )
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinitionName": name,
            "MonitoringType": "DataQuality",
        },
        Tags=people.tag_list(stand),
    )


@situation("a monitoring schedule is pending", exhaustive=True, settle=1.0)
def _schedule_pending(stand: Stand) -> None:
    stand.cloud.post("clock", {"settle_seconds": 0.02})
    people.endpoint(stand, "warm-up")
    stand.cloud.post("clock", {"settle_seconds": 1.0})
    _schedule(stand, 600)


@situation(
    "a monitoring schedule executes, and is still read after it is deleted",
    exhaustive=True,
    switches={"schedule-delete-read": "stale"},
)
@situation(
    "a monitoring schedule executes, and its definition says otherwise",
    exhaustive=True,
    switches={"job-definition-lock": "in-use"},
)
@situation(
    "a monitoring schedule executes jobs with its tags", exhaustive=True, switches={"monitoring-job-tags": "schedule"}
)
@situation("a monitoring schedule executes", exhaustive=True)
def _schedule_executing(stand: Stand) -> None:
    _schedule(stand, 600)
    sagemaker = stand.client("sagemaker")

    def scheduled() -> bool:
        status = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="adas-quality")
        return bool(status["MonitoringScheduleStatus"] == "Scheduled")

    stand.cloud.until(scheduled, "the schedule")
    stand.cloud.advance(2 * 3600)
    stand.cloud.until(
        lambda: sagemaker.list_monitoring_executions(MonitoringScheduleName="adas-quality")[
            "MonitoringExecutionSummaries"
        ],
        "an execution",
    )


@situation("a monitoring schedule outlived its endpoint", exhaustive=True)
def _schedule_leaked(stand: Stand) -> None:
    _schedule(stand, 1)
    sagemaker = stand.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=WATCHED)
    stand.cloud.until(lambda: not sagemaker.list_endpoints(NameContains=WATCHED)["Endpoints"], "the endpoint to go")


@situation("an endpoint from a notebook answers")
def _endpoint(stand: Stand) -> None:
    people.endpoint(stand, "adas-endpoint")


@situation("an endpoint is being created", exhaustive=True, settle=2.0)
def _endpoint_creating(stand: Stand) -> None:
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    people.endpoint(stand, "adas-endpoint", wait=False)


@situation("an endpoint is being updated", exhaustive=True, settle=2.0)
def _endpoint_updating(stand: Stand) -> None:
    people.endpoint(stand, "adas-endpoint")
    people.config(stand, "adas-next", "adas-endpoint")
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    stand.client("sagemaker").update_endpoint(EndpointName="adas-endpoint", EndpointConfigName="adas-next")


@situation("SageMaker itself is updating an endpoint", exhaustive=True, settle=2.0)
def _endpoint_system_updating(stand: Stand) -> None:
    people.endpoint(stand, "adas-endpoint")
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    stand.cloud.post("endpoint", {"name": "adas-endpoint", "status": "SystemUpdating", "seconds": 300})


@situation("an endpoint failed to start", exhaustive=True)
def _endpoint_failed(stand: Stand) -> None:
    sagemaker = stand.client("sagemaker")
    url = people.upload(stand, "broken.tar.gz", b"no archive")
    sagemaker.create_model(
        ModelName="adas-broken",
        ExecutionRoleArn=people.role(stand),
        PrimaryContainer={"Image": image_uri("xgboost", "us-east-1"), "ModelDataUrl": url},
        Tags=people.tag_list(stand),
    )
    people.config(stand, "adas-broken", "adas-broken")
    sagemaker.create_endpoint(EndpointName="adas-broken", EndpointConfigName="adas-broken", Tags=people.tag_list(stand))
    stand.cloud.until(
        lambda: sagemaker.describe_endpoint(EndpointName="adas-broken")["EndpointStatus"] == "Failed", "the failure"
    )


@situation("an endpoint is scaled by its load", exhaustive=True)
def _endpoint_scaled(stand: Stand) -> None:
    people.endpoint(stand, "adas-endpoint")
    scaling = stand.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/adas-endpoint/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **target,
        PolicyName="adas-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 100.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )


@situation("a config and a model were deleted under a running endpoint", exhaustive=True)
def _endpoint_without_config(stand: Stand) -> None:
    people.endpoint(stand, "adas-endpoint")
    sagemaker = stand.client("sagemaker")
    sagemaker.delete_endpoint_config(EndpointConfigName="adas-endpoint")
    sagemaker.delete_model(ModelName="adas-endpoint")


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
