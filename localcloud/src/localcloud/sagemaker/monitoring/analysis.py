"""What a monitoring execution runs, whether a job definition or the schedule itself says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, Tree, only

MonitoringType = Literal["DataQuality", "ModelQuality"]

_NETWORK: Tree = {"EnableNetworkIsolation": ANY, "EnableInterContainerTrafficEncryption": only(False)}
_COMMON_INPUT: Tree = {
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
_ENDPOINT_INPUT: Tree = {**_COMMON_INPUT, "EndpointName": ANY}
#: Parquet is not among the formats that the analyzer here reads
_BATCH_INPUT: Tree = {
    **_COMMON_INPUT,
    "DataCapturedDestinationS3Uri": ANY,
    "DatasetFormat": {"Csv": {"Header": ANY}, "Json": {"Line": ANY}},
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
        # labels of batches are not merged: what AWS's merger makes of a manifest is not documented
        f"{monitoring_type}JobInput": {
            "EndpointInput": _ENDPOINT_INPUT,
            **({} if of_model else {"BatchTransformInput": _BATCH_INPUT}),
            **truth,
        },
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
    "MonitoringInputs": {"EndpointInput": _ENDPOINT_INPUT, "BatchTransformInput": _BATCH_INPUT},
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
    """Where requests are found: an endpoint's, and what is left of it when it is gone; or those of transform jobs."""

    #: None: ``destination`` is where transform jobs leave their manifests
    endpoint: str | None
    destination: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """One definition, in the words of the processing job that it becomes."""

    type: MonitoringType
    #: EndpointInput or BatchTransformInput
    data: Mapping[str, Any]
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
            data=data_input(inputs),
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
            data=data_input(asked["MonitoringInputs"][0]),
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

    @property
    def batch(self) -> bool:
        """It looks at what went through transform jobs."""
        return self.source.endpoint is None

    @property
    def dataset_format(self) -> str:
        """The variable of the job; of batches the form of the objects ([DG] model-monitor-byoc-contract-inputs)."""
        if self.batch:
            [(form, options)] = self.data["DatasetFormat"].items()
            said = {name.lower(): value for name, value in options.items()}
            return json.dumps({form.lower(): said}, separators=(",", ":"))
        if self.type == "DataQuality":
            return '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}'
        return '{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}'


def data_input(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """EndpointInput or BatchTransformInput. Raises ValidationException unless there is exactly one ([DG])."""
    given = [inputs[name] for name in ("EndpointInput", "BatchTransformInput") if inputs.get(name) is not None]
    if len(given) != 1:
        raise errors.validation("The job input must contain either EndpointInput or BatchTransformInput.")
    found: Mapping[str, Any] = given[0]
    if "EndpointName" not in found and len(found["DatasetFormat"]) != 1:
        raise errors.validation("DatasetFormat must contain exactly one of Csv, Json and Parquet.")
    return found
