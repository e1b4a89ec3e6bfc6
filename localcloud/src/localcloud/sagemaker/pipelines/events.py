"""What EventBridge is told of executions and their steps ([DG] automating-sagemaker-with-eventbridge)."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import events
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.pipelines.records import RUNNING, ExecutionRecord, StepRun
from localcloud.sagemaker.pipelines.summaries import display_name, metadata


def execution_changed(core: Core, record: ExecutionRecord, previous: str | None) -> None:
    """An execution has another status than ``previous`` (None: it has just begun). Hold the lock."""
    detail = {
        "pipelineExecutionDisplayName": display_name(record),
        "currentPipelineExecutionStatus": record.status,
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": events.iso(record.created),
        "executionEndTime": None if record.status in RUNNING else events.iso(record.modified),
        "pipelineExecutionDescription": record.request.get("PipelineExecutionDescription"),
        "pipelineArn": record.pipeline.arn,
        "pipelineExecutionArn": record.arn,
    }
    _announce(core, record, "SageMaker Model Building Pipeline Execution Status Change", detail)


def step_changed(core: Core, record: ExecutionRecord, run: StepRun, previous: str | None) -> None:
    """A step has another status than ``previous`` (None: it has just begun). Hold the lock."""
    detail = {
        "metadata": _camel(metadata(record, run)),
        "stepStartTime": events.iso(run.created),
        "stepEndTime": None if run.ended is None else events.iso(run.ended),
        "stepName": run.name,
        "stepType": record.definition.steps[run.name].type,
        "previousStepStatus": previous,
        "currentStepStatus": run.status,
        "failureReason": run.failure,
        "cacheHitResult": {"sourcePipelineExecutionArn": run.reused} if run.reused else None,
        "pipelineArn": record.pipeline.arn,
        "pipelineExecutionArn": record.arn,
    }
    _announce(core, record, "SageMaker Model Building Pipeline Execution Step Status Change", detail)


def _announce(core: Core, record: ExecutionRecord, detail_type: str, detail: dict[str, Any]) -> None:
    present = {name: value for name, value in detail.items() if value is not None}
    core.announce(record.scope, detail_type, [record.pipeline.arn, record.arn], present)


def _camel(value: Any) -> Any:
    """Members as these events write them: ``processingJob`` instead of ``ProcessingJob``."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
