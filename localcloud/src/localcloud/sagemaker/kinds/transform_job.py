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
from localcloud.sagemaker.transform.payloads import MB
from localcloud.sagemaker.transform.work import GROUP, Plan, TransformWork

_CREATE: Tree = {
    "TransformJobName": ANY,
    "ModelName": ANY,
    "MaxConcurrentTransforms": ANY,
    "MaxPayloadInMB": ANY,
    "BatchStrategy": ANY,
    "Environment": ANY,
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": only("S3Prefix"), "S3Uri": ANY}},
        "ContentType": ANY,
        "CompressionType": only("None"),
        "SplitType": only("None", "Line"),
    },
    "TransformOutput": {"S3OutputPath": ANY, "Accept": ANY, "AssembleWith": ANY, "KmsKeyId": only("")},
    "TransformResources": {"InstanceType": ANY, "InstanceCount": only(1)},
    "DataProcessing": {"InputFilter": only("$"), "OutputFilter": only("$"), "JoinSource": only("None")},
    "Tags": TAGS,
}
#: the defaults, and the most that payload and concurrency may come to together, in MB ([B], facts containers 1.4)
_PAYLOAD, _STRATEGY, _MOST = 6, "MultiRecord", 100
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
            target=target["S3OutputPath"],
            headers={name: value for name, value in headers.items() if value},
            split_type=source.get("SplitType", "None"),
            strategy=asked.get("BatchStrategy", _STRATEGY),
            assemble_with=target.get("AssembleWith", "None"),
            payload_limit=asked.get("MaxPayloadInMB", _PAYLOAD) * MB,
            concurrency=max(asked.get("MaxConcurrentTransforms", 1), 1),
        )


def _environment(asked: Mapping[str, Any]) -> dict[str, str]:
    """What a server is told about the batch; the last three only when the caller says them (facts containers 1.4)."""
    told = {
        "SAGEMAKER_BATCH_STRATEGY": _TOLD.get(asked.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": asked.get("MaxPayloadInMB"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": asked.get("MaxConcurrentTransforms"),
    }
    said = {name: str(value) for name, value in told.items() if value is not None}
    return {"SAGEMAKER_BATCH": "true", **said, **asked.get("Environment", {})}
