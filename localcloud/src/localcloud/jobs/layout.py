"""The files and directories that SageMaker puts under /opt/ml before a job starts.

Training: developer guide, your-algorithms-training-algo-running-container. Processing:
build-your-own-processing-container. `resourceconfig.json` has every key that SDK v3's training driver reads.
"""

import json
from typing import Any

from localcloud.jobs import cluster
from localcloud.jobs.sandbox import BASE, JobDirectory
from localcloud.jobs.spec import JobSpec

DEFAULT_CHECKPOINTS = f"{BASE}/checkpoints"
#: where a processing job leaves metrics for CloudWatch, below /opt/ml (model-monitor-byoc-cloudwatch.html)
METRICS = "output/metrics/cloudwatch"
#: the parts of CreateProcessingJob that processingjobconfig.json repeats
_OF_REQUEST = (
    "AppSpecification",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)


class BadLayout(Exception):
    """The request names a path that a job cannot have; the text says which."""


def prepare(spec: JobSpec, directory: JobDirectory, host: str) -> None:
    """Make the directories and configuration files of one host of a job. Raises BadLayout."""
    if spec.kind == "training":
        _training(spec, directory, host)
    else:
        _processing(spec, directory, host)


def input_path(spec: JobSpec, name: str, local_path: str) -> str:
    """Where an input appears inside the job."""
    return f"{BASE}/input/data/{name}" if spec.kind == "training" else local_path


def read_only(spec: JobSpec) -> list[str]:
    """Directories that the job may not change: FastFile streams objects into a read-only view ([DG])."""
    return [input_path(spec, source.name, source.local_path) for source in spec.inputs if source.mode == "FastFile"]


def checkpoint_path(spec: JobSpec) -> str | None:
    """Where checkpoints live inside the job; None without CheckpointConfig."""
    return (spec.checkpoint[1] or DEFAULT_CHECKPOINTS) if spec.checkpoint else None


def _training(spec: JobSpec, directory: JobDirectory, host: str) -> None:
    for name in ("input/config", "input/data", "model", "output/data", "code"):
        (directory.ml / name).mkdir(parents=True)
    config = directory.ml / "input" / "config"
    _write(config / "hyperparameters.json", {k: str(v) for k, v in spec.hyperparameters.items()})
    channels = {}
    for channel in spec.inputs:
        entry = {
            "TrainingInputMode": channel.mode,
            "S3DistributionType": channel.distribution,
            "RecordWrapperType": "None",
        }
        if channel.content_type:
            entry["ContentType"] = channel.content_type
        channels[channel.name] = entry
    _write(config / "inputdataconfig.json", channels)
    _write(config / "resourceconfig.json", _resources(spec, host))
    checkpoints = checkpoint_path(spec)
    if checkpoints:
        _inside(directory, checkpoints)
        _write(config / "checkpointconfig.json", {"LocalPath": checkpoints})


def _processing(spec: JobSpec, directory: JobDirectory, host: str) -> None:
    for name in ("config", METRICS, "processing"):
        (directory.ml / name).mkdir(parents=True)
    for path in [each.local_path for each in spec.inputs] + [each.local_path for each in spec.outputs]:
        if not path.startswith(f"{BASE}/processing/"):
            raise BadLayout(f"LocalPath {path} must start with {BASE}/processing/")
        _inside(directory, path)
    _write(directory.ml / "config" / "resourceconfig.json", _resources(spec, host))
    request: dict[str, Any] = {
        "ProcessingJobArn": spec.arn,
        "ProcessingJobName": spec.name,
        "Environment": dict(spec.environment),
    }
    request |= {key: spec.request[key] for key in _OF_REQUEST if key in spec.request}
    _write(directory.ml / "config" / "processingjobconfig.json", request)


def _resources(spec: JobSpec, host: str) -> dict[str, Any]:
    group, hosts = "homogeneousCluster", cluster.names(spec.instance_count)
    return {
        "current_host": host,
        "current_instance_type": spec.instance_type,
        "current_group_name": group,
        "hosts": hosts,
        "instance_groups": [
            {"instance_group_name": group, "instance_type": spec.instance_type, "hosts": hosts},
        ],
        "network_interface_name": cluster.INTERFACE,
    }


def _inside(directory: JobDirectory, path: str) -> None:
    try:
        directory.path(path).mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        raise BadLayout(f"LocalPath {path} cannot be used: {error}") from error


def _write(path: Any, content: Any) -> None:
    path.write_text(json.dumps(content, default=str))
