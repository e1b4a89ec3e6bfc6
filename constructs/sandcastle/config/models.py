"""The environment file, typed: what a person may write in ``environments/<name>.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sandcastle.config.base import NAME, Hyperparameters, Model
from sandcastle.config.monitoring import CRON, FEWEST_ROWS, MOST_ROWS, ROWS, EngineChoice, MonitorKind
from sandcastle.config.serving_spec import EndpointOverride

LATER: dict[str, str] = {}
"""Keys that are planned, with what they are. They are refused: a file must never promise what is not deployed."""


class TrainOverride(Model):
    """How a workload is trained in this environment; what is left out comes from its workload.yaml."""

    instance: str | None = Field(None, description="an instance type for training, such as ml.m5.large")
    instances: int | None = Field(None, ge=1, le=20, description="1 to 20 instances that train together")
    volume_gb: int | None = Field(None, ge=1, le=1024, description="1 to 1024 gigabytes of disk")
    max_runtime_minutes: int | None = Field(None, ge=1, description="minutes after which training is stopped")
    spot: bool | None = Field(None, description="true or false: train on spare capacity, cheaper, may wait")
    max_wait_minutes: int | None = Field(None, ge=1, description="minutes for waiting and training together, with spot")
    tune: bool | None = Field(None, description="true or false: whether a deploy tunes, and takes the best model")


class PrepareOverride(Model):
    """How a workload's data is prepared in this environment."""

    instance: str | None = Field(None, description="an instance type for processing, such as ml.m5.large")
    volume_gb: int | None = Field(None, ge=1, le=1024, description="1 to 1024 gigabytes of disk")
    max_runtime_minutes: int | None = Field(None, ge=1, description="minutes after which the job is stopped")


class PipelineSpec(Model):
    """A workload's pipeline: from which accuracy on its model is deployed, and from which a person decides."""

    approve: float = Field(0.7, ge=0, le=1, description="0 to 1: the accuracy from which a model is deployed by itself")
    review: float = Field(0.5, ge=0, le=1, description="0 to 1: the accuracy from which a person may approve a model")


def _pipeline(value: Any) -> Any:
    """Read true as a pipeline with every default, false as none; an empty value is a slip, not an answer."""
    if isinstance(value, bool):
        return {} if value else None
    return "" if value is None else value


_ROWS = f"{FEWEST_ROWS} to {MOST_ROWS}: rows of the smallest window that chance alone does not violate"


class MonitorSpec(Model):
    """One monitor of an endpoint, or of transform jobs."""

    every: str = Field(
        "hourly",
        pattern=rf"^(hourly|daily|{CRON})$",
        description="hourly, daily, or an expression: cron(0 * ? * * *), cron(0 H ? * * *), cron(0 H/N ? * * *)",
    )
    rows: int | None = Field(None, ge=FEWEST_ROWS, le=MOST_ROWS, description=_ROWS)


class MonitoringSpec(Model):
    """What looks for drift, for all monitors of the environment."""

    engine: EngineChoice = Field("auto", description="auto, model-monitor or portable")
    rows: int = Field(ROWS, ge=FEWEST_ROWS, le=MOST_ROWS, description=_ROWS)


