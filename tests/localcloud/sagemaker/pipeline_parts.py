"""Steps of pipeline definitions as SDK v3 writes them."""

from __future__ import annotations

import json
from typing import Any

from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World

PIPELINE_ROLE = "arn:aws:iam::123456789012:role/pipeline"


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def training(name: str, **members: Any) -> dict[str, Any]:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Training", "Arguments": {**arguments, **members.pop("Arguments", {})}, **members}


def tuning(name: str, **config: Any) -> dict[str, Any]:
    """Two trials at a time of a script that logs auc; one hyperparameter, x."""
    definition = training("unused")["Arguments"]
    metric = {"Name": "auc", "Regex": "auc=(.*)"}
    arguments = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
            **config,
        },
        "TrainingJobDefinition": {
            **definition,
            "AlgorithmSpecification": {**definition["AlgorithmSpecification"], "MetricDefinitions": [metric]},
        },
    }
    return {"Name": name, "Type": "Tuning", "Arguments": arguments}


def processing(name: str, **members: Any) -> dict[str, Any]:
    output = {
        "S3Uri": f"s3://bucket/{name}",
        "LocalPath": "/opt/ml/processing/output/report",
        "S3UploadMode": "EndOfJob",
    }
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "AppManaged": False, "S3Output": output}]},
    }
    return {"Name": name, "Type": "Processing", "Arguments": {**arguments, **members.pop("Arguments", {})}, **members}


def fail(name: str, message: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def condition(name: str, conditions: list[Any], yes: list[Any], no: list[Any], **members: Any) -> dict[str, Any]:
    arguments = {"Conditions": conditions, "IfSteps": yes, "ElseSteps": no}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def register(name: str, model_data: Any, **members: Any) -> dict[str, Any]:
    arguments = {
        "ModelPackageGroupName": "group",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model_data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **members}


def document(*steps: dict[str, Any], parameters: Any = ()) -> str:
    """The JSON of a definition."""
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)})


def create(world: World, *steps: dict[str, Any], parameters: Any = (), **members: Any) -> None:
    """Pipeline `pipeline` of these steps."""
    world.call(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=document(*steps, parameters=parameters),
        ClientRequestToken="c" * 32,
        RoleArn=PIPELINE_ROLE,
        **members,
    )
