"""How a workload is served, as it is written: ``serve`` in a workload.yaml, ``endpoint`` in an environment file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sandcastle.config.base import NAME, Hyperparameters, Model

EndpointKind = Literal["real-time", "serverless", "async", "none"]

MAIN = "main"
"""The variant that every endpoint has."""

MOST_VARIANTS = 10
"""Variants of an endpoint (CreateEndpointConfig, ProductionVariants)."""

MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
"""Megabytes that a serverless endpoint may have (ServerlessConfig, MemorySizeInMB)."""

_HOSTING = "an instance type for hosting, such as ml.m5.large"
_COUNT = "1 to 20 instances"
_MEDIA_TYPE = r"^[\w.+-]+/[\w.+-]+$"


class ServeSpec(Model):
    """What a workload.yaml says of its serving."""

    instance: str = Field(description=_HOSTING)
    content_type: str = Field(pattern=_MEDIA_TYPE, description="what the endpoint reads, such as text/csv")
    accept: str = Field(pattern=_MEDIA_TYPE, description="what it answers, such as application/json")
    script: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.py$",
        description="with a framework, the script of the folder that answers, such as inference.py",
    )
    internet: bool = Field(False, description="true or false: whether the container may reach the network")


class VariantSpec(Model):
    """A variant beside ``main``: part of the requests, other instances, another model if it has hyperparameters."""

    weight: float = Field(
        ge=0, le=1_000_000, allow_inf_nan=False, description="0 or more: its part of the requests; main has 1"
    )
    instance: str | None = Field(None, description=_HOSTING)
    instances: int | None = Field(None, ge=1, le=20, description=_COUNT)
    hyperparameters: Hyperparameters | None = Field(
        None, min_length=1, description="a map of hyperparameter names to plain values: it trains a model of its own"
    )


class ScalingSpec(Model):
    """Target tracking: how many instances, and the load of one that is aimed at."""

    min: int = Field(1, ge=0, le=20, description="1 to 20 instances; 0 too for an asynchronous endpoint")
    max: int = Field(ge=1, le=20, description=_COUNT)
    invocations_per_minute: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="requests a minute for each instance, more than 0"
    )
    backlog_per_instance: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="requests that wait for each instance, more than 0"
    )


class DeploymentSpec(Model):
    """How an update goes from the old fleet of instances to the new one, watched by the endpoint's alarms."""

    kind: Literal["all-at-once", "canary", "linear"] = Field("all-at-once", description="all-at-once, canary or linear")
    percent: int = Field(10, ge=1, le=50, description="1 to 50 percent: the canary, or each step of linear (from 10)")
    wait_minutes: int = Field(5, ge=1, le=60, description="1 to 60 minutes in which the alarms watch, at each step")


class EndpointOverride(Model):
    """How a workload's model is served in this environment; ``checks_serving`` says what goes with which kind."""

    kind: EndpointKind = Field("real-time", description="real-time, serverless, async or none")
    instance: str | None = Field(None, description=_HOSTING)
    instances: int = Field(1, ge=1, le=20, description=_COUNT)
    capture_percent: int = Field(
        100, ge=0, le=100, description="0 to 100: how much of the endpoint's traffic is kept; 0 keeps none"
    )
    variants: dict[Annotated[str, Field(pattern=NAME, max_length=20)], VariantSpec] = Field(
        {}, max_length=MOST_VARIANTS - 1, description="a map of at most 9 names, each with weight, instance, ..."
    )
    scaling: ScalingSpec | None = Field(None, description="a map: min, max, invocations_per_minute, ...")
    deployment: DeploymentSpec | None = Field(None, description="a map: kind, percent, wait_minutes")
    memory_mb: int = Field(2048, description=f"one of {', '.join(str(one) for one in MEMORY)} megabytes")
    max_concurrency: int = Field(5, ge=1, le=200, description="1 to 200 requests at a time")
    concurrency: int = Field(4, ge=1, le=1000, description="1 to 1000 requests at a time for each instance")
