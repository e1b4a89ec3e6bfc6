"""The train half of a workload.yaml, typed: an algorithm or a script, a pre-trained artifact, and how it is tuned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sandcastle.config.base import Hyperparameter, Hyperparameters, Model

_INSTANCE = "an instance type such as ml.m5.large"
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*"

MOST_VALUES = 30
"""Ranges in a tuning job, and values in a categorical range (SageMaker developer guide, "Resource limits for automatic
model tuning")."""

MOST_TRIALS = 750
"""Training jobs in one tuning job (same page)."""

MOST_AT_A_TIME = 100
"""Training jobs that one tuning job runs at the same time; an account has 10 until it asks for more (same page)."""

MOST_METRICS = 20
"""Metrics of a tuning job (same page); a training job alone may have 40."""


class ArtifactSpec(Model):
    """A model that exists already: a file of the workload's folder, or an object in S3."""

    file: str | None = Field(None, pattern=_FILE + r"\.tar\.gz$", description="a file of the folder: model.tar.gz")
    s3: str | None = Field(
        None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]+/[^\s*?{}$]*[^\s/*?{}$]\.tar\.gz$",
        description="an object: s3://bucket/key.tar.gz",
    )


class RangeSpec(Model):
    """One hyperparameter that is tuned; which keys go with which kind, ``checks_tuning`` says."""

    kind: Literal["continuous", "integer", "categorical"] = Field(description="continuous, integer or categorical")
    min: float | None = Field(None, allow_inf_nan=False, description="the smallest value, a number")
    max: float | None = Field(None, allow_inf_nan=False, description="the largest value, a number")
    scale: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = Field(
        "Auto", description="Auto, Linear, Logarithmic or ReverseLogarithmic"
    )
    values: list[Hyperparameter] | None = Field(
        None, min_length=1, max_length=MOST_VALUES, description=f"a list of 1 to {MOST_VALUES} plain values"
    )


class TuningSpec(Model):
    """The search for good hyperparameters: many training jobs, of which the best one's model counts."""

    strategy: Literal["Bayesian", "Random", "Grid"] = Field("Bayesian", description="Bayesian, Random or Grid")
    objective: Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=255)] = Field(
        description="the name of a metric, such as validation:auc"
    )
    goal: Literal["Maximize", "Minimize"] = Field(description="Maximize or Minimize")
    max_jobs: int = Field(ge=1, le=MOST_TRIALS, description=f"1 to {MOST_TRIALS} training jobs in all")
    parallel_jobs: int = Field(
        1, ge=1, le=MOST_AT_A_TIME, description=f"1 to {MOST_AT_A_TIME} training jobs at a time, at most max_jobs"
    )
    ranges: dict[str, RangeSpec] = Field(
        min_length=1, max_length=MOST_VALUES, description="a map of hyperparameter names, each with kind and its values"
    )


class TrainSpec(Model):
    """The training job, or the pre-trained artifact in its place; ``checks_training`` says what goes with what."""

    algorithm: str | None = Field(None, description="a built-in algorithm, such as xgboost")
    framework: str | None = Field(None, description="a framework that runs your script, such as pytorch")
    script: str | None = Field(
        None, pattern=_FILE + r"\.py$", description="the script of the folder that trains, such as train.py"
    )
    artifact: ArtifactSpec | None = Field(None, description="a map: file or s3")
    instance: str | None = Field(None, description=_INSTANCE)
    instances: int = Field(1, ge=1, le=20, description="1 to 20 instances that train together")
    volume_gb: int = Field(10, ge=1, le=1024, description="1 to 1024 gigabytes of disk")
    max_runtime_minutes: int = Field(30, ge=1, description="minutes after which training is stopped")
    spot: bool = Field(False, description="true or false: train on spare capacity with checkpoints")
    max_wait_minutes: int | None = Field(None, ge=1, description="minutes for waiting and training together, with spot")
    internet: bool = Field(False, description="true or false: whether the script may reach the internet")
    channels: dict[Literal["train", "validation"], str] | None = Field(
        None, min_length=1, description="a map of channel (train, validation) to its content type"
    )
    hyperparameters: Hyperparameters = Field({}, description="a map of hyperparameter names to plain values")
    metrics: dict[
        Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=255)], Annotated[str, Field(min_length=1)]
    ] = Field({}, max_length=40, description="a map of at most 40 metric names to regular expressions for the log")
    tune: bool = Field(False, description="true or false: whether a deploy tunes, and takes the best model")
    tuning: TuningSpec | None = Field(None, description="a map: objective, goal, max_jobs, ranges, ...")
