"""Baselines: what the data and a model's answers are like today, for monitors to compare with.

With Model Monitor a step of type QualityCheck makes one, else a step that runs the portable analyzer. A baseline lies
beside what it was made of, not in the folder of a run: where a check writes to is part of what decides whether an
earlier one counts (SageMaker developer guide, pipelines-default-keys: QualityCheckConfig).
"""

from __future__ import annotations

from typing import Any, Literal

from sandcastle.baseline_request import BASELINE_OUTPUT, Analyzer, baseline_request, of_predictions
from sandcastle.pipeline.expressions import join, output_uri, result
from sandcastle.pipeline.parts import Parts
from sandcastle.pipeline.steps import Step, processing, quality_baseline
from sandcastle.processing_request import Value

DATA, MODEL = "DataQualityBaseline", "ModelQualityBaseline"
"""The two steps."""

DATA_FOLDER, MODEL_FOLDER = "data-quality", "model-quality"
"""What their folders are called."""


def data_quality(parts: Parts, dataset: Value, *, baseline: Value, instance: Value) -> Step:
    """Return the step for the data that a model was trained with; ``baseline`` is the folder that it is written to."""
    request = _request(parts, dataset, baseline, instance, {})
    return _step(parts, DATA, "DATA_QUALITY", request)


def model_quality(parts: Parts, *, folder: Value, instance: Value) -> Step:
    """Return the step for a model's answers: columns ``prediction``, ``label``, and ``probability`` for kind binary.

    ``folder`` is that of the model's evaluation.
    """
    variables = of_predictions(parts.judging.problem_type)
    request = _request(parts, join("/", folder, "predictions"), join("/", folder, MODEL_FOLDER), instance, variables)
    return _step(parts, MODEL, "MODEL_QUALITY", request)


def model_metrics(parts: Parts) -> dict[str, Any]:
    """Return a package's ``ModelMetrics``: what both steps found."""
    return _both(parts, "CalculatedBaseline")


def drift_check(parts: Parts) -> dict[str, Any]:
    """Return a package's ``DriftCheckBaselines``: what its monitors are to compare with."""
    return _both(parts, "BaselineUsedForDriftCheck")


def _both(parts: Parts, property_: str) -> dict[str, Any]:
    return {"ModelDataQuality": _pair(parts, DATA, property_), "ModelQuality": _pair(parts, MODEL, property_)}


def _pair(parts: Parts, step: str, property_: str) -> dict[str, Any]:
    def file(what: str) -> Value:
        if parts.monitor_code:
            return join("/", output_uri(step, BASELINE_OUTPUT), f"{what.lower()}.json")
        return result(step, f"{property_}{what}")

    return {what: {"ContentType": "application/json", "S3Uri": file(what)} for what in ("Statistics", "Constraints")}


def _step(parts: Parts, name: str, kind: Literal["DATA_QUALITY", "MODEL_QUALITY"], request: dict[str, Any]) -> Step:
    if parts.monitor_code:
        return processing(name, request, prefix=parts.names.jobs)
    return quality_baseline(name, kind, request, prefix=parts.names.jobs, group=parts.names.group)


def _request(
    parts: Parts, dataset: Value, reports: Value, instance: Value, variables: dict[str, str]
) -> dict[str, Any]:
    analyzer = Analyzer(parts.monitor_image, parts.monitor_role, code=parts.monitor_code)
    return baseline_request(analyzer, dataset, reports, instance=instance, tags=parts.tags, variables=variables)
