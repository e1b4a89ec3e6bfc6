"""Step caching: what makes two runs of a step the same, and the run whose results are used again.

[DG] pipelines-caching, pipelines-default-keys. Results are those of the same step of the same pipeline; nobody looks
whether what they lead to in S3 is still as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.sagemaker.pipelines.definition import Step
from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepRun

#: arguments that count, by type of step; what they hold counts as a whole
_KEYS: Mapping[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinitions"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
#: of a tuning step's TrainingJobDefinition only these count
_TUNED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)


def key(step: Step, asked: Mapping[str, Any]) -> str:
    """What two runs of a step must have alike; ``asked`` is the step with every expression resolved."""
    arguments = asked["Arguments"]
    if step.type == "QualityCheck":  # its configurations are spread over the whole of the step
        counted: Any = asked
    else:
        counted = {name: arguments.get(name) for name in _KEYS[step.type]}
        if step.type == "Tuning":
            definition = arguments.get("TrainingJobDefinition") or {}
            counted["TrainingJobDefinition"] = {name: definition.get(name) for name in _TUNED}
    text = json.dumps([step.type, counted], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def find(
    executions: Iterable[ExecutionRecord], step: Step, wanted: str, now: float, whole: bool
) -> tuple[ExecutionRecord, StepRun] | None:
    """The latest run that may be used again, with its execution; hold the lock.

    ``whole``: only runs of executions that succeeded as a whole count.
    """
    found = [
        (execution, run)
        for execution in executions
        if (run := execution.runs.get(step.name))
        and run.cache_key == wanted
        and run.status == "Succeeded"
        and run.reused is None  # a result is as old as the run that computed it
        and run.taken_from is None
        and run.ended is not None
        and step.cache is not None
        and now - run.ended <= step.cache
        and not (whole and execution.status != "Succeeded")
    ]
    return max(found, key=lambda pair: (pair[1].ended or 0.0, pair[1].sequence), default=None)
