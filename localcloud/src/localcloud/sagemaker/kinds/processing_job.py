"""Processing jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.spec import InputSpec, JobSpec, OutputSpec
from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.jobs import JobLifecycle, JobRecord
from localcloud.sagemaker.store import Table, tag_map

_CREATE: Tree = {
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
    "NetworkConfig": {"EnableNetworkIsolation": ANY, "EnableInterContainerTrafficEncryption": only(False)},
    "RoleArn": ANY,
    "Tags": TAGS,
}
_NAME: Tree = {"ProcessingJobName": ANY}
_RESOURCE = ("processing-job", "ProcessingJobName")
_LISTING = listing.Listing("ProcessingJobSummaries", "Ascending")
#: a processing job without StoppingCondition may run for 24 hours ([K])
_DEFAULT_RUNTIME = 86400
_LOCAL_ROOT = "/opt/ml/processing/"


class ProcessingJobs:
    """Create, Describe, List, Stop and Delete of processing jobs."""

    def __init__(self, core: Core) -> None:
        """No jobs yet."""
        self._core = core
        self._table: Table[JobRecord] = Table(core.store)
        self._lifecycle = JobLifecycle(core, self._table, "processing")

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateProcessingJob": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeProcessingJob": Operation(self.describe, _NAME, _RESOURCE),
            "ListProcessingJobs": Operation(self.list_page, listing.STATUS_LIST),
            "StopProcessingJob": Operation(self.stop, _NAME, _RESOURCE),
            "DeleteProcessingJob": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Check everything that AWS checks before it answers, then start the job."""
        asked = request.parameters
        name, scope = request["ProcessingJobName"], request.scope
        arn = scope.arn("processing-job", name)
        cluster = asked["ProcessingResources"]["ClusterConfig"]
        if "InstanceType" not in cluster or "InstanceCount" not in cluster:
            raise errors.validation("ClusterConfig must contain InstanceType and InstanceCount.")
        self._core.require_tagging(request, arn)
        self._core.require_role(request, asked["RoleArn"])
        self._core.backend.check_image(asked["AppSpecification"]["ImageUri"])
        now = self._core.clock.now()
        record = JobRecord(
            scope,
            name,
            arn,
            asked,
            now,
            now,
            tags=tag_map(asked.get("Tags")),
            instance_type=cluster["InstanceType"],
            instance_count=cluster["InstanceCount"],
        )
        self._lifecycle.start(record, _job_spec(record))
        return {"ProcessingJobArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request and how far the job is."""
        with self._core.store.lock:
            record = self._require(request)
            return {
                "StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME},
                **record.request,
                **_summary(record),
                "ProcessingStartTime": record.started,
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            records = self._table.of(request.scope)
            return listing.page(request.parameters, records, _LISTING, _summary)

    def stop(self, request: Request) -> dict[str, Any]:
        """SIGTERM, then Stopped."""
        self._lifecycle.stop(self._require(request))
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a finished job; its name is free again afterwards."""
        with self._core.store.lock:
            record = self._require(request)
            self._lifecycle.require_terminal(record, "delete")
            self._table.remove(record)
        return {}

    def reset(self) -> None:
        """End what runs and forget every record."""
        self._lifecycle.reset()

    def _require(self, request: Request) -> JobRecord:
        name = request["ProcessingJobName"]
        record = self._table.get(request.scope, name)
        if record is None:
            raise errors.validation(f"Could not find requested job with name: {name}")
        return record


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
