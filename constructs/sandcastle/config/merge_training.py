"""Lays an environment's settings for training over the workload's own."""

from __future__ import annotations

from sandcastle.config.base import text_of
from sandcastle.config.environment import Artifact, Range, Train, Tuning
from sandcastle.config.models import WorkloadOverride
from sandcastle.config.training_spec import RangeSpec, TrainSpec, TuningSpec


def merge_train(own: TrainSpec, override: WorkloadOverride) -> Train:
    """Return how the model comes about in this environment. Both are checked already."""
    merged = own.model_copy(update=override.train.model_dump(exclude_none=True))
    hyperparameters = own.hyperparameters | override.hyperparameters
    return Train(
        algorithm=own.algorithm,
        framework=own.framework,
        script=own.script,
        artifact=Artifact(own.artifact.file, own.artifact.s3) if own.artifact else None,
        instance=merged.instance or "",
        instances=merged.instances,
        volume_gb=merged.volume_gb,
        max_runtime_minutes=merged.max_runtime_minutes,
        spot=merged.spot,
        max_wait_minutes=merged.max_wait_minutes if merged.spot else None,
        internet=own.internet,
        channels=dict(sorted((own.channels or {}).items())),
        hyperparameters={key: text_of(value) for key, value in sorted(hyperparameters.items())},
        metrics=dict(sorted(own.metrics.items())),
        tune=merged.tune and override.pipeline is None,  # a pipeline tunes beside its plain training
        tuning=_tuning(own.tuning) if own.tuning else None,
    )


def _tuning(spec: TuningSpec) -> Tuning:
    return Tuning(
        strategy=spec.strategy,
        objective=spec.objective,
        goal=spec.goal,
        max_jobs=spec.max_jobs,
        parallel_jobs=spec.parallel_jobs,
        ranges={name: _range(one) for name, one in sorted(spec.ranges.items())},
    )


def _range(spec: RangeSpec) -> Range:
    if spec.values is not None:
        return Range("categorical", "", "", "", tuple(text_of(value) for value in spec.values))
    low, high = (int(end or 0) if spec.kind == "integer" else float(end or 0) for end in (spec.min, spec.max))
    return Range(spec.kind, str(low), str(high), spec.scale, ())
