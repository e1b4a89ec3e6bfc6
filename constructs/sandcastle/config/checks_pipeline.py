"""What must hold of a workload with a pipeline: what a pipeline can judge and deploy, and who has the last word on it.

A pipeline judges models by running their own code on the test split, in the image that trained them. It deploys by a
function that updates one real-time endpoint, and it watches what that endpoint captures.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sandcastle.config.checks import Pair
from sandcastle.config.models import PipelineSpec
from sandcastle.config.yaml_lines import KeyPath

LONGEST_NAMES = 22
"""Most characters of environment and workload name together with a pipeline: what names of its jobs begin with,
``sandcastle-<environment>--<workload>--p``, may have 38. Names of 63 bear one character more: that of the definition
of a monitoring job, ``sandcastle-<environment>--<workload>--<stack 8>-quality-<content 8>``, is the longest."""

NO_SCRIPT = ("kmeans", "linear-learner")
"""Algorithms whose images run no program of ours (SageMaker developer guide, their model formats are their own)."""

_AT_ONCE = "a pipeline's function updates the endpoint all at once: slower steps would outlast its 10 minutes"
_ENDPOINT = {
    "kind": "a pipeline watches what its endpoint captures, and SageMaker captures data of real-time endpoints only",
    "variants": "a pipeline deploys one model at a time, the best of its run",
    "scaling": "each deployment of a pipeline would go back to the number of instances that it was written with",
    "deployment": _AT_ONCE,
    "memory_mb": "instances have the memory of their type; only a serverless endpoint chooses it",
    "max_concurrency": "only a serverless endpoint has a limit of its own",
    "concurrency": "only an asynchronous endpoint is told how much to take at a time",
}
"""Keys of ``endpoint`` that do not go with a pipeline, and why."""

_POSSIBLE = "instance, instances and capture_percent beside a pipeline; or no pipeline"


def check_pipeline(pair: Pair, environment: Any) -> None:
    """Note whatever does not go with a pipeline, if the workload has one. ``environment`` is the name as written."""
    if not pair.has_pipeline:
        return
    _check_source(pair)
    _check_endpoint(pair)
    _check_thresholds(pair)
    _check_name(pair, environment)
    tune: KeyPath = ("workloads", pair.name, "train", "tune")
    if pair.environment.at(tune) is not None:
        message = "a pipeline tunes beside its plain training wherever the workload's train has a section tuning"
        pair.environment.problem(tune, message, allowed="no such key")


def _check_source(pair: Pair) -> None:
    """Note a model that nothing could judge: the evaluation is a program of ours in the image that trained."""
    at: KeyPath = ("workloads", pair.name, "pipeline")
    algorithm = pair.workload.at(("train", "algorithm"))
    if algorithm in NO_SCRIPT:
        message = f"the image of {algorithm} runs no script of ours, so that nothing could evaluate its models"
        pair.environment.problem(at, message, allowed="a workload with a framework or with xgboost", show_value=False)
    if pair.workload.at(("train", "artifact")) is not None:
        message = "its model is a pre-trained archive: there is nothing for a pipeline to train"
        pair.environment.problem(at, message, allowed="a workload that trains", show_value=False)
    if algorithm not in NO_SCRIPT and pair.workload.at(("evaluate", "kind")) == "clusters":
        message = "clusters have no accuracy, which a pipeline decides by"
        pair.environment.problem(at, message, allowed="evaluate.kind binary or multiclass", show_value=False)


def _check_endpoint(pair: Pair) -> None:
    at: KeyPath = ("workloads", pair.name, "endpoint")
    written = pair.environment.at(at)
    for key in written if isinstance(written, dict) else ():
        if key in _ENDPOINT and not (key == "kind" and written[key] == "real-time"):
            pair.environment.problem((*at, key), _ENDPOINT[key], allowed=_POSSIBLE)
    if isinstance(written, dict) and written.get("capture_percent") == 0:
        message = "a pipeline watches what its endpoint captures, and this captures nothing"
        pair.environment.problem((*at, "capture_percent"), message, allowed="1 to 100, or no pipeline")


def _check_thresholds(pair: Pair) -> None:
    at: KeyPath = ("workloads", pair.name, "pipeline")
    written = pair.environment.at(at)
    try:
        found = PipelineSpec.model_validate(written if isinstance(written, dict) else {})
    except ValidationError:
        return  # reported already
    if found.review > found.approve:
        key = "review" if "review" in found.model_fields_set else "approve"
        message = f"what is good enough to be deployed (approve {found.approve:g}) is too weak to be reviewed"
        allowed = f"review at most approve; review is {found.review:g}"
        pair.environment.problem((*at, key), message, allowed=allowed)


def _check_name(pair: Pair, environment: Any) -> None:
    if isinstance(environment, str) and len(environment) + len(pair.name) > LONGEST_NAMES:
        pair.environment.problem(
            ("workloads", pair.name),
            f"the names {environment!r} and {pair.name!r} together have {len(environment) + len(pair.name)} characters",
            allowed=f"at most {LONGEST_NAMES} with a pipeline, since its jobs are named after them",
        )
