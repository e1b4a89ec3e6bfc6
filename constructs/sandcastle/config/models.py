"""The environment file, typed: what a person may write in ``environments/<name>.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Hyperparameter = Annotated[str, Field(pattern=r"\S")] | int | float | bool
"""One value for an algorithm. SageMaker passes all of them as text."""

Hyperparameters = dict[str, Hyperparameter]

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
"""Names of environments and workloads: never two dashes in a row, which part the two in the names of jobs."""

LATER = {
    "studio": "SageMaker Studio",
    "notebook": "a notebook instance",
    "expires_after": "a time to live",
    "monitoring": "monitoring",
    "monitors": "monitoring",
    "pipeline": "a pipeline",
    "kind": "an endpoint kind other than real-time",
    "memory_mb": "a serverless endpoint",
    "autoscaling": "automatic scaling",
}
"""Keys that are planned. They are refused, not ignored: a file must never promise what is not deployed."""


class Model(BaseModel):
    """Base of all file models: no unknown keys, no silent conversions, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=(), defer_build=True)


class EndpointOverride(Model):
    """How a workload's model is served in this environment."""

    instance: str | None = Field(None, description="an instance type for hosting, such as ml.m5.large")
    capture_percent: int = Field(
        100, ge=0, le=100, description="0 to 100: how much of the endpoint's traffic is kept; 0 keeps none"
    )


class TrainOverride(Model):
    """How a workload is trained in this environment; what is left out comes from its workload.yaml."""

    instance: str | None = Field(None, description="an instance type for training, such as ml.m5.large")
    volume_gb: int | None = Field(None, ge=1, le=1024, description="1 to 1024 gigabytes of disk")
    max_runtime_minutes: int | None = Field(None, ge=1, description="minutes after which training is stopped")
    spot: bool | None = Field(None, description="true or false: train on spare capacity, cheaper, may wait")
    max_wait_minutes: int | None = Field(None, ge=1, description="minutes for waiting and training together, with spot")


class PrepareOverride(Model):
    """How a workload's data is prepared in this environment."""

    instance: str | None = Field(None, description="an instance type for processing, such as ml.m5.large")
    volume_gb: int | None = Field(None, ge=1, le=1024, description="1 to 1024 gigabytes of disk")
    max_runtime_minutes: int | None = Field(None, ge=1, description="minutes after which the job is stopped")


class WorkloadOverride(Model):
    """One workload of the environment, with what differs from its workload.yaml."""

    prepare: PrepareOverride = Field(PrepareOverride(), description="a map: instance, volume_gb, ...")
    train: TrainOverride = Field(TrainOverride(), description="a map: instance, spot, ...")
    hyperparameters: Hyperparameters = Field({}, description="a map of hyperparameter names to plain values")
    endpoint: EndpointOverride = Field(EndpointOverride(), description="a map: instance, capture_percent")


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
    data: Literal["sample", "full"] = Field("sample", description="sample or full")
    workloads: dict[str, WorkloadOverride] = Field(
        description="a map of workload names, each with what differs from its workload.yaml, or with {}"
    )
