"""What SageMaker is asked for: a training job, or a tuning job that starts many. Plain Python, texts may be tokens.

A deploy's job and a pipeline's step ask the same way; a step's places may be expressions of the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandcastle.config import Range, Train, Tuning
from sandcastle.processing_request import Value, tag_list

CODE_CHANNEL = "code"
"""The channel that a script's source comes through."""


@dataclass(frozen=True)
class Places:
    """Image and role of the jobs, where the data of each channel lies, and where models go (no slash at the end).

    ``source`` is the address of the script's archive, if there is a script. ``instance`` counts in place of the
    training's own instance type. ``checkpoints`` is where a job on spot capacity keeps them; without it, it keeps none
    and begins again when it is interrupted.
    """

    image: str
    role_arn: str
    channels: Mapping[str, Value]
    models: str
    region: str
    source: str = ""
    instance: Value = ""
    checkpoints: str = ""


def training_request(train: Train, places: Places, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the CreateTrainingJob request without the job's name.

    The instances are given back when the job ends (``KeepAlivePeriodInSeconds`` is never set): a warm pool would cost
    as much as a running job, for a job that may never come.
    """
    request = {**_definition(train, places), "HyperParameters": hyperparameters(train, places), "Tags": tag_list(tags)}
    if train.spot and places.checkpoints:
        request["CheckpointConfig"] = {"S3Uri": places.checkpoints}
    return request


def tuning_request(
    train: Train, tuning: Tuning, places: Places, tags: Mapping[str, str], fingerprint: str
) -> dict[str, Any]:
    """Return the CreateHyperParameterTuningJob request without the job's name.

    The seed follows from the fingerprint: asked again, SageMaker tries the same values. Training jobs on spot capacity
    keep no checkpoints: they would share one folder, and one job would go on from another's model.
    """
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.strategy,
            "HyperParameterTuningJobObjective": {"Type": tuning.goal, "MetricName": tuning.objective},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": tuning.max_jobs,
                "MaxParallelTrainingJobs": tuning.parallel_jobs,
            },
            "ParameterRanges": _ranges(tuning.ranges),
            "RandomSeed": int(fingerprint[:7], 16),
        },
        "TrainingJobDefinition": {
            **_definition(train, places),
            "StaticHyperParameters": hyperparameters(train, places),
        },
        "Tags": tag_list(tags),
    }


def hyperparameters(train: Train, places: Places) -> dict[str, str]:
    """Return what every job is told, with what tells a framework's container which script to run.

    The archive lies in the channel's folder, so that the container needs no network to get it.
    """
    if train.script is None:
        return dict(train.fixed_hyperparameters)
    archive = places.source.rpartition("/")[2]
    return {
        **train.fixed_hyperparameters,
        "sagemaker_container_log_level": "20",
        "sagemaker_program": train.script,
        "sagemaker_region": places.region,
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CODE_CHANNEL}/{archive}",
    }


def _definition(train: Train, places: Places) -> dict[str, Any]:
    """Return what a training job and the definition in a tuning job have alike."""
    algorithm: dict[str, Any] = {"TrainingImage": places.image, "TrainingInputMode": "File"}
    if train.metrics:
        algorithm["MetricDefinitions"] = [{"Name": key, "Regex": value} for key, value in train.metrics.items()]
    stopping = {"MaxRuntimeInSeconds": train.max_runtime_minutes * 60}
    if train.max_wait_minutes is not None:
        stopping["MaxWaitTimeInSeconds"] = train.max_wait_minutes * 60
    channels = [_channel(name, places.channels[name], kind) for name, kind in train.channels.items()]
    if places.source:
        channels.append(_channel(CODE_CHANNEL, places.source, None))
    return {
        "AlgorithmSpecification": algorithm,
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": places.models},
        "ResourceConfig": {
            "InstanceCount": train.instances,
            "InstanceType": places.instance or train.instance,
            "VolumeSizeInGB": train.volume_gb,
        },
        "EnableNetworkIsolation": not train.internet,
        "EnableManagedSpotTraining": train.spot,
        "RoleArn": places.role_arn,
        "StoppingCondition": stopping,
    }


def _channel(name: str, uri: Value, content_type: str | None) -> dict[str, Any]:
    return {
        "ChannelName": name,
        **({"ContentType": content_type} if content_type else {}),
        "CompressionType": "None",
        "RecordWrapperType": "None",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }


def _ranges(ranges: Mapping[str, Range]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, one in ranges.items():
        values: dict[str, Any] = {"MinValue": one.low, "MaxValue": one.high, "ScalingType": one.scale}
        if one.kind == "categorical":
            values = {"Values": list(one.values)}
        found.setdefault(f"{one.kind.capitalize()}ParameterRanges", []).append({"Name": name, **values})
    return found
