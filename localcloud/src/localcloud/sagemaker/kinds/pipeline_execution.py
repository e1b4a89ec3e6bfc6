"""Pipeline executions.

Executing -> Succeeded | Failed
          -> Stopping -> Stopped (when the last job has stopped)
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.pipeline import PATH, Pipelines
from localcloud.sagemaker.pipelines import selective
from localcloud.sagemaker.pipelines.definition import Definition
from localcloud.sagemaker.pipelines.engine import Engine
from localcloud.sagemaker.pipelines.events import execution_changed
from localcloud.sagemaker.pipelines.expressions import Unresolvable, resolve, text
from localcloud.sagemaker.pipelines.records import PARALLEL, ExecutionRecord, PipelineRecord
from localcloud.sagemaker.pipelines.summaries import display_name, execution_summary, step_summary
from localcloud.sagemaker.pipelines.values import CallAs, ExecutionValues
from localcloud.sagemaker.store import name_in

_START: Tree = {
    "PipelineName": ANY,
    "PipelineExecutionDisplayName": ANY,
    "PipelineParameters": {"Name": ANY, "Value": ANY},
    "PipelineExecutionDescription": ANY,
    "ClientRequestToken": ANY,
    "ParallelismConfiguration": {"MaxParallelExecutionSteps": ANY},
    "SelectiveExecutionConfig": {"SourcePipelineExecutionArn": ANY, "SelectedSteps": {"StepName": ANY}},
    "PipelineVersionId": ANY,
    "PipelineVersionAlias": ANY,
}
_ARN: Tree = {"PipelineExecutionArn": ANY}
_PARALLEL: Tree = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": ANY}}
_RETRY: Tree = {**_ARN, **_PARALLEL, "ClientRequestToken": ANY}
_UPDATE: Tree = {
    **_ARN,
    **_PARALLEL,
    "PipelineExecutionDescription": ANY,
    "PipelineExecutionDisplayName": ANY,
}
#: what RetryPipelineExecution goes on with
_RETRIED = ("Failed", "Stopped")
_EXECUTION = ("", "PipelineExecutionArn")
_PIPELINE = (PATH, "PipelineName")
_PAGE: Tree = {"NextToken": ANY, "MaxResults": ANY}
_LIST: Tree = {
    **_PAGE,
    "PipelineName": ANY,
    "CreatedAfter": ANY,
    "CreatedBefore": ANY,
    "SortBy": ANY,
    "SortOrder": ANY,
}
_LISTING = listing.Listing(
    "PipelineExecutionSummaries", "Descending", keys={"PipelineExecutionArn": lambda execution: execution.arn}
)
_STEPS = listing.Listing("PipelineExecutionSteps", "Descending")
_ALPHABET = string.ascii_lowercase + string.digits


class PipelineExecutions:
    """StartPipelineExecution, StopPipelineExecution, and what describes and lists executions and their steps."""

    def __init__(self, core: Core, pipelines: Pipelines, call: CallAs) -> None:
        """No executions yet; ``call`` is the service's own API, used as a pipeline's role."""
        self._core = core
        self._pipelines = pipelines
        self._call = call
        self._engine = Engine(core, call, pipelines.executions_of)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        stop: Tree = {**_ARN, "ClientRequestToken": ANY}
        steps: Tree = {**_ARN, **_PAGE, "SortOrder": ANY}
        return {
            "StartPipelineExecution": Operation(self.start, _START, _PIPELINE),
            "StopPipelineExecution": Operation(self.stop, stop, _EXECUTION),
            "RetryPipelineExecution": Operation(self.retry, _RETRY, _EXECUTION),
            "UpdatePipelineExecution": Operation(self.update, _UPDATE, _EXECUTION),
            "DescribePipelineExecution": Operation(self.describe, _ARN, _EXECUTION),
            "ListPipelineExecutions": Operation(self.list_page, _LIST, _PIPELINE),
            "ListPipelineExecutionSteps": Operation(self.list_steps, steps, _EXECUTION),
            "ListPipelineParametersForExecution": Operation(self.list_parameters, {**_ARN, **_PAGE}, _EXECUTION),
            "DescribePipelineDefinitionForExecution": Operation(self.describe_definition, _ARN, _EXECUTION),
            **self._engine.callbacks.operations(),
        }

    def start(self, request: Request) -> dict[str, Any]:
        """Begin; the first steps start after the answer."""
        asked = request.parameters
        now = self._core.clock.now()
        with self._core.store.lock:
            pipeline = self._pipelines.require(request.scope, asked["PipelineName"])
            self._pipelines.require_active(pipeline)
            known = self._of_token(pipeline, asked["ClientRequestToken"])
            if known:
                return {"PipelineExecutionArn": known.arn}
            execution_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
            name = f"{pipeline.name}/execution/{execution_id}"
            version = pipeline.require_version(asked)
            selection = asked.get("SelectiveExecutionConfig")
            record = ExecutionRecord(
                pipeline.scope,
                name,
                pipeline.scope.arn(PATH, name),
                asked,
                now,
                now,
                "Executing",
                pipeline=pipeline,
                id=execution_id,
                definition=version.definition,
                version=version.id,
                parameters=_parameters(pipeline, version.definition, asked.get("PipelineParameters") or []),
                role_arn=pipeline.request["RoleArn"],
                max_parallel=_parallel(pipeline, asked),
            )
            if selection:
                record.selected = selective.selected(record.definition, selection)
                source = self._source(pipeline, selection.get("SourcePipelineExecutionArn"))
                record.runs = selective.taken_over(record.definition, record.selected, source, now)
            version.last_execution = record.arn
            self._pipelines.executions.add(record)
            pipeline.last_run = now
            execution_changed(self._core, record, None)
        self._engine.advance(record)
        return {"PipelineExecutionArn": record.arn}

    def stop(self, request: Request) -> dict[str, Any]:
        """Stopping at once; Stopped when every job that runs has stopped."""
        with self._core.store.lock:
            record = self._require(request)
            if record.status != "Executing":
                raise errors.validation(
                    f"Pipeline execution {record.arn} is in status {record.status}. Only executions that are "
                    "Executing can be stopped."
                )
            self._engine.stop(record)
            return {"PipelineExecutionArn": record.arn}

    def retry(self, request: Request) -> dict[str, Any]:
        """Go on with an execution that failed or was stopped: steps that have succeeded are not run again."""
        asked = request.parameters
        with self._core.store.lock:
            record = self._require(request)
            if record.retried != asked["ClientRequestToken"]:
                self._pipelines.require_active(record.pipeline)
                if record.status not in _RETRIED:
                    raise errors.conflict(
                        f"Pipeline execution {record.arn} is in status {record.status}. Only executions that are "
                        f"{' or '.join(_RETRIED)} can be retried."
                    )
                ending = next((name for name in record.runs if record.definition.steps[name].type == "Fail"), None)
                if ending:  # [DG] build-and-manage-steps-types, Fail step
                    raise errors.conflict(
                        f"Pipeline execution {record.arn} ended with Fail step {ending} and cannot be retried."
                    )
                record.retried = asked["ClientRequestToken"]
                record.max_parallel = _parallel(record.pipeline, asked)
                self._engine.retry(record)
            return {"PipelineExecutionArn": record.arn}

    def update(self, request: Request) -> dict[str, Any]:
        """Another display name, description or number of steps at a time, in any status."""
        asked = request.parameters
        with self._core.store.lock:
            record = self._require(request)
            record.request = {**record.request, **{name: asked[name] for name in _UPDATE if name in asked}}
            if "ParallelismConfiguration" in asked:
                record.max_parallel = _parallel(record.pipeline, asked)
                self._engine.advance(record)
            record.modified = self._core.clock.now()
            return {"PipelineExecutionArn": record.arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """How far an execution is."""
        with self._core.store.lock:
            record = self._require(request)
            return {
                "PipelineArn": record.pipeline.arn,
                "PipelineExecutionArn": record.arn,
                "PipelineExecutionDisplayName": display_name(record),
                "PipelineExecutionStatus": record.status,
                "PipelineExecutionDescription": record.request.get("PipelineExecutionDescription"),
                "PipelineExperimentConfig": self._experiment(record),
                "SelectiveExecutionConfig": record.request.get("SelectiveExecutionConfig"),
                "FailureReason": record.failure,
                "CreationTime": record.created,
                "LastModifiedTime": record.modified,
                "ParallelismConfiguration": {"MaxParallelExecutionSteps": record.max_parallel},
                "PipelineVersionId": record.version,
                "RoleArn": record.role_arn,
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of the executions of a pipeline."""
        with self._core.store.lock:
            pipeline = self._pipelines.require(request.scope, request["PipelineName"])
            found = self._pipelines.executions_of(pipeline)
            return listing.page(request.parameters, found, _LISTING, execution_summary)

    def list_steps(self, request: Request) -> dict[str, Any]:
        """One page of the steps that have begun, the newest first."""
        with self._core.store.lock:
            record = self._require(request)
            return listing.page(
                request.parameters, list(record.runs.values()), _STEPS, lambda run: step_summary(record, run)
            )

    def list_parameters(self, request: Request) -> dict[str, Any]:
        """One page of the parameters, with the values that the execution has."""
        with self._core.store.lock:
            record = self._require(request)
        found = [{"Name": name, "Value": text(value)} for name, value in record.parameters.items()]
        start = int(request.parameters.get("NextToken", "0"))
        end = start + int(request.parameters.get("MaxResults", listing.DEFAULT_PAGE))
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"PipelineParameters": found[start:end], **more}

    def describe_definition(self, request: Request) -> dict[str, Any]:
        """The definition that the execution was started with."""
        with self._core.store.lock:
            record = self._require(request)
            return {"PipelineDefinition": record.definition.text, "CreationTime": record.created}

    def reset(self) -> None:
        """Executions go with their pipelines."""

    def _require(self, request: Request) -> ExecutionRecord:
        arn = request.parameters.get("PipelineExecutionArn", "")
        record = self._pipelines.executions.get(request.scope, name_in(PATH, arn))
        if record is None:
            raise errors.resource_not_found(f"Pipeline execution with ARN {arn} does not exist.")
        return record

    def _of_token(self, pipeline: PipelineRecord, token: str) -> ExecutionRecord | None:
        """The execution that an earlier call with the same token started."""
        executions = self._pipelines.executions_of(pipeline)
        return next((e for e in executions if e.request["ClientRequestToken"] == token), None)

    def _source(self, pipeline: PipelineRecord, arn: str | None) -> ExecutionRecord | None:
        """The execution of the same pipeline that a selective one refers to. Raises ValidationException."""
        if arn is None:
            return None
        found = next((each for each in self._pipelines.executions_of(pipeline) if each.arn == arn), None)
        if found is None:
            raise errors.validation(
                f"Invalid SourcePipelineExecutionArn: {arn} is no execution of pipeline {pipeline.arn}."
            )
        return found

    def _experiment(self, record: ExecutionRecord) -> Any:
        if not record.definition.experiment:
            return None
        try:
            return resolve(record.definition.experiment, ExecutionValues(self._core, self._call, record))
        except (Unresolvable, KeyError):
            return None


def _parallel(pipeline: PipelineRecord, asked: Mapping[str, Any]) -> int:
    """How many steps run at the same time: as the request says, else as the pipeline does."""
    config = asked.get("ParallelismConfiguration", pipeline.request.get("ParallelismConfiguration", {}))
    return int(config.get("MaxParallelExecutionSteps", PARALLEL))


def _parameters(pipeline: PipelineRecord, definition: Definition, given: list[dict[str, str]]) -> dict[str, Any]:
    """Every parameter's value. Raises ValidationException ([K] texts)."""
    known, values = definition.parameters, {entry["Name"]: entry["Value"] for entry in given}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise errors.validation(f"Assignment to unexpected parameters {unknown} in pipeline {pipeline.arn}")
    return {name: parameter.value(values.get(name)) for name, parameter in known.items()}
