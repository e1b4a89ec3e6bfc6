"""A workload's description, typed: what its author writes in ``assets/workloads/<name>/workload.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sandcastle.config.base import Model
from sandcastle.config.serving_spec import ServeSpec
from sandcastle.config.training_spec import TrainSpec

_INSTANCE = "an instance type such as ml.m5.large"
_VOLUME = "1 to 1024 gigabytes of disk"

EvaluationKind = Literal["binary", "multiclass", "clusters"]
"""What a model says of a row: a score for one of two classes, one of several classes, or a cluster."""


THRESHOLD = 0.5
"""The score from which on a row counts as positive, where nothing else is said."""


class PublicObject(Model):
    """One object in a public bucket; ``{region}`` in its address stands for the environment's region."""

    s3: str = Field(pattern=r"^s3://[^/\s]+/\S*[^/\s]$", description="an object: s3://bucket/key, may hold {region}")


class SampleData(Model):
    """What the prepare job makes when it does not read the public object."""

    origin: Literal["real", "generated"] = Field(description="real or generated")


class DataSources(Model):
    """Where the workload's data comes from, in each of the two modes."""

    full: PublicObject | None = Field(
        None, description="a map: s3; left out where the sample is the whole public data set"
    )
    sample: SampleData = Field(description="a map: origin")


class PrepareSpec(Model):
    """The processing job that runs ``prepare.py``."""

    image: str = Field(description="a key of the image map")
    instance: str = Field(description=_INSTANCE)
    volume_gb: int = Field(10, ge=1, le=1024, description=_VOLUME)
    max_runtime_minutes: int = Field(20, ge=1, description="minutes after which the job is stopped")


class EvaluateSpec(Model):
    """How the test split judges the model; ``sandcastle evaluate`` reads it.

    ``kind`` decides which of the keys there are (``checks_evaluate``): a binary model gives each row a score, a
    multiclass model a class, and clusters a number that means nothing until the rows of a cluster are looked at.
    """

    kind: EvaluationKind = Field("binary", description="binary, multiclass or clusters")
    positive: str | None = Field(None, description="binary: words for the class with label 1")
    negative: str | None = Field(None, description="binary: words for the class with label 0")
    score: Literal["json:score", "csv"] | None = Field(None, description="binary: json:score or csv")
    threshold: float | None = Field(
        None, ge=0, le=1, description="binary: 0 to 1, the score from which a row counts as positive; else 0.5"
    )
    answer: str | None = Field(
        None,
        pattern=r"^(csv|json:[a-z_]+)$",
        description="multiclass, clusters: csv, or json: and the field of each answer, such as json:prediction",
    )
    batch_rows: int = Field(100, ge=1, le=10_000, description="1 to 10000 rows in a request")


class WorkloadFile(Model):
    """A workload.yaml as written."""

    title: str = Field(description="a short question or name")
    description: str = Field(description="one paragraph")
    tutorial: str = Field(description="where the workload comes from, in words")
    data: DataSources = Field(description="a map: full, sample")
    prepare: PrepareSpec = Field(description="a map: image, instance, ...")
    train: TrainSpec = Field(description="a map: algorithm or framework, instance, channels, ...")
    serve: ServeSpec = Field(description="a map: instance, content_type, accept")
    evaluate: EvaluateSpec = Field(description="a map: kind, batch_rows, ...")
