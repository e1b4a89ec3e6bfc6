"""Pipelines: the definition is checked when it comes, kept with its version, and executed by ``pipelines.engine``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.pipelines.definition import parse
from localcloud.sagemaker.pipelines.records import RUNNING, ExecutionRecord, PipelineRecord
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Table, name_in, tag_map

PATH = "pipeline"
_CHANGE: Tree = {
    "PipelineName": ANY,
    "PipelineDisplayName": ANY,
    "PipelineDefinition": ANY,
    "PipelineDescription": ANY,
    "RoleArn": ANY,
    "ParallelismConfiguration": {"MaxParallelExecutionSteps": ANY},
}
_CREATE: Tree = {**_CHANGE, "ClientRequestToken": ANY, "Tags": TAGS}
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
            "UpdatePipeline": Operation(self.update, _CHANGE, _RESOURCE),
            "DescribePipeline": Operation(self.describe, {"PipelineName": ANY}, _RESOURCE),
            "ListPipelines": Operation(self.list_page, _LIST),
            "DeletePipeline": Operation(self.delete, delete, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Active at once; nothing is executed."""
        asked, scope = request.parameters, request.scope
        name = asked["PipelineName"]
        arn = scope.arn(PATH, name)
        if "PipelineDefinition" not in asked:
            raise errors.validation("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        definition = parse(asked["PipelineDefinition"], request.operation)
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
                scope, name, arn, asked, now, now, "Active", tag_map(asked.get("Tags")), definition=definition
            )
            self._table.add(record)
        return {"PipelineArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        """A new version; executions that run keep the definition they were started with ([K])."""
        asked = request.parameters
        definition = parse(asked["PipelineDefinition"], request.operation) if "PipelineDefinition" in asked else None
        if "RoleArn" in asked:
            self._core.require_role(request, asked["RoleArn"])
        with self._core.store.lock:
            record = self._active(request)
            record.request = {**record.request, **asked}
            record.definition = definition or record.definition
            record.version += 1
            record.modified = self._core.clock.now()
            return {"PipelineArn": record.arn, "PipelineVersionId": record.version}

    def describe(self, request: Request) -> dict[str, Any]:
        """The definition as it was given, and when it last ran."""
        with self._core.store.lock:
            record = self.require(request.scope, request["PipelineName"])
            return {
                **record.request,
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

    def _active(self, request: Request) -> PipelineRecord:
        record = self.require(request.scope, request["PipelineName"])
        if record.status != "Active":
            raise errors.conflict(f"Pipeline {record.arn} is in status {record.status}.")
        return record

    def _forget(self, record: PipelineRecord) -> None:
        with self._core.store.lock:
            for execution in self.executions_of(record):
                self.executions.remove(execution)
            self._table.remove(record)


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