def _monitors(value: Any) -> Any:
    """Read a list of names as a map of them; one that is named twice stays a list, which is refused."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value):
        return {one: {} for one in value}
    return value


class WorkloadOverride(Model):
    """One workload of the environment, with what differs from its workload.yaml."""

    prepare: PrepareOverride = Field(PrepareOverride(), description="a map: instance, volume_gb, ...")
    train: TrainOverride = Field(TrainOverride(), description="a map: instance, spot, tune, ...")
    hyperparameters: Hyperparameters = Field({}, description="a map of hyperparameter names to plain values")
    endpoint: EndpointOverride = Field(EndpointOverride(), description="a map: kind, instance, capture_percent, ...")
    pipeline: Annotated[PipelineSpec | None, BeforeValidator(_pipeline)] = Field(
        None, description="true, or a map: approve, review"
    )
    monitors: Annotated[dict[MonitorKind, MonitorSpec], BeforeValidator(_monitors)] = Field(
        {},
        description="a list of data-quality, model-quality and batch-data-quality, each once, "
        "or a map of them, each with every",
    )


DURATION = r"^[1-9][0-9]{0,5}[mhd]$"
"""A length of time: minutes, hours or days."""

TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_TIME = 'a time of day in quotes, "00:00" to "23:59"'

Platform = Literal["notebook-al2-v3", "notebook-al2023-v1", "notebook-al2023-v2"]
"""Operating systems of notebook instances that AWS still offers for new ones (botocore, PlatformIdentifier)."""


class UserSpec(Model):
    """One person in Studio. A name alone stands for a map with just the name."""

    name: str = Field(
        pattern=NAME,
        min_length=2,
        max_length=20,
        description="2 to 20 characters: lower-case letters, digits and single dashes, a letter first",
    )
    workloads: list[str] | None = Field(
        None, description="a list of the environment's workloads that the user may read; without it, all of them"
    )
    monthly_budget_usd: float | None = Field(
        None, gt=0, le=1_000_000, allow_inf_nan=False, description="US dollars a month, more than 0"
    )


def _user(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class StudioSpec(Model):
    """SageMaker Studio: a domain with a user profile for each person."""

    network: Literal["public", "vpc-only"] = Field("public", description="public or vpc-only")
    idle_minutes: int = Field(
        60, ge=60, le=525_600, description="60 to 525600 minutes without activity after which an app is shut down"
    )
    instances: list[str] = Field(
        ["ml.t3.medium"], min_length=1, description="a list of instance types that users' apps and jobs may have"
    )
    storage_gb: int = Field(5, ge=5, le=16_384, description="5 to 16384 gigabytes of disk in a new space")
    max_storage_gb: int = Field(
        20, ge=5, le=16_384, description="5 to 16384 gigabytes: the most that a user may ask for"
    )
    home_efs: bool = Field(
        False, description="true or false: a home file system for the domain, billed by the gigabyte"
    )
    users: list[Annotated[UserSpec, BeforeValidator(_user)]] = Field(
        min_length=1, max_length=40, description="a list of at most 40 names, or maps: name, workloads, ..."
    )


class NotebookSpec(Model):
    """A notebook instance."""

    instance: str = Field("ml.t3.medium", description="an instance type for notebooks, such as ml.t3.medium")
    platform: Platform = Field("notebook-al2023-v1", description="the operating system")
    volume_gb: int = Field(5, ge=5, le=16_384, description="5 to 16384 gigabytes of disk")
    idle_minutes: int = Field(
        60, ge=10, le=525_600, description="10 to 525600 minutes without activity after which it stops itself"
    )
    network: Literal["public", "vpc-only"] = Field("public", description="public or vpc-only")
    stop_at: str = Field("20:00", pattern=TIME_OF_DAY, description=_TIME)
    timezone: str = Field("UTC", description="a time zone such as Europe/Berlin")


class NightlyStopSpec(Model):
    """When everything that runs is stopped, and what of it is started again."""

    at: str = Field(pattern=TIME_OF_DAY, description=_TIME)
    timezone: str = Field("UTC", description="a time zone such as Europe/Berlin")
    endpoints: bool = Field(False, description="true or false: delete the endpoints, too, until they are woken")
    wake: str | None = Field(None, pattern=TIME_OF_DAY, description=_TIME)


class EnvironmentFile(Model):
    """An environment file as written."""

    name: str = Field(
        pattern=NAME,
        min_length=3,
        max_length=24,
        description="3 to 24 characters: lower-case letters, digits and single dashes, a letter first",
    )
    region: str | None = Field(None, description="an AWS region, such as us-east-1")
    monthly_budget_usd: float = Field(
        gt=0, le=1_000_000, allow_inf_nan=False, description="US dollars a month, more than 0"
    )
    notify: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=50)]] = Field(
        [], max_length=10, description="up to 10 e-mail addresses"
    )
    expires_after: str = Field(
        pattern=rf"^never$|{DURATION}",
        description="30m to 365d (minutes, hours, days) after the first deploy, or never",
    )
    nightly_stop: NightlyStopSpec | None = Field(None, description="a map: at, timezone, endpoints, wake")
    studio: StudioSpec | None = Field(None, description="a map: users, network, ...")
    notebook: NotebookSpec | None = Field(None, description="a map: instance, platform, ...")
    monitoring: MonitoringSpec = Field(MonitoringSpec(), description="a map: engine, rows")
    data: Literal["sample", "full"] = Field("sample", description="sample or full")
    workloads: dict[str, WorkloadOverride] = Field(
        {}, description="a map of workload names, each with what differs from its workload.yaml, or with {}"
    )
