"""Batch transform jobs: a model's server for the time of the job, every object of a prefix through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.job_kind import Instances, JobKind, JobType
from localcloud.sagemaker.kinds.jobs import JobRecord, Program
from localcloud.sagemaker.kinds.model import Models, container_of, model_data
from localcloud.sagemaker.ports import Job, Scope, VariantSpec
from localcloud.sagemaker.transform.capture import BatchCapture
from localcloud.sagemaker.transform.processing import Processing
from localcloud.sagemaker.transform.work import GROUP, Plan, TransformWork

_CREATE: Tree = {
    "TransformJobName": ANY,
    "ModelName": ANY,
    "MaxConcurrentTransforms": ANY,
    "MaxPayloadInMB": ANY,
    "BatchStrategy": ANY,
    "Environment": ANY,
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": only("S3Prefix", "ManifestFile"), "S3Uri": ANY}},
        "ContentType": ANY,
        "CompressionType": ANY,
        "SplitType": ANY,
    },
    "TransformOutput": {"S3OutputPath": ANY, "Accept": ANY, "AssembleWith": ANY, "KmsKeyId": ANY},
    "TransformResources": {"InstanceType": ANY, "InstanceCount": ANY, "VolumeKmsKeyId": only("")},
    "DataProcessing": {"InputFilter": ANY, "OutputFilter": ANY, "JoinSource": ANY},
    "ModelClientConfig": {"InvocationsTimeoutInSeconds": ANY, "InvocationsMaxRetries": ANY},
    "DataCaptureConfig": {"DestinationS3Uri": ANY, "KmsKeyId": ANY, "GenerateInferenceId": ANY},
    "Tags": TAGS,
}
#: the default payload, and the most that payload and concurrency may come to together, MB (facts containers 1.4)
_PAYLOAD, _MOST = 6, 100
#: seconds, and times that an invocation which fails is repeated ([B] ModelClientConfig)
_TIMEOUT, _RETRIES = 600, 3
#: BatchStrategy -> how the server is told
_TOLD = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}


def _missing(name: str) -> errors.ServiceError:
    return errors.resource_not_found(f"Could not find requested job with name: {name}")


_TYPE = JobType(
    word="transform",
    noun="TransformJob",
    path="transform-job",
    create=_CREATE,
    missing=_missing,
    deleting=None,
    order="Descending",
)


class TransformJobs(JobKind):
    """Create, Describe, List and Stop of transform jobs; there is no delete."""

    def __init__(self, core: Core, models: Models) -> None:
        """No jobs yet; ``models`` are what they serve."""
        super().__init__(core, _TYPE)
        self._models = models

    def check(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The model exists, and requests are not too large. Raises ValidationException ([R] the first text)."""
        self._models.require(scope, asked["ModelName"])
        payload, concurrency = asked.get("MaxPayloadInMB", _PAYLOAD), asked.get("MaxConcurrentTransforms", 0)
        if payload > _MOST or payload * max(concurrency, 1) > _MOST:
            raise errors.validation(f"MaxPayloadInMB * MaxConcurrentTransforms must not be greater than {_MOST} MB.")
        source, target = asked["TransformInput"], asked["TransformOutput"]
        try:
            processing = Processing.of(asked.get("DataProcessing", {}), source.get("ContentType"))
        except ValueError as reason:
            raise errors.validation(f"DataProcessing is not valid: {reason}.") from None
        split = source.get("SplitType", "None")
        if processing and split in ("RecordIO", "TFRecord"):
            raise errors.validation(f"DataProcessing is not supported with SplitType {split}.")
        if processing and processing.join and (split == "Line") != (target.get("AssembleWith", "None") == "Line"):
            # [DG] batch-transform-data-processing: joined records are put together as they were taken apart
            raise errors.validation("JoinSource Input needs AssembleWith Line with SplitType Line, and None with None.")
        try:
            _capture(asked, moment=0.0)
        except ValueError as reason:
            raise errors.validation(f"DataCaptureConfig is not valid: {reason}.") from None

    def check_image(self, scope: Scope, asked: Mapping[str, Any]) -> None:
        """The model's image was looked at when the model was made."""

    def role_of(self, scope: Scope, asked: Mapping[str, Any]) -> str | None:
        """None: the job runs under the model's role, which was passed when the model was made."""
        del scope, asked
        return None

    def instances(self, asked: Mapping[str, Any]) -> Instances:
        """TransformResources."""
        resources = asked["TransformResources"]
        return Instances(resources["InstanceType"], resources["InstanceCount"])

    def program(self, record: JobRecord) -> Program:
        """The model's server and everything through it; the container is the model's of now."""
        return partial(self._begin, record, self._plan(record))

    def describe_record(self, record: JobRecord) -> dict[str, Any]:
        """The request and how far the job is."""
        return {**record.request, **self.summary(record), "TransformStartTime": record.started}

    def summary(self, record: JobRecord) -> dict[str, Any]:
        """Name, times, status and reason."""
        return {
            "TransformJobName": record.name,
            "TransformJobArn": record.arn,
            "CreationTime": record.created,
            "TransformEndTime": record.ended,
            "LastModifiedTime": record.modified,
            "TransformJobStatus": record.status,
            "FailureReason": record.failure_reason,
        }

    def _begin(
        self,
        record: JobRecord,
        plan: Plan,
        _on_status: Callable[[str, str], None],
        on_done: Callable[[JobOutcome], None],
    ) -> Job:
        work = TransformWork(self._core.backend, plan, partial(self._model_exists, record), on_done)
        work.begin()
        return work

    def _model_exists(self, record: JobRecord) -> bool:
        with self._core.store.lock:
            return self._models.find(record.scope, record.request["ModelName"]) is not None

    def _plan(self, record: JobRecord) -> Plan:
        asked = record.request
        found = self._models.require(record.scope, asked["ModelName"])
        model, container = found.request, container_of(found)
        source, target = asked["TransformInput"], asked["TransformOutput"]
        client = asked.get("ModelClientConfig", {})
        headers = {"content-type": source.get("ContentType"), "accept": target.get("Accept")}
        return Plan(
            scope=record.scope,
            name=record.name,
            container=VariantSpec(
                endpoint=record.name,
                variant=record.name,
                image=container["Image"],
                model_data_url=model_data(container),
                environment={**container.get("Environment", {}), **_environment(asked)},
                role_arn=model["ExecutionRoleArn"],
                network_isolation=model.get("EnableNetworkIsolation", False),
                log_group=GROUP,
            ),
            source=source["DataSource"]["S3DataSource"]["S3Uri"],
            manifest=source["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile",
            gzip=source.get("CompressionType") == "Gzip",
            target=target["S3OutputPath"],
            kms_key=target.get("KmsKeyId", ""),
            headers={name: value for name, value in headers.items() if value},
            split_type=source.get("SplitType", "None"),
            processing=Processing.of(asked.get("DataProcessing", {}), source.get("ContentType")),
            assemble_with=target.get("AssembleWith", "None"),
            capture=_capture(asked, record.created),
            strategy=asked.get("BatchStrategy"),
            payload_mb=asked.get("MaxPayloadInMB"),
            concurrency=asked.get("MaxConcurrentTransforms") or None,  # 0: let SageMaker decide ([B])
            timeout=client.get("InvocationsTimeoutInSeconds", _TIMEOUT),
            retries=client.get("InvocationsMaxRetries", _RETRIES),
        )


def _capture(asked: Mapping[str, Any], moment: float) -> BatchCapture | None:
    """What is captured; raises ValueError. A joined output has the form of the input, any other that of Accept."""
    source, target = asked["TransformInput"], asked["TransformOutput"]
    joined = asked.get("DataProcessing", {}).get("JoinSource") == "Input"
    output_type = "" if joined else target.get("Accept", "")
    return BatchCapture.of(asked.get("DataCaptureConfig"), output_type or source.get("ContentType", ""), moment)


def _environment(asked: Mapping[str, Any]) -> dict[str, str]:
    """What a server is told about the batch; the last three only when the caller says them (facts containers 1.4)."""
    told = {
        "SAGEMAKER_BATCH_STRATEGY": _TOLD.get(asked.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": asked.get("MaxPayloadInMB"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": asked.get("MaxConcurrentTransforms"),
    }
    said = {name: str(value) for name, value in told.items() if value is not None}
    return {"SAGEMAKER_BATCH": "true", **said, **asked.get("Environment", {})}
