"""Baselines: what the data and a model's answers are like today, for monitors to compare with.

A baseline lies beside what it was made of, not in the folder of a run: where a check writes to is part of what decides
whether an earlier one counts (SageMaker developer guide, pipelines-default-keys: QualityCheckConfig).

Environment and paths are those of Model Monitor's analyzer, as the SDK writes them (``QualityCheckStep``).
"""

from __future__ import annotations

import json
from typing import Any, Literal

from sandcastle.pipeline.expressions import join, result
from sandcastle.pipeline.parts import Parts
from sandcastle.pipeline.steps import Step, quality_baseline
from sandcastle.processing_request import Machine, Value, processing_input, processing_output, tag_list

DATA, MODEL = "DataQualityBaseline", "ModelQualityBaseline"
"""The two steps."""

DATA_FOLDER, MODEL_FOLDER = "data-quality", "model-quality"
"""What their folders are called."""

_BASE = "/opt/ml/processing"
_DATASET = "baseline_dataset_input"
_FORMAT = {"csv": {"header": True, "output_columns_position": "START"}}
"""Of both datasets: CSV with a header, what the model says in front of what it was asked."""

_VOLUME_GB, _MINUTES = 20, 30


def data_quality(parts: Parts, dataset: Value, *, baseline: Value, instance: Value) -> Step:
    """Return the step for the data that a model was trained with; ``baseline`` is the folder that it is written to."""
    request = _request(parts, dataset, baseline, instance, {})
    return _step(parts, DATA, "DATA_QUALITY", request)


def model_quality(parts: Parts, *, folder: Value, instance: Value) -> Step:
    """Return the step for a model's answers: columns ``prediction``, ``label``, and ``probability`` for kind binary.

    ``folder`` is that of the model's evaluation.
    """
    attributes = {
        "analysis_type": "MODEL_QUALITY",
        "problem_type": parts.judging.problem_type,
        "inference_attribute": "prediction",
        "ground_truth_attribute": "label",
        **({"probability_attribute": "probability"} if parts.judging.kind == "binary" else {}),
    }
    request = _request(parts, join("/", folder, "predictions"), join("/", folder, MODEL_FOLDER), instance, attributes)
    return _step(parts, MODEL, "MODEL_QUALITY", request)


def model_metrics() -> dict[str, Any]:
    """Return a package's ``ModelMetrics``: what both steps found."""
    return _both("CalculatedBaseline")


def drift_check() -> dict[str, Any]:
    """Return a package's ``DriftCheckBaselines``: what its monitors are to compare with."""
    return _both("BaselineUsedForDriftCheck")


def _both(property_: str) -> dict[str, Any]:
    return {"ModelDataQuality": _pair(DATA, property_), "ModelQuality": _pair(MODEL, property_)}


def _pair(step: str, property_: str) -> dict[str, Any]:
    return {
        what: {"ContentType": "application/json", "S3Uri": result(step, f"{property_}{what}")}
        for what in ("Statistics", "Constraints")
    }


def _step(parts: Parts, name: str, kind: Literal["DATA_QUALITY", "MODEL_QUALITY"], request: dict[str, Any]) -> Step:
    return quality_baseline(name, kind, request, prefix=parts.names.jobs, group=parts.names.group)


def _request(
    parts: Parts, dataset: Value, reports: Value, instance: Value, variables: dict[str, str]
) -> dict[str, Any]:
    """Return the CreateProcessingJob request without the job's name."""
    machine = Machine(instance, _VOLUME_GB, _MINUTES)
    return {
        "AppSpecification": {"ImageUri": parts.monitor_image},
        "Environment": {
            "dataset_format": json.dumps(_FORMAT),
            "dataset_source": f"{_BASE}/input/{_DATASET}",
            "output_path": f"{_BASE}/output",
            "publish_cloudwatch_metrics": "Disabled",
            **variables,
        },
        "ProcessingInputs": [processing_input(_DATASET, dataset, f"{_BASE}/input/{_DATASET}")],
        "ProcessingOutputConfig": {"Outputs": [processing_output("quality_check_output", reports, f"{_BASE}/output")]},
        "ProcessingResources": machine.resources,
        "RoleArn": parts.monitor_role,
        "StoppingCondition": machine.stopping_condition,
        "Tags": tag_list(parts.tags),
    }
