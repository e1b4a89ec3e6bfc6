"""Pipelines: the definition is checked when it comes, kept as a version, and executed by ``pipelines.engine``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.pipelines import versions
from localcloud.sagemaker.pipelines.definition import Definition, parse
from localcloud.sagemaker.pipelines.records import RUNNING, ExecutionRecord, PipelineRecord, PipelineVersion
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Table, name_in, tag_map

PATH = "pipeline"
_CHANGE: Tree = {
    "PipelineName": ANY,
    "PipelineDisplayName": ANY,
    "PipelineDefinition": ANY,
    "PipelineDefinitionS3Location": {"Bucket": ANY, "ObjectKey": ANY},
    "PipelineDescription": ANY,
    "RoleArn": ANY,
    "ParallelismConfiguration": {"MaxParallelExecutionSteps": ANY},
}
_CREATE: Tree = {**_CHANGE, "ClientRequestToken": ANY, "Tags": TAGS}
_UPDATE: Tree = {**_CHANGE, "PipelineVersionAliases": ANY}
_DESCRIBE: Tree = {"PipelineName": ANY, "PipelineVersionId": ANY, "PipelineVersionAlias": ANY}
#: members that a pipeline's versions have, and not the pipeline
_OF_VERSIONS = frozenset({"PipelineDefinition", "PipelineDefinitionS3Location", "PipelineVersionAliases"})
_RESOURCE = (PATH, "PipelineName")
_LIST: Tree = {
    "PipelineNamePrefix": ANY,
    "CreatedAfter": ANY,
    "CreatedBefore": ANY,
    "SortBy": ANY,
    "SortOrder": ANY,
    "NextToken": ANY,
    "MaxResults": ANY,
}
_LISTING = listing.Listing("PipelineSummaries", "Descending")


class Pipelines:
    """Create, Update, Describe, List and Delete of pipelines."""

    def __init__(self, core: Core) -> None:
        """No pipelines yet."""
        self._core = core
        self._table: Table[PipelineRecord] = Table(core.store)
        #: executions by ``<pipeline>/execution/<id>``; they go with their pipeline
        self.executions: Table[ExecutionRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        delete: Tree = {"PipelineName": ANY, "ClientRequestToken": ANY}
        return {
            "CreatePipeline": Operation(self.create, _CREATE, _RESOURCE),
            "UpdatePipeline": Operation(self.update, _UPDATE, _RESOURCE),
            "DescribePipeline": Operation(self.describe, _DESCRIBE, _RESOURCE),
            "ListPipelines": Operation(self.list_page, _LIST),
            "DeletePipeline": Operation(self.delete, delete, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Active at once; nothing is executed."""
        asked, scope = request.parameters, request.scope
        name = asked["PipelineName"]
        arn = scope.arn(PATH, name)
        definition = self._definition(request, asked["RoleArn"])
        if definition is None:
            raise errors.validation("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        self._core.require_tagging(request, arn)
        self._core.require_role(request, asked["RoleArn"])
        now = self._core.clock.now()
        with self._core.store.lock:
            known = self._table.get(scope, name)
            if known and known.request["ClientRequestToken"] == asked["ClientRequestToken"]:
                return {"PipelineArn": arn}
            if known:
                raise errors.validation(f"Pipeline names must be unique within an AWS account and region: {arn}")
            record = PipelineRecord(
                scope,
                name,
                arn,
                _without_definition(asked),
                now,
                now,
                "Active",
                tag_map(asked.get("Tags")),
                versions=[PipelineVersion(scope, f"{name}/1", arn, {}, now, now, id=1, definition=definition)],
            )
            self._table.add(record)
        return {"PipelineArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Another definition is a new version; executions that run keep the one they were started with ([K])."""
        asked = request.parameters
        with self._core.store.lock:
            role = asked.get("RoleArn", self.require(request.scope, asked["PipelineName"]).request["RoleArn"])
        definition = self._definition(request, role)
        if "RoleArn" in asked:
            self._core.require_role(request, asked["RoleArn"])
        with self._core.store.lock:
            record = self.require(request.scope, asked["PipelineName"])
            self.require_active(record)
            aliases, now = asked.get("PipelineVersionAliases", []), self._core.clock.now()
            if definition is not None and definition.text != record.latest.definition.text:
                versions.require_free(record, aliases)
                record.versions.append(versions.following(record, definition, aliases, now))
            elif aliases:
                raise errors.validation("PipelineVersionAliases can be specified only with another definition.")
            record.request = {**record.request, **_without_definition(asked)}
            record.modified = now
            return {"PipelineArn": record.arn, "PipelineVersionId": record.latest.id}

    def describe(self, request: Request) -> dict[str, Any]:
        """The definition of a version as it was given, and when the pipeline last ran."""
        with self._core.store.lock:
            record = self.require(request.scope, request["PipelineName"])
            version = record.require_version(request.parameters)
            return {
                **record.request,
                **versions.summary(version),
                "PipelineDefinition": version.definition.text,
                "PipelineArn": record.arn,
                "PipelineStatus": record.status,
                "CreationTime": record.created,
                "LastModifiedTime": record.modified,
                "LastRunTime": record.last_run,
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        prefix = request.parameters.get("PipelineNamePrefix", "")
        with self._core.store.lock:
            found = [record for record in self._table.of(request.scope) if record.name.startswith(prefix)]
            return listing.page(request.parameters, found, _LISTING, _summary)

    def delete(self, request: Request) -> dict[str, Any]:
        """The pipeline and the record of every execution; refused while one runs ([R] code and text)."""
        with self._core.store.lock:
            record = self.require(request.scope, request["PipelineName"])
            if record.status == "Deleting":
                return {"PipelineArn": record.arn}
            if any(execution.status in RUNNING for execution in self.executions_of(record)):
                raise errors.validation("Pipelines with running executions cannot be deleted.")
            record.status = "Deleting"
            record.modified = self._core.clock.now()
            self._core.clock.call_later(durations.PIPELINE_DELETE, partial(self._forget, record), kind="settle")
            return {"PipelineArn": record.arn}

    def require(self, scope: Scope, name: str) -> PipelineRecord:
        """The pipeline of this name or ARN. Raises ResourceNotFound when there is none ([R] the text)."""
        short = name_in(PATH, name)
        record = self._table.get(scope, short)
        if record is None:
            raise errors.resource_not_found(f"Pipeline '{scope.arn(PATH, short)}' does not exist.")
        return record

    def executions_of(self, pipeline: PipelineRecord) -> list[ExecutionRecord]:
        """Every execution of a pipeline, oldest first; hold the lock."""
        return [e for e in self.executions.of(pipeline.scope) if e.pipeline is pipeline]

    def reset(self) -> None:
        """Forget every record; jobs end with their own kind."""
        with self._core.store.lock:
            for execution in self.executions.all():
                execution.status = "Stopped"
            self.executions.clear()
            self._table.clear()

    def require_active(self, record: PipelineRecord) -> None:
        """Raises ConflictException for a pipeline that is being deleted."""
        if record.status != "Active":
            raise errors.conflict(f"Pipeline {record.arn} is in status {record.status}.")

    def _definition(self, request: Request, role: str) -> Definition | None:
        """The definition that a request brings or, as the pipeline's role, leads to; None: it does neither.

        Raises ValidationException. Hold no lock.
        """
        asked = request.parameters
        text, place = asked.get("PipelineDefinition"), asked.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            raise errors.validation(
                "Only one of Pipeline Definition and Pipeline Definition S3 location should be provided"
            )
        if place is not None:
            uri = f"s3://{place['Bucket']}/{place['ObjectKey']}"
            try:
                text = self._core.backend.get_object(request.scope, role, uri).decode()
            except (RuntimeError, UnicodeDecodeError) as reason:
                raise errors.validation(f"Unable to read the pipeline definition {uri}: {reason}") from None
        return None if text is None else parse(text, request.operation)

    def _forget(self, record: PipelineRecord) -> None:
        with self._core.store.lock:
            for execution in self.executions_of(record):
                self.executions.remove(execution)
            self._table.remove(record)


def _without_definition(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in asked.items() if member not in _OF_VERSIONS}


def _summary(record: PipelineRecord) -> dict[str, Any]:
    return {
        "PipelineArn": record.arn,
        "PipelineName": record.name,
        "PipelineDisplayName": record.request.get("PipelineDisplayName", record.name),
        "PipelineDescription": record.request.get("PipelineDescription"),
        "RoleArn": record.request["RoleArn"],
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "LastExecutionTime": record.last_run,
    }
