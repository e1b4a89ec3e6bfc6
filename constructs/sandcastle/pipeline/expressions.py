"""Expressions of a pipeline: what SageMaker works out when it runs. Plain data.

Documented on AWS's pages "Pipeline parameters", "Pass data between steps" (JsonGet) and "Pipelines steps" (properties);
how they look in the definition is what the SDK writes (``sagemaker.core.workflow``), which a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandcastle.processing_request import Value

Expression = Mapping[str, Any]

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"

EXECUTION_ID = {GET: "Execution.PipelineExecutionId"}
"""The twelve letters and digits that tell one run of a pipeline from all others."""

VARIABLES = frozenset(
    {"CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId", "PipelineName", "StartDateTime"}
)
"""What ``Execution.`` may be followed by (SDK, ``ExecutionVariables``)."""


def parameter(name: str) -> Expression:
    """Return the value that a parameter has in a run."""
    return {GET: f"Parameters.{name}"}


def result(step: str, path: str) -> Expression:
    """Return what a step left: a member of the reply that describes its job, such as ``ModelArtifacts.S3...``."""
    return {GET: f"Steps.{step}.{path}"}


def output_uri(step: str, output: str) -> Expression:
    """Return where a processing step's output lies in S3."""
    return result(step, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")


def answer(step: str, name: str) -> Expression:
    """Return what a Lambda step's function answered under that name."""
    return result(step, f"OutputParameters['{name}']")


def join(on: str, *values: Value | float) -> Expression:
    """Return one text of several values."""
    return {JOIN: {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> Expression:
    """Return a value out of a property file, the JSON document that a processing step wrote.

    AWS's guide shows it in conditions only. The SDK checks and writes it in the arguments of any step, a Lambda step's
    too (``sagemaker.mlops.workflow.steps.Step``, ``_validate_json_get_function``); its change log has it in tuning
    steps since 2.73.0.
    """
    return {JSON_GET: {"PropertyFile": {GET: f"Steps.{step}.PropertyFiles.{file}"}, "Path": path}}


def is_expression(value: object) -> bool:
    """Whether a value is worked out by SageMaker rather than taken as it is."""
    return isinstance(value, Mapping) and len(value) == 1 and set(value) <= {GET, JOIN, JSON_GET}


def references(value: object) -> Iterator[str]:
    """Yield whatever expressions in the value get: ``Parameters.DataVersion``, ``Steps.Train.ModelArtifacts...``."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == GET and isinstance(inner, str) and len(value) == 1:
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)
