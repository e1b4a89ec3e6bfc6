"""Steps of a pipeline that have SageMaker do something: one builder for each type. Plain data.

A builder takes the request that the step makes, as for the operation itself, and adds what only a step has: its name,
the beginning of the job's name, whether an earlier run's result counts, and when it is tried again. What may be cached
and retried is on AWS's pages "Caching pipeline steps" and "Retry policy for pipeline steps".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sandcastle.processing_request import Value

Step = dict[str, Any]
AnswerType = Literal["String", "Integer", "Float", "Boolean"]

CACHE_DAYS = 30
"""How long the result of an equal step of an earlier run counts."""

RETRY_STEP = {
    "BackoffRate": 2.0,
    "IntervalSeconds": 10,
    "MaxAttempts": 4,
    "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
}
"""SageMaker has trouble, or is asked too often: after 10, 20, 40 seconds."""

RETRY_JOB = {
    "BackoffRate": 2.0,
    "IntervalSeconds": 60,
    "ExpireAfterMin": 240,
    "ExceptionType": ["SageMaker.RESOURCE_LIMIT", "SageMaker.CAPACITY_ERROR"],
}
"""All instances that the account may have are in use, or AWS has none: for four hours."""


def processing(
    name: str,
    request: Mapping[str, Any],
    *,
    prefix: str,
    files: Mapping[str, tuple[str, str]] | None = None,
) -> Step:
    """Return a step that runs a processing job.

    ``files`` are property files, which ``json_get`` reads: name, and the output and path where the job writes each.
    """
    step = _job(name, "Processing", {"ProcessingJobName": prefix, **request}, cached=True)
    if files:
        step["PropertyFiles"] = [
            {"PropertyFileName": file, "OutputName": output, "FilePath": path} for file, (output, path) in files.items()
        ]
    return step


def training(name: str, request: Mapping[str, Any], *, prefix: str) -> Step:
    """Return a step that runs a training job."""
    return _job(name, "Training", {"TrainingJobName": prefix, **request}, cached=True)


def tuning(name: str, request: Mapping[str, Any], *, prefix: str) -> Step:
    """Return a step that runs a tuning job."""
    return _job(name, "Tuning", {"HyperParameterTuningJobName": prefix, **request}, cached=True)


def transform(name: str, request: Mapping[str, Any], *, prefix: str) -> Step:
    """Return a step that runs a transform job; an earlier run's answers are those of another model, so never cached."""
    return _job(name, "Transform", {"TransformJobName": prefix, **request}, cached=False)


def quality_baseline(
    name: str,
    kind: Literal["DATA_QUALITY", "MODEL_QUALITY"],
    request: Mapping[str, Any],
    *,
    prefix: str,
    group: str,
) -> Step:
    """Return a step that makes a baseline and checks nothing against an older one (QualityCheck).

    It is tried again by nobody: the step has no retry policies ("Retry policy for pipeline steps").
    """
    return {
        "Name": name,
        "Type": "QualityCheck",
        "Arguments": {"ProcessingJobName": prefix, **request},
        **_cached(),
        "CheckType": kind,
        "ModelPackageGroupName": group,
        "SkipCheck": True,
        "FailOnViolation": True,
        "RegisterNewBaseline": True,
    }


def model(name: str, request: Mapping[str, Any], *, prefix: str) -> Step:
    """Return a step that makes a model."""
    arguments = {"ModelName": prefix, **request}
    return {"Name": name, "Type": "Model", "Arguments": arguments, "RetryPolicies": [dict(RETRY_STEP)]}


def register(name: str, request: Mapping[str, Any]) -> Step:
    """Return a step that registers a model package, the next version of its group."""
    return {"Name": name, "Type": "RegisterModel", "Arguments": dict(request), "RetryPolicies": [dict(RETRY_STEP)]}


def function(
    name: str,
    arn: str,
    arguments: Mapping[str, Value],
    answers: Mapping[str, AnswerType],
    *,
    after: Sequence[str] = (),
) -> Step:
    """Return a step that calls a Lambda function, for ten minutes at most ("Pipelines steps", Lambda step).

    ``answers`` are the names and types of what it returns; ``after`` are steps it waits for without getting anything.
    """
    step = {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": dict(arguments),
        "OutputParameters": [{"OutputName": key, "OutputType": kind} for key, kind in answers.items()],
    }
    return {**step, "DependsOn": list(after)} if after else step


def _job(name: str, kind: str, arguments: dict[str, Any], *, cached: bool) -> Step:
    retries = [dict(RETRY_STEP), dict(RETRY_JOB)]
    step = {"Name": name, "Type": kind, "Arguments": arguments, "RetryPolicies": retries}
    return {**step, **_cached()} if cached else step


def _cached() -> Step:
    return {"CacheConfig": {"Enabled": True, "ExpireAfter": f"P{CACHE_DAYS}D"}}
