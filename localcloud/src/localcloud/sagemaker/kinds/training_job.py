"""Training jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from localcloud.jobs.spec import InputSpec, JobOutcome, JobSpec
from localcloud.sagemaker import durations, errors, listing, quotas
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.job_kind import Instances, JobKind, JobType
from localcloud.sagemaker.kinds.jobs import JobRecord, Program
from localcloud.sagemaker.kinds.spot import Interruptions
from localcloud.sagemaker.kinds.warm_pools import WarmPools
from localcloud.sagemaker.ports import Job, Scope

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
CREATE: Tree = {
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
    "OutputDataConfig": {"S3OutputPath": ANY, "CompressionType": ANY, "KmsKeyId": only("")},
    "ResourceConfig": {
        "InstanceType": ANY,
        "InstanceCount": ANY,
        "VolumeSizeInGB": ANY,
        "KeepAlivePeriodInSeconds": ANY,
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY, "MaxWaitTimeInSeconds": ANY},
    "Tags": TAGS,
    "EnableNetworkIsolation": ANY,
    # nothing to encrypt: what hosts send each other stays in the kernel
    "EnableInterContainerTrafficEncryption": ANY,
    "EnableManagedSpotTraining": ANY,
    "CheckpointConfig": {"S3Uri": ANY, "LocalPath": ANY},
    "Environment": ANY,
    "RetryStrategy": {"MaximumRetryAttempts": ANY},
    "ProfilerConfig": {"DisableProfiler": only(True)},
    "RemoteDebugConfig": {"EnableRemoteDebug": only(False)},
}
_UPDATE: Tree = {"TrainingJobName": ANY, "ResourceConfig": {"KeepAlivePeriodInSeconds": ANY}}
_LIST: Tree = {**listing.STATUS_LIST, "WarmPoolStatusEquals": ANY}
#: AWS's default when a request has no StoppingCondition: one day ([B])
_DEFAULT_RUNTIME = 86400
#: algorithms that keep no checkpoints, and the longest that a spot job of theirs may wait, seconds ([DG]
#: model-checkpoints: otherwise an interruption would waste too much)
_WITHOUT_CHECKPOINTS = ("linear-learner", "kmeans")
_WAIT_WITHOUT_CHECKPOINTS = 3600
_TYPE = JobType(
    word="training",
    noun="TrainingJob",
    path="training-job",
    create=CREATE,
    missing=lambda _name: errors.validation("Requested resource not found."),
    deleting=durations.JOB_DELETE,
)


class TrainingJobs(JobKind):
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, Stop-, Update- and DeleteTrainingJob."""

    def __init__(self, core: Core) -> None:
        """No jobs yet."""
        super().__init__(core, _TYPE)
        self._pools = WarmPools(core, self._table)
        self.interruptions = Interruptions(core, self._table)

    def operations(self) -> Mapping[str, Operation]:
        """Every job's, and what warm pools add."""
        resource = ("training-job", "TrainingJobName")
        return {
            **super().operations(),
            "ListTrainingJobs": Operation(self.list_page, _LIST),
            "UpdateTrainingJob": Operation(self.update, _UPDATE, resource),
        }

    def check(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """Algorithm, instances, channels, spot."""
        del scope
        _check_algorithm(asked)
        _check_stopping(asked)
        if asked.get("EnableManagedSpotTraining") and asked["ResourceConfig"].get("KeepAlivePeriodInSeconds"):
            # [DG] "cannot be used with spot instances"; text [K]
            raise errors.validation("KeepAlivePeriodInSeconds cannot be used with managed spot training.")

    def check_image(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The training image has a local runner."""
        del scope
        self._core.backend.check_image(asked["AlgorithmSpecification"]["TrainingImage"])

    def role_of(self, scope: Scope, asked: Mapping[str, Any]) -> str | None:
        """RoleArn."""
        del scope
        return str(asked["RoleArn"])

    def instances(self, asked: Mapping[str, Any]) -> Instances:
        """ResourceConfig; spot is billed in part."""
        resources = asked["ResourceConfig"]
        instances = Instances(resources["InstanceType"], resources["InstanceCount"])
        if not asked.get("EnableManagedSpotTraining"):
            return instances
        wait = float(asked["StoppingCondition"]["MaxWaitTimeInSeconds"])
        return replace(instances, billed_share=1 - durations.SPOT_SAVING, max_wait=wait)

    def retries(self, asked: Mapping[str, Any]) -> int:
        """RetryStrategy."""
        return int(asked.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0))

    def takes(self, record: JobRecord) -> dict[str, float]:
        """Spot instances have quotas of their own; the total counts both."""
        use = "spot training job" if record.request.get("EnableManagedSpotTraining") else "training job"
        return {
            quotas.instances(record.instance_type, use): record.instance_count,
            "Number of instances across all training jobs": record.instance_count,
        }

    def enter(self, record: JobRecord) -> float:
        """Instances of a warm pool when one fits, else new ones."""
        return self._pools.enter(record, self.takes(record))

    def launch(self, scope: Scope, asked: dict[str, Any], started_by: Mapping[str, str] | None = None) -> JobRecord:
        """As every job; its instances may stay as a warm pool."""
        record = super().launch(scope, asked, started_by)
        self._core.store.watch(record, lambda: self._pools.ended(record, self.takes(record)))
        return record

    def update(self, request: Request) -> dict[str, Any]:
        """Change how long the warm pool stays; 0 ends it."""
        with self._core.store.lock:
            record = self.require(request.scope, request["TrainingJobName"])
            seconds = request.parameters.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds")
            if seconds is not None:
                self._pools.update(record, seconds)
        return {"TrainingJobArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a finished job that retains no warm pool."""
        with self._core.store.lock:
            self._pools.require_none(self.require(request.scope, request["TrainingJobName"]))
            return super().delete(request)

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries, of jobs in one status of warm pool when asked."""
        wanted = request.parameters.get("WarmPoolStatusEquals")
        with self._core.store.lock:
            records = self._table.of(request.scope)
            if wanted:
                records = [record for record in records if self._pools.status(record) == wanted]
            return listing.page(request.parameters, records, self._listing, self.summary)

    def reset(self) -> None:
        """End what runs and forget every record."""
        self._pools.reset()
        self.interruptions.reset()
        super().reset()

    def program(self, record: JobRecord) -> Program:
        """The algorithm, in a process of its own for each host; a later attempt has the time that is left."""
        spec = _job_spec(record)

        def start(on_status: Callable[[str, str], None], on_done: Callable[[JobOutcome], None]) -> Job:
            left = max(1, spec.max_runtime_seconds - int(record.attempts.ran))
            attempt = replace(spec, max_runtime_seconds=left, max_wait_seconds=record.attempts.wait_left)
            job = self._core.backend.start_job(attempt, on_status, on_done)
            self.interruptions.started(record, job)
            return job

        return start

    def describe_record(self, record: JobRecord) -> dict[str, Any]:
        """The request, the transitions, the model and the final metrics."""
        return {**_description(record), "WarmPoolStatus": self._pools.describe(record)}

    def summary(self, record: JobRecord) -> dict[str, Any]:
        """Name, times, status and warm pool."""
        return {**_summary(record), "WarmPoolStatus": self._pools.describe(record)}


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
    """Spot needs a waiting time that covers the running time ([B] StoppingCondition; texts [K], the last one [R])."""
    condition = asked.get("StoppingCondition", {})
    wait = condition.get("MaxWaitTimeInSeconds")
    if asked.get("EnableManagedSpotTraining"):
        if wait is None or wait < condition.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME):
            raise errors.validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
        algorithm = _repository(asked["AlgorithmSpecification"]["TrainingImage"])
        if wait > _WAIT_WITHOUT_CHECKPOINTS and algorithm in _WITHOUT_CHECKPOINTS:
            raise errors.validation(
                f"Invalid MaxWaitTimeInSeconds. It must not be greater than {_WAIT_WITHOUT_CHECKPOINTS} for the "
                f"algorithm {algorithm}, which does not support checkpoints"
            )
    elif wait is not None:
        raise errors.validation(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )


def _repository(image: str) -> str:
    """What an image is called in its registry."""
    return re.split("[:@]", image.rsplit("/", 1)[-1])[0]


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
        compress_output=asked["OutputDataConfig"].get("CompressionType") != "NONE",
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
