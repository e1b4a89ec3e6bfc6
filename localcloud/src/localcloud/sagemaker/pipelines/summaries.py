"""What lists and events say of executions and their steps."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepRun
from localcloud.sagemaker.pipelines.steps import API_STEPS


def display_name(record: ExecutionRecord) -> str:
    """The one given, else ``execution-<milliseconds>`` ([R])."""
    return str(record.request.get("PipelineExecutionDisplayName") or f"execution-{int(record.created * 1000)}")


def execution_summary(record: ExecutionRecord) -> dict[str, Any]:
    """One entry of ListPipelineExecutions."""
    return {
        "PipelineExecutionArn": record.arn,
        "StartTime": record.created,
        "PipelineExecutionStatus": record.status,
        "PipelineExecutionDescription": record.request.get("PipelineExecutionDescription"),
        "PipelineExecutionDisplayName": display_name(record),
        "PipelineExecutionFailureReason": record.failure,
    }


def step_summary(record: ExecutionRecord, run: StepRun) -> dict[str, Any]:
    """One entry of ListPipelineExecutionSteps."""
    step = record.definition.steps[run.name]
    return {
        "StepName": run.name,
        "StepDisplayName": step.display_name,
        "StepDescription": step.description,
        "StartTime": run.created,
        "EndTime": run.ended,
        "StepStatus": run.status,
        "FailureReason": run.failure,
        "Metadata": metadata(record, run),
        "AttemptCount": run.attempts,
        "CacheHitResult": {"SourcePipelineExecutionArn": run.reused} if run.reused else None,
        "SelectiveExecutionResult": {"SourcePipelineExecutionArn": run.taken_from} if run.taken_from else None,
    }


def metadata(record: ExecutionRecord, run: StepRun) -> dict[str, Any]:
    """What a step made, or how it decided, by its type."""
    step = record.definition.steps[run.name]
    if step.type == "Condition" and run.outcome is not None:
        return {"Condition": {"Outcome": str(run.outcome)}}
    if step.type == "Fail":
        return {"Fail": {"ErrorMessage": run.failure}}
    if run.metadata is not None:
        return run.metadata
    if run.made:
        return {API_STEPS[step.type].metadata: {"Arn": run.made}}
    return {}
