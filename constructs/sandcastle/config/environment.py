"""An environment as the stacks see it: the file, its workloads' descriptions and the defaults, merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sandcastle.config.catalogue import FRAMEWORKS
from sandcastle.config.monitoring import (
    MONITOR_IMAGE,
    PORTABLE_IMAGE,
    ROWS,
    Engine,
    EngineChoice,
    Monitor,
    MonitorKind,
    engine_of,
)
from sandcastle.config.serving import Serve
from sandcastle.config.workload import EvaluationKind

ZONES = 2
"""Availability zones of the environment's network: one subnet in each."""

INTERFACE_ENDPOINTS = ("logs", "sagemaker.api", "sagemaker.runtime", "sts")
"""AWS services that a network without internet reaches through interface endpoints, which are billed by hour and zone:
SageMaker itself and, for its SDK, who one is and what a job logs (SageMaker developer guide, "Connect Studio notebooks
in a VPC to external resources"). S3 has a gateway endpoint, which is free."""

NOTEBOOK_USER = "notebook"
"""Whose name what is made on the notebook instance carries as a tag, and its folder in the data bucket; no user of
Studio and no workload is called so."""


@dataclass(frozen=True)
class Prepare:
    """The processing job: image key, instance type, disk in gigabytes, limit in minutes."""

    image: str
    instance: str
    volume_gb: int
    max_runtime_minutes: int


@dataclass(frozen=True)
class Range:
    """What one hyperparameter may be, as SageMaker takes it: ``low`` to ``high`` on a scale, or one of ``values``."""

    kind: Literal["continuous", "integer", "categorical"]
    low: str
    high: str
    scale: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Tuning:
    """A search for good hyperparameters. ``objective`` is a metric, ``goal`` Maximize or Minimize."""

    strategy: str
    objective: str
    goal: str
    max_jobs: int
    parallel_jobs: int
    ranges: Mapping[str, Range]


@dataclass(frozen=True)
class Artifact:
    """A model that exists already: ``file`` of the workload's folder, or else an object in S3 (``s3://bucket/key``)."""

    file: str | None
    s3: str | None


@dataclass(frozen=True)
class Train:
    """How the model comes about. Exactly one of ``algorithm`` and ``framework`` is set, ``script`` with the latter.

    With an ``artifact`` nothing is trained: ``instance`` is empty then, there are no channels, and no limit counts.
    ``max_wait_minutes`` is set exactly when ``spot`` is. ``tuning`` is what a tuning job of this workload is like,
    ``tune`` whether a deploy runs one. Hyperparameters that have a range count where nothing is tuned.
    """

    algorithm: str | None
    framework: str | None
    script: str | None
    artifact: Artifact | None
    instance: str
    instances: int
    volume_gb: int
    max_runtime_minutes: int
    spot: bool
    max_wait_minutes: int | None
    internet: bool
    channels: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, str]
    tune: bool
    tuning: Tuning | None

    @property
    def image(self) -> str:
        """Key of the image that trains."""
        return str(self.algorithm or self.framework)

    @property
    def serving_image(self) -> str:
        """Key of the image that serves what this trained."""
        return FRAMEWORKS.get(self.image, self.image)

    @property
    def instances_at_once(self) -> int:
        """How many instances a deploy trains on at the same time; none for an artifact."""
        if self.artifact:
            return 0
        return self.instances * (self.tuning.parallel_jobs if self.tune and self.tuning else 1)

    @property
    def fixed_hyperparameters(self) -> Mapping[str, str]:
        """What every training job is told: without those that are tuned, if a deploy tunes."""
        tuned = self.tuning.ranges if self.tune and self.tuning else {}
        return {key: value for key, value in self.hyperparameters.items() if key not in tuned}


@dataclass(frozen=True)
class Evaluate:
    """How the test split judges the model. ``answer`` is ``csv`` or ``json:`` and a field of each answer.

    From ``threshold`` (0 to 1) on a row counts as positive, for kind binary.
    """

    kind: EvaluationKind
    answer: str
    threshold: float


@dataclass(frozen=True)
class PipelineSettings:
    """From which accuracy on (0 to 1) a pipeline deploys a model by itself, and from which a person may approve it."""

    approve: float
    review: float


