"""The versions of a pipeline: one for each definition, with aliases ([B] UpdatePipeline, UpdatePipelineVersion)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.pipelines.definition import Definition
from localcloud.sagemaker.pipelines.records import PipelineRecord, PipelineVersion


def following(record: PipelineRecord, definition: Definition, aliases: Iterable[str], now: float) -> PipelineVersion:
    """The next version. Hold the lock."""
    number = record.latest.id + 1
    name = f"{record.name}/{number}"
    made = PipelineVersion(record.scope, name, record.arn, {}, now, now, id=number, definition=definition)
    made.aliases, made.sequence = list(aliases), number
    return made


def require_free(record: PipelineRecord, aliases: Iterable[str]) -> None:
    """An alias belongs to one version of a pipeline. Raises ConflictException, text ours. Hold the lock."""
    for alias in aliases:
        holder = next((version for version in record.versions if alias in version.aliases), None)
        if holder:
            raise errors.conflict(f"Alias {alias} belongs to version {holder.id} of pipeline {record.arn}.")


def summary(version: PipelineVersion) -> dict[str, Any]:
    """What lists and descriptions say of a version. Hold the lock."""
    return {
        "PipelineArn": version.arn,
        "PipelineVersionId": version.id,
        "CreationTime": version.created,
        "PipelineVersionDisplayName": version.request.get("PipelineVersionDisplayName"),
        "PipelineVersionDescription": version.request.get("PipelineVersionDescription"),
        "PipelineVersionAliases": list(version.aliases) or None,
        "LastExecutionPipelineExecutionArn": version.last_execution,
    }
