"""Training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.spec import InputSpec, JobSpec
from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.jobs import JobLifecycle, JobRecord
from localcloud.sagemaker.store import Table, tag_map

_CHANNEL: Tree = {
    "ChannelName": ANY,
    "DataSource": {
        "S3DataSource": {
            "S3DataType": only("S3Prefix", "ManifestFile"),
            "S3Uri": ANY,
            "S3DataDistributionType": ANY,
        },
    },
    "ContentType": ANY,
    "CompressionType": only("None"),
    "RecordWrapperType": only("None"),
    "InputMode": only("File", "FastFile"),
}
_CREATE: Tree = {
    "TrainingJobName": ANY,
    "HyperParameters": ANY,
    "AlgorithmSpecification": {
        "TrainingImage": ANY,
        "TrainingInputMode": only("File", "FastFile"),
        "MetricDefinitions": ANY,
        "ContainerEntrypoint": ANY,
        "ContainerArguments": ANY,
        "EnableSageMakerMetricsTimeSeries": only(False),
    },
    "RoleArn": ANY,
    "InputDataConfig": _CHANNEL,
    "OutputDataConfig": {"S3OutputPath": ANY, "CompressionType": only("GZIP"), "KmsKeyId": only("")},
    "ResourceConfig": {
        "InstanceType": ANY,
        "InstanceCount": ANY,
        "VolumeSizeInGB": ANY,
        "KeepAlivePeriodInSeconds": only(0),
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY, "MaxWaitTimeInSeconds": ANY},
    "Tags": TAGS,
    "EnableNetworkIsolation": ANY,
    "EnableInterContainerTrafficEncryption": only(False),
    "EnableManagedSpotTraining": ANY,
    "CheckpointConfig": {"S3Uri": ANY, "LocalPath": ANY},
    "Environment": ANY,
    "ProfilerConfig": {"DisableProfiler": only(True)},
    "RemoteDebugConfig": {"EnableRemoteDebug": only(False)},
}
_NAME: Tree = {"TrainingJobName": ANY}
_RESOURCE = ("training-job", "TrainingJobName")
_LISTING = listing.Listing("TrainingJobSummaries", "Ascending")
#: AWS's default when a request has no StoppingCondition: one day ([B])
_DEFAULT_RUNTIME = 86400


class TrainingJobs:
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob, DeleteTrainingJob."""

    def __init__(self, core: Core) -> None:
        """No jobs yet."""
        self._core = core
        self._table: Table[JobRecord] = Table(core.store)
        self._lifecycle = JobLifecycle(core, self._table, "training")

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateTrainingJob": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeTrainingJob": Operation(self.describe, _NAME, _RESOURCE),
            "ListTrainingJobs": Operation(self.list_page, listing.STATUS_LIST),
            "StopTrainingJob": Operation(self.stop, _NAME, _RESOURCE),
            "DeleteTrainingJob": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Check everything that AWS checks before it answers, then start the job."""
        asked = request.parameters
        _check_algorithm(asked)
        _check_stopping(asked)
        name, scope = request["TrainingJobName"], request.scope
        arn = scope.arn("training-job", name)
        self._core.require_tagging(request, arn)
        self._core.require_role(request, asked["RoleArn"])
        self._core.backend.check_image(asked["AlgorithmSpecification"]["TrainingImage"])
        now = self._core.clock.now()
        resources = asked["ResourceConfig"]
        record = JobRecord(
            scope,
            name,
            arn,
            asked,
            now,
            now,
            tags=tag_map(asked.get("Tags")),
            instance_type=resources["InstanceType"],
            instance_count=resources["InstanceCount"],
            billed_share=1 - durations.SPOT_SAVING if asked.get("EnableManagedSpotTraining") else 1.0,
        )
        self._lifecycle.start(record, _job_spec(record))
        return {"TrainingJobArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request and how far the job is."""
        with self._core.store.lock:
            return _description(self._require(request))

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            records = self._table.of(request.scope)
            return listing.page(request.parameters, records, _LISTING, _summary)

    def stop(self, request: Request) -> dict[str, Any]:
        """SIGTERM, up to 120 s, then Stopped; artefacts are kept."""
        self._lifecycle.stop(self._require(request))
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a finished job; its name is free again afterwards."""
        with self._core.store.lock:
            record = self._require(request)
            self._lifecycle.require_terminal(record, "delete")
            record.status = "Deleting"
            record.modified = self._core.clock.now()
        self._core.clock.call_later(durations.JOB_DELETE, lambda: self._forget(record), kind="settle")
        return {}

    def reset(self) -> None:
        """End what runs and forget every record."""
        self._lifecycle.reset()

    def _forget(self, record: JobRecord) -> None:
        with self._core.store.lock:
            self._table.remove(record)

    def _require(self, request: Request) -> JobRecord:
        record = self._table.get(request.scope, request["TrainingJobName"])
        if record is None:
            raise errors.validation("Requested resource not found.")
        return record


def _check_algorithm(asked: Mapping[str, Any]) -> None:
    """What the service model leaves optional because other kinds of training do without ([K] texts)."""
    if not asked["AlgorithmSpecification"].get("TrainingImage"):
        raise errors.validation("AlgorithmSpecification must contain either TrainingImage or AlgorithmName.")
    missing = {"InstanceType", "InstanceCount", "VolumeSizeInGB"} - set(asked.get("ResourceConfig", {}))
    if missing:
        raise errors.validation(f"ResourceConfig must contain {', '.join(sorted(missing))}.")
    if asked["ResourceConfig"]["InstanceCount"] < 1:
        raise errors.validation("ResourceConfig.InstanceCount must be at least 1.")
    channels = [channel["ChannelName"] for channel in asked.get("InputDataConfig", [])]
    repeated = next((name for name in channels if channels.count(name) > 1), None)
    if repeated:
        raise errors.validation(f"Duplicate channel name {repeated!r} in InputDataConfig.")


def _check_stopping(asked: Mapping[str, Any]) -> None:
    """Spot needs a waiting time that covers the running time ([B] StoppingCondition; texts [K])."""
    condition = asked.get("StoppingCondition", {})
    wait = condition.get("MaxWaitTimeInSeconds")
    if asked.get("EnableManagedSpotTraining"):
        if wait is None or wait < condition.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME):
            raise errors.validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise errors.validation(
            "Invalid MaxWaitTimeInSeconds. It must not be present when EnableManagedSpotTraining is false"
        )


def _job_spec(record: JobRecord) -> JobSpec:
    asked = record.request
    algorithm = asked["AlgorithmSpecification"]
    checkpoint = asked.get("CheckpointConfig")
    return JobSpec(
        kind="training",
        name=record.name,
        arn=record.arn,
        region=record.scope.region,
        account=record.scope.account,
        role_arn=asked["RoleArn"],
        image=algorithm["TrainingImage"],
        entrypoint=algorithm.get("ContainerEntrypoint"),
        arguments=algorithm.get("ContainerArguments", []),
        environment=asked.get("Environment", {}),
        hyperparameters=asked.get("HyperParameters", {}),
        inputs=[_input(channel, algorithm["TrainingInputMode"]) for channel in asked.get("InputDataConfig", [])],
        output_s3=asked["OutputDataConfig"]["S3OutputPath"],
        checkpoint=(checkpoint["S3Uri"], checkpoint.get("LocalPath", "")) if checkpoint else None,
        network_isolation=asked.get("EnableNetworkIsolation", False),
        max_runtime_seconds=asked.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME),
        instance_type=record.instance_type,
        instance_count=record.instance_count,
        metric_definitions=algorithm.get("MetricDefinitions", []),
        request=asked,
    )


def _input(channel: Mapping[str, Any], mode: str) -> InputSpec:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise errors.validation(f"Channel {channel['ChannelName']!r} has no DataSource.")
    return InputSpec(
        name=channel["ChannelName"],
        s3_uri=source["S3Uri"],
        data_type=source["S3DataType"],
        content_type=channel.get("ContentType"),
        distribution=source.get("S3DataDistributionType", "FullyReplicated"),
        mode=channel.get("InputMode", mode),
    )


def _description(record: JobRecord) -> dict[str, Any]:
    outcome = record.outcome
    final = {name: (value, moment) for name, value, moment in outcome.metrics} if outcome else {}
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME},
        **record.request,
        **_summary(record),
        "SecondaryStatusTransitions": record.transitions,
        "FailureReason": record.failure_reason,
        "TrainingStartTime": record.started,
        "TrainingTimeInSeconds": record.running_seconds,
        "BillableTimeInSeconds": record.billable_seconds,
        "ModelArtifacts": ({"S3ModelArtifacts": outcome.artifact_uri} if outcome and outcome.artifact_uri else None),
        "FinalMetricDataList": [
            {"MetricName": name, "Value": value, "Timestamp": moment} for name, (value, moment) in final.items()
        ]
        or None,
    }


def _summary(record: JobRecord) -> dict[str, Any]:
    return {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        "TrainingEndTime": record.ended,
        "LastModifiedTime": record.modified,
        "TrainingJobStatus": record.status,
        "SecondaryStatus": record.secondary,
    }
