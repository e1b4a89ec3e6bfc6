"""The definition of a deployed workload's training job, as a request that can be made again."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from operations.by_hand import tags_of
from operations.errors import OperationError
from operations.project import WORKLOADS
from operations.target import Target

_KEPT = (
    "AlgorithmSpecification",
    "CheckpointConfig",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "Environment",
    "HyperParameters",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "RoleArn",
    "StoppingCondition",
    "VpcConfig",
)
"""Members of DescribeTrainingJob's reply that CreateTrainingJob takes and that a template of ours may set."""

_WAIT_SHARE = 1.5
"""How long a spot job may wait and run together, in times of what it may run."""


def deployed_job(target: Target, workload: str, outputs: dict[str, str]) -> dict[str, Any]:
    """Return the description of the job that trained the deployed model.

    Raises OperationError for a workload that trains nothing.
    """
    job = outputs.get("TrainingJob")
    if not job:
        raise OperationError(f"Workload {workload} comes with a finished model: there is nothing to train.")
    found: dict[str, Any] = target.client("sagemaker").describe_training_job(TrainingJobName=job)
    return found


def training_request(described: dict[str, Any], environment: str, workload: str) -> dict[str, Any]:
    """Return the request, without a job's name, that makes the described job again with the environment's tags.

    The best trial of a tuning job has ``_tuning_...`` hyperparameters, which only SageMaker may set. Metrics of
    built-in algorithms are SageMaker's, too: it refuses a request that names them.
    """
    request = {key: copy.deepcopy(described[key]) for key in _KEPT if described.get(key)}
    request["HyperParameters"] = {
        name: value for name, value in request.get("HyperParameters", {}).items() if not name.startswith("_tuning_")
    }
    if not _prints_own_metrics(workload):
        request["AlgorithmSpecification"].pop("MetricDefinitions", None)
    request["OutputDataConfig"] = {key: value for key, value in request["OutputDataConfig"].items() if value}
    request["Tags"] = tags_of(environment, workload)
    return request


def with_spot(request: dict[str, Any], name: str, spot: bool | None) -> dict[str, Any]:
    """Return the request on spot capacity (True), not on it (False), or as it is (None).

    A spot job's checkpoints lie in a folder of its own: in another job's it would find a finished model.
    """
    spot = bool(request.get("EnableManagedSpotTraining")) if spot is None else spot
    stopping = dict(request["StoppingCondition"])
    changed = {**request, "EnableManagedSpotTraining": spot, "StoppingCondition": stopping}
    checkpoints = changed.pop("CheckpointConfig", None)
    if spot:
        stopping.setdefault("MaxWaitTimeInSeconds", int(stopping["MaxRuntimeInSeconds"] * _WAIT_SHARE))
        if checkpoints:
            folder = checkpoints["S3Uri"].rstrip("/").rpartition("/")[0]
            changed["CheckpointConfig"] = {**checkpoints, "S3Uri": f"{folder}/{name}"}
    else:
        stopping.pop("MaxWaitTimeInSeconds", None)
    return changed


def described_in(workload: str) -> dict[str, Any]:
    """Return the workload's description, as its author wrote it."""
    document: dict[str, Any] = yaml.safe_load((WORKLOADS / workload / "workload.yaml").read_text(encoding="utf-8"))
    return document


def _prints_own_metrics(workload: str) -> bool:
    return "framework" in described_in(workload)["train"]
