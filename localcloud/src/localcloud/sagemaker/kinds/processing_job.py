"""Processing jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.jobs.spec import InputSpec, JobSpec, OutputSpec
from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.job_kind import Instances, JobKind, JobType
from localcloud.sagemaker.kinds.jobs import JobRecord, Program
from localcloud.sagemaker.ports import Scope

CREATE: Tree = {
    "ProcessingJobName": ANY,
    "ProcessingInputs": {
        "InputName": ANY,
        "AppManaged": only(False),
        "S3Input": {
            "S3Uri": ANY,
            "LocalPath": ANY,
            "S3DataType": ANY,
            "S3InputMode": only("File"),
            "S3DataDistributionType": ANY,
            "S3CompressionType": only("None"),
        },
    },
    "ProcessingOutputConfig": {
        "Outputs": {
            "OutputName": ANY,
            "AppManaged": only(False),
            "S3Output": {"S3Uri": ANY, "LocalPath": ANY, "S3UploadMode": ANY},
        },
        "KmsKeyId": only(""),
    },
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": ANY, "InstanceType": ANY, "VolumeSizeInGB": ANY},
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
    "AppSpecification": {"ImageUri": ANY, "ContainerEntrypoint": ANY, "ContainerArguments": ANY},
    "Environment": ANY,
    "NetworkConfig": {"EnableNetworkIsolation": ANY, "EnableInterContainerTrafficEncryption": ANY},
    "RoleArn": ANY,
    "Tags": TAGS,
}
#: a processing job without StoppingCondition may run for 24 hours ([K])
_DEFAULT_RUNTIME = 86400
_LOCAL_ROOT = "/opt/ml/processing/"
_TYPE = JobType(
    word="processing",
    noun="ProcessingJob",
    path="processing-job",
    create=CREATE,
    missing=lambda name: errors.validation(f"Could not find requested job with name: {name}"),
)


class ProcessingJobs(JobKind):
    """Create, Describe, List, Stop and Delete of processing jobs."""

    def __init__(self, core: Core) -> None:
        """No jobs yet."""
        super().__init__(core, _TYPE)

    def check(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The model leaves the cluster's members optional; a cluster needs them."""
        del scope
        cluster = asked["ProcessingResources"]["ClusterConfig"]
        if "InstanceType" not in cluster or "InstanceCount" not in cluster:
            raise errors.validation("ClusterConfig must contain InstanceType and InstanceCount.")

    def check_image(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The image has a local runner."""
        del scope
        self._core.backend.check_image(asked["AppSpecification"]["ImageUri"])

    def role_of(self, scope: Scope, asked: Mapping[str, Any]) -> str | None:
        """RoleArn."""
        del scope
        return str(asked["RoleArn"])

    def instances(self, asked: Mapping[str, Any]) -> Instances:
        """ClusterConfig."""
        cluster = asked["ProcessingResources"]["ClusterConfig"]
        return Instances(cluster["InstanceType"], cluster["InstanceCount"])

    def program(self, record: JobRecord) -> Program:
        """The container's entrypoint, in a process of its own."""
        return partial(self._core.backend.start_job, _job_spec(record))

    def describe_record(self, record: JobRecord) -> dict[str, Any]:
        """The request and how far the job is."""
        return {
            "StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME},
            **record.request,
            **_summary(record),
            "ProcessingStartTime": record.started,
        }

    def summary(self, record: JobRecord) -> dict[str, Any]:
        """Name, times, status and how it ended."""
        return _summary(record)


def _job_spec(record: JobRecord) -> JobSpec:
    asked = record.request
    application = asked["AppSpecification"]
    outputs = asked.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return JobSpec(
        kind="processing",
        name=record.name,
        arn=record.arn,
        region=record.scope.region,
        account=record.scope.account,
        role_arn=asked["RoleArn"],
        image=application["ImageUri"],
        entrypoint=application.get("ContainerEntrypoint"),
        arguments=application.get("ContainerArguments", []),
        environment=asked.get("Environment", {}),
        inputs=[_input(item) for item in asked.get("ProcessingInputs", [])],
        outputs=[_output(item) for item in outputs],
        network_isolation=asked.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
        max_runtime_seconds=asked.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME),
        instance_type=record.instance_type,
        instance_count=record.instance_count,
        request=asked,
    )


def _input(item: Mapping[str, Any]) -> InputSpec:
    name = item["InputName"]
    source = item.get("S3Input")
    if source is None:
        raise errors.validation(f"Processing input {name!r} must contain S3Input or DatasetDefinition.")
    return InputSpec(
        name=name,
        s3_uri=source["S3Uri"],
        data_type=source["S3DataType"],
        local_path=_local_path(name, source),
        distribution=source.get("S3DataDistributionType", "FullyReplicated"),
    )


def _output(item: Mapping[str, Any]) -> OutputSpec:
    name = item["OutputName"]
    target = item.get("S3Output")
    if target is None:
        raise errors.validation(f"Processing output {name!r} must contain S3Output or FeatureStoreOutput.")
    return OutputSpec(name, target["S3Uri"], _local_path(name, target), target["S3UploadMode"])


def _local_path(name: str, place: Mapping[str, Any]) -> str:
    """LocalPath, which AWS wants below /opt/ml/processing/ ([B] ProcessingS3Input; text [K])."""
    path = str(place.get("LocalPath", ""))
    if not path.startswith(_LOCAL_ROOT):
        raise errors.validation(f"LocalPath {path!r} of {name!r} must start with {_LOCAL_ROOT}.")
    return path


def _summary(record: JobRecord) -> dict[str, Any]:
    return {
        "ProcessingJobName": record.name,
        "ProcessingJobArn": record.arn,
        "CreationTime": record.created,
        "ProcessingEndTime": record.ended,
        "LastModifiedTime": record.modified,
        "ProcessingJobStatus": record.status,
        "FailureReason": record.failure_reason,
        "ExitMessage": record.outcome.exit_message if record.outcome else None,
    }
