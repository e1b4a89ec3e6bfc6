"""An environment as the stacks see it: the file, its workloads' descriptions and the defaults, merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandcastle.config.models import Hyperparameter


@dataclass(frozen=True)
class Prepare:
    """The processing job: image key, instance type, disk in gigabytes, limit in minutes."""

    image: str
    instance: str
    volume_gb: int
    max_runtime_minutes: int


@dataclass(frozen=True)
class Train:
    """The training job. ``max_wait_minutes`` is set exactly when ``spot`` is."""

    algorithm: str
    instance: str
    volume_gb: int
    max_runtime_minutes: int
    spot: bool
    max_wait_minutes: int | None
    channels: Mapping[str, str]
    hyperparameters: Mapping[str, str]


@dataclass(frozen=True)
class Serve:
    """The endpoint: instance type, content types, and how much of its traffic is captured (0 to 100)."""

    instance: str
    capture_percent: int
    content_type: str
    accept: str


@dataclass(frozen=True)
class Workload:
    """One workload of the environment. ``full_data`` is ``s3://bucket/key`` when the public data is used, else None."""

    name: str
    title: str
    folder: Path
    full_data: str | None
    prepare: Prepare
    train: Train
    serve: Serve


@dataclass(frozen=True)
class Environment:
    """A valid environment. ``region`` is None when neither the file nor the caller names one.

    ``notes`` says what could not be checked, in words for a person.
    """

    name: str
    file: Path
    root: Path
    region: str | None
    monthly_budget_usd: float
    notify: tuple[str, ...]
    data: Literal["sample", "full"]
    workloads: tuple[Workload, ...]
    notes: tuple[str, ...] = field(default=())


def text_of(value: Hyperparameter) -> str:
    """Return a hyperparameter as SageMaker takes it: ``true``, ``200``, ``0.2``, text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
