"""What a monitoring execution runs, whether a job definition or the schedule itself says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.sagemaker.api.supported import ANY, Tree, only

MonitoringType = Literal["DataQuality", "ModelQuality"]

_NETWORK: Tree = {"EnableNetworkIsolation": ANY, "EnableInterContainerTrafficEncryption": only(False)}
_ENDPOINT_INPUT: Tree = {
    "EndpointName": ANY,
    "LocalPath": ANY,
    "S3InputMode": only("File"),
    "S3DataDistributionType": only("FullyReplicated"),
    "FeaturesAttribute": ANY,
    "InferenceAttribute": ANY,
    "ProbabilityAttribute": ANY,
    "ProbabilityThresholdAttribute": ANY,
    "StartTimeOffset": ANY,
    "EndTimeOffset": ANY,
    "ExcludeFeaturesAttribute": ANY,
}
_BASELINE: Tree = {
    "BaseliningJobName": ANY,
    "ConstraintsResource": {"S3Uri": ANY},
}
_APPLICATION: Tree = {
    "ImageUri": ANY,
    "ContainerEntrypoint": ANY,
    "ContainerArguments": ANY,
    "RecordPreprocessorSourceUri": ANY,
    "PostAnalyticsProcessorSourceUri": ANY,
}
_OUTPUT: Tree = {
    "MonitoringOutputs": {"S3Output": {"S3Uri": ANY, "LocalPath": ANY, "S3UploadMode": ANY}},
    "KmsKeyId": only(""),
}
_RESOURCES: Tree = {"ClusterConfig": {"InstanceCount": ANY, "InstanceType": ANY, "VolumeSizeInGB": ANY}}


def definition_tree(monitoring_type: MonitoringType) -> Tree:
    """What CreateXxxJobDefinition honours."""
    of_model = monitoring_type == "ModelQuality"
    problem: Tree = {"ProblemType": ANY} if of_model else {}
    truth: Tree = {"GroundTruthS3Input": {"S3Uri": ANY}} if of_model else {}
    statistics: Tree = {} if of_model else {"StatisticsResource": {"S3Uri": ANY}}
    return {
        "JobDefinitionName": ANY,
        f"{monitoring_type}BaselineConfig": {**_BASELINE, **statistics},
        f"{monitoring_type}AppSpecification": {**_APPLICATION, "Environment": ANY, **problem},
        f"{monitoring_type}JobInput": {"EndpointInput": _ENDPOINT_INPUT, **truth},
        f"{monitoring_type}JobOutputConfig": _OUTPUT,
        "JobResources": _RESOURCES,
        "NetworkConfig": _NETWORK,
        "RoleArn": ANY,
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
        "Tags": {"Key": ANY, "Value": ANY},
    }


#: MonitoringJobDefinition: a definition inside the schedule
INLINE: Tree = {
    "BaselineConfig": {**_BASELINE, "StatisticsResource": {"S3Uri": ANY}},
    "MonitoringInputs": {"EndpointInput": _ENDPOINT_INPUT},
    "MonitoringOutputConfig": _OUTPUT,
    "MonitoringResources": _RESOURCES,
    "MonitoringAppSpecification": _APPLICATION,
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
    "Environment": ANY,
    "NetworkConfig": _NETWORK,
    "RoleArn": ANY,
}


@dataclass(frozen=True)
class CaptureSource:
    """Where an endpoint's requests are found: what is left of it when the endpoint is gone."""

    endpoint: str
    destination: str
    variants: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """One definition, in the words of the processing job that it becomes."""

    type: MonitoringType
    endpoint_input: Mapping[str, Any]
    application: Mapping[str, Any]
    environment: Mapping[str, str]
    baseline: Mapping[str, Any]
    output: Mapping[str, Any]
    cluster: Mapping[str, Any]
    network: Mapping[str, Any]
    role_arn: str
    max_runtime: int | None
    source: CaptureSource
    #: of a model quality analysis: ProblemType, and the S3 URI below which labels come by the hour
    problem_type: str | None = None
    ground_truth: str | None = None

    @classmethod
    def of_definition(cls, kind: MonitoringType, asked: Mapping[str, Any], source: CaptureSource) -> Analysis:
        """From the request that made a job definition."""
        application = asked[f"{kind}AppSpecification"]
        inputs = asked[f"{kind}JobInput"]
        return cls(
            type=kind,
            endpoint_input=inputs["EndpointInput"],
            application=application,
            environment=application.get("Environment", {}),
            baseline=asked.get(f"{kind}BaselineConfig", {}),
            output=asked[f"{kind}JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"],
            cluster=asked["JobResources"]["ClusterConfig"],
            network=asked.get("NetworkConfig", {}),
            role_arn=asked["RoleArn"],
            max_runtime=asked.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
            source=source,
            problem_type=application.get("ProblemType"),
            ground_truth=inputs.get("GroundTruthS3Input", {}).get("S3Uri"),
        )

    @classmethod
    def of_inline(cls, kind: MonitoringType, asked: Mapping[str, Any], source: CaptureSource) -> Analysis:
        """From the MonitoringJobDefinition of a schedule."""
        return cls(
            type=kind,
            endpoint_input=asked["MonitoringInputs"][0]["EndpointInput"],
            application=asked["MonitoringAppSpecification"],
            environment=asked.get("Environment", {}),
            baseline=asked.get("BaselineConfig", {}),
            output=asked["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"],
            cluster=asked["MonitoringResources"]["ClusterConfig"],
            network=asked.get("NetworkConfig", {}),
            role_arn=asked["RoleArn"],
            max_runtime=asked.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
            source=source,
        )