@dataclass(frozen=True)
class Workload:
    """One workload of the environment. ``full_data`` is ``s3://bucket/key`` when the public data is used, else None.

    With a ``pipeline`` a deploy trains nothing and has no endpoint of its own: the pipeline's runs do both.
    ``monitors`` are those of an endpoint that a deploy makes; ``engine`` is what they look with.
    """

    name: str
    title: str
    folder: Path
    full_data: str | None
    prepare: Prepare
    train: Train
    serve: Serve
    evaluate: Evaluate
    pipeline: PipelineSettings | None = None
    monitors: tuple[Monitor, ...] = ()
    engine: Engine = "portable"

    @property
    def stack(self) -> str:
        """The part of its stack's name that tells it from the environment's other stacks."""
        return f"pipeline-{self.name}" if self.pipeline else f"workload-{self.name}"

    @property
    def watched(self) -> tuple[MonitorKind, ...]:
        """Which monitors it has, be they made by a deploy or by runs of the pipeline."""
        if self.pipeline:
            return ("data-quality", "model-quality")
        return tuple(one.kind for one in self.monitors)

    @property
    def images(self) -> frozenset[str]:
        """Keys of all images that it is prepared, trained and served with."""
        trained = [] if self.train.artifact else [self.train.image]
        monitored = []
        if self.monitors or self.pipeline:
            monitored = [MONITOR_IMAGE if self.engine == "model-monitor" else PORTABLE_IMAGE]
        return frozenset([self.prepare.image, self.train.serving_image, *trained, *monitored])

    @property
    def training_instances(self) -> int:
        """How many instances train at the same time: variants with hyperparameters of their own, too.

        A deploy does so, or the run of a pipeline, which trains once and tunes beside it.
        """
        if self.pipeline:
            return self.train.instances * (1 + (self.train.tuning.parallel_jobs if self.train.tuning else 0))
        others = [one for one in self.serve.variants if one.hyperparameters is not None]
        return self.train.instances_at_once + len(others) * self.train.instances


Network = Literal["public", "vpc-only"]


@dataclass(frozen=True)
class User:
    """One person in Studio: which workloads the person may read, and a budget in US dollars a month if there is one."""

    name: str
    workloads: tuple[str, ...]
    monthly_budget_usd: float | None


@dataclass(frozen=True)
class Studio:
    """The Studio domain. Disks in gigabytes, idle time in minutes."""

    network: Network
    idle_minutes: int
    instances: tuple[str, ...]
    storage_gb: int
    max_storage_gb: int
    home_efs: bool
    users: tuple[User, ...]


@dataclass(frozen=True)
class Notebook:
    """The notebook instance. Disk in gigabytes; ``stop_at`` is ``HH:MM`` in ``timezone``."""

    instance: str
    platform: str
    volume_gb: int
    idle_minutes: int
    network: Network
    stop_at: str
    timezone: str


@dataclass(frozen=True)
class NightlyStop:
    """When what runs is stopped and, if ``wake`` is set, endpoints are started again; ``HH:MM`` in ``timezone``."""

    at: str
    timezone: str
    endpoints: bool
    wake: str | None


@dataclass(frozen=True)
class Environment:
    """A valid environment. ``region`` is None when neither the file nor the caller names one.

    ``expires_after_minutes`` is None for an environment that never expires.
    ``notes`` says what could not be checked, in words for a person.
    ``monitoring_rows`` is what monitors have as ``rows`` where nothing else is said: those of pipelines.
    """

    name: str
    file: Path
    root: Path
    region: str | None
    monthly_budget_usd: float
    notify: tuple[str, ...]
    data: Literal["sample", "full"]
    workloads: tuple[Workload, ...]
    expires_after_minutes: int | None = None
    nightly_stop: NightlyStop | None = None
    studio: Studio | None = None
    notebook: Notebook | None = None
    notes: tuple[str, ...] = field(default=())
    monitoring: EngineChoice = "auto"
    monitoring_rows: int = ROWS

    def monitored_by(self, values: Mapping[str, Any], account: str | None) -> Environment:
        """Return the environment with the engine of its monitors decided, by context and account (``engine_of``)."""
        engine = engine_of(self.monitoring, values, account, self.region)
        workloads = tuple(replace(one, engine=engine) for one in self.workloads)
        return replace(self, workloads=workloads)

    @property
    def vpc_only(self) -> bool:
        """Whether anything of it reaches AWS through interface endpoints in its own network."""
        return any(part is not None and part.network == "vpc-only" for part in (self.studio, self.notebook))

    @property
    def instances(self) -> tuple[str, ...]:
        """Every instance type that it names: what its people may use where nothing else is said."""
        named = {one.instance for work in self.workloads for one in (work.prepare, work.train, work.serve)}
        named |= {variant.instance for work in self.workloads for variant in work.serve.variants}
        named -= {""}  # of a model that is not trained here
        named |= {self.notebook.instance} if self.notebook else set()
        named |= set(self.studio.instances) if self.studio else set()
        return tuple(sorted(named))
