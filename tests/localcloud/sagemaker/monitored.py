"""What a monitoring schedule needs before it can be made, and the requests that make one."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World

HOURLY = "cron(0 * ? * * *)"


def endpoint(world: World, name: str = "watched", capture: bool = True) -> None:
    """An endpoint InService that captures to s3://bucket/capture."""
    world.call("CreateModel", ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=[variant],
        DataCaptureConfig={
            "EnableCapture": capture,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://bucket/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    world.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    world.clock.advance(durations.ENDPOINT_CREATE)
    world.wait_until(lambda: world.call("DescribeEndpoint", EndpointName=name)["EndpointStatus"] == "InService")


def definition(kind: str = "DataQuality", endpoint_name: str = "watched", **members: Any) -> dict[str, Any]:
    truth = {"GroundTruthS3Input": {"S3Uri": "s3://bucket/truth"}} if kind == "ModelQuality" else {}
    return {
        "JobDefinitionName": "definition",
        f"{kind}AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
        f"{kind}JobInput": {
            "EndpointInput": {"EndpointName": endpoint_name, "LocalPath": "/opt/ml/processing/input/endpoint"},
            **truth,
        },
        f"{kind}JobOutputConfig": {
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": "s3://bucket/reports", "LocalPath": "/opt/ml/processing/output"}}
            ]
        },
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
        "RoleArn": ROLE,
        **members,
    }


def schedule(expression: str = HOURLY, kind: str = "DataQuality", **timing: str) -> dict[str, Any]:
    return {
        "MonitoringScheduleName": "schedule",
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": expression, **timing},
            "MonitoringJobDefinitionName": "definition",
            "MonitoringType": kind,
        },
    }
