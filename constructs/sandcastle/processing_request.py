"""What SageMaker is asked for: a processing job that runs a Python program of ours. Plain Python, texts may be tokens.

A deploy's job and a pipeline's step ask the same way; a step's places may be expressions of the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = str | Mapping[str, Any]
"""A text, or in a pipeline an expression that comes to one (``{"Get": ...}``)."""

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"

PREPARED = ("train", "validation", "test", "about")
"""Outputs of the job that prepares a workload's data."""

BASELINE = "baseline"
"""One output more, for monitors: the train split with a header."""

ASKED = "asked"
"""And another one, for monitors of transform jobs: the same without the label, as the model is asked."""

_RUN = "import runpy,sys; sys.path[:0]=sys.argv[1:]; runpy.run_module('{}', run_name='__main__')"
"""Runs a module of the zipped folders named as arguments: Python imports from zip files as they are."""


@dataclass(frozen=True)
class Program:
    """A Python module that runs as a processing job: ``module``, which is in one of the zipped folders of ``code``.

    ``code`` maps the name of an input to the archive's address in S3; the first one's modules come first. ``inputs``
    are what it reads besides, name and address in S3, and ``variables`` its environment.
    """

    module: str
    image: str
    role_arn: str
    code: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def archives(self) -> list[str]:
        """Where the zipped folders lie in the container: what Python searches."""
        return [f"{INPUT}/{name}/{address.rpartition('/')[2]}" for name, address in self.code.items()]


@dataclass(frozen=True)
class Machine:
    """What a job runs on: one instance of a type, its disk in gigabytes, and the minutes after which it is stopped."""

    instance: Value
    volume_gb: int
    max_runtime_minutes: int

    @property
    def resources(self) -> dict[str, Any]:
        """``ProcessingResources`` of a request."""
        cluster = {"InstanceCount": 1, "InstanceType": self.instance, "VolumeSizeInGB": self.volume_gb}
        return {"ClusterConfig": cluster}

    @property
    def stopping_condition(self) -> dict[str, Any]:
        """``StoppingCondition`` of a request."""
        return {"MaxRuntimeInSeconds": self.max_runtime_minutes * 60}


def processing_request(
    program: Program,
    machine: Machine,
    *,
    outputs: Sequence[Mapping[str, Any]],
    tags: Mapping[str, str],
    inputs: Mapping[str, Value] | None = None,
    variables: Mapping[str, Value] | None = None,
) -> dict[str, Any]:
    """Return the CreateProcessingJob request without the job's name.

    ``inputs`` (name and address in S3) and ``variables`` come on top of the program's own. The job has no network:
    SageMaker puts what it reads before it as files.
    """
    reads: dict[str, Value] = {**program.code, **program.inputs, **(inputs or {})}
    return {
        "AppSpecification": {"ImageUri": program.image, **entry(program)},
        "Environment": {**program.variables, **(variables or {})},
        "ProcessingInputs": [processing_input(name, uri, f"{INPUT}/{name}") for name, uri in reads.items()],
        "ProcessingOutputConfig": {"Outputs": list(outputs)},
        "ProcessingResources": machine.resources,
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "RoleArn": program.role_arn,
        "StoppingCondition": machine.stopping_condition,
        "Tags": tag_list(tags),
    }


def entry(program: Program) -> dict[str, Any]:
    """Return the members of an ``AppSpecification`` that run the program."""
    return {
        "ContainerEntrypoint": ["python3", "-c", _RUN.format(program.module)],
        "ContainerArguments": program.archives,
    }


def processing_input(name: str, uri: Value, path: str) -> dict[str, Any]:
    """Return an input: everything in S3 that begins with ``uri``, as files in the folder ``path``."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def processing_output(name: str, uri: Value, path: str) -> dict[str, Any]:
    """Return an output: the files that the folder ``path`` holds at the end, to the folder ``uri`` in S3."""
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def output_folders(addresses: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Return an output for each folder below the container's output folder, by name, with its address in S3."""
    return [processing_output(name, uri, f"{OUTPUT}/{name}") for name, uri in addresses.items()]


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the tags as SageMaker's API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
