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


FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"


def function(name: str, arguments: dict[str, Any], /, **outputs: str) -> dict[str, Any]:
    """A Lambda step; ``outputs`` are names and types."""
    declared = [{"OutputName": output, "OutputType": kind} for output, kind in outputs.items()]
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": FUNCTION,
        "Arguments": arguments,
        "OutputParameters": declared,
    }


def callback(name: str, arguments: dict[str, Any], /, **outputs: str) -> dict[str, Any]:
    """A Callback step."""
    step = {**function(name, arguments, **outputs), "Type": "Callback", "SqsQueueUrl": QUEUE}
    del step["FunctionArn"]
    return step


def quality_check(name: str, **members: Any) -> dict[str, Any]:
    """A QualityCheck step as SDK v3 writes it: explicit nulls included."""
    output = {"S3Uri": "s3://bucket/found/", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    source = {
        "S3Uri": "s3://bucket/rows",
        "LocalPath": "/opt/ml/processing/input/baseline_dataset_input",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    arguments = {
        "ProcessingInputs": [{"InputName": "baseline_dataset_input", "AppManaged": False, "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "monitoring_output", "S3Output": output}]},
        "ProcessingResources": processing("unused")["Arguments"]["ProcessingResources"],
        "AppSpecification": {"ImageUri": IMAGE},
        "Environment": {"output_path": "/opt/ml/processing/output"},
        "RoleArn": ROLE,
    }
    return {
        "Name": name,
        "Type": "QualityCheck",
        "Arguments": {**arguments, **members.pop("Arguments", {})},
        "CheckType": "DATA_QUALITY",
        "ModelPackageGroupName": "group",
        "SkipCheck": False,
        "FailOnViolation": True,
        "RegisterNewBaseline": False,
        "SuppliedBaselineStatistics": None,
        "SuppliedBaselineConstraints": None,
        **members,
    }


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
