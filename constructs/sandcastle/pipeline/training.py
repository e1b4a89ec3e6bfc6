"""From data to a registered model: prepare, tune and train, judge, and register or give up.

A model that is good enough is deployed by the same run; one that a person has to look at, by the deployment's own
pipeline when it is approved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from sandcastle.config import Tuning, Workload
from sandcastle.pipeline import baselines
from sandcastle.pipeline.definition import Definition, Parameter
from sandcastle.pipeline.deployment import Candidate, deployment_steps
from sandcastle.pipeline.expressions import EXECUTION_ID, answer, join, json_get, output_uri, parameter, result
from sandcastle.pipeline.flow import at_least, below, condition, fail
from sandcastle.pipeline.parts import Parts
from sandcastle.pipeline.steps import Step, function, processing, register, training, tuning
from sandcastle.processing_request import (
    BASELINE,
    OUTPUT,
    PREPARED,
    Machine,
    Value,
    output_folders,
    processing_output,
    processing_request,
)
from sandcastle.serving_environment import script_variables
from sandcastle.training_request import Places, training_request, tuning_request

DATA_VERSION, APPROVE, REVIEW = "DataVersion", "ApproveAccuracy", "ReviewAccuracy"
PROCESSING, TRAINING = "ProcessingInstanceType", "TrainingInstanceType"
"""Parameters of a run."""

VERSION_DIGITS = 12
"""Of the data's fingerprint, in the version that a run prepares unless it is told another one."""

_EVALUATION, _FOLDER = "Evaluation", "results"
"""The property file with a model's metrics, and the output of the job that judges: the folder of all that it wrote."""


@dataclass(frozen=True)
class _Candidate:
    """One of the models that a run makes: what it is called, and where its archive lies."""

    name: str
    archive: Value

    @property
    def step(self) -> str:
        """The step that judges it."""
        return f"Evaluate{self.name}"


def training_pipeline(
    workload: Workload, parts: Parts, *, fingerprint: str, approve: float, review: float
) -> Definition:
    """Return the pipeline. ``fingerprint`` is the data's; from an accuracy (0 to 1) of ``approve`` on a model is
    deployed, from ``review`` on it waits for a person.
    """
    train, search = workload.train, workload.train.tuning
    places = _places(workload, parts)
    tags = parts.tags
    candidates = _candidates(search, parts)
    steps = [
        _prepare(workload, parts),
        baselines.data_quality(
            parts,
            output_uri("Prepare", BASELINE),
            baseline=join("/", parts.data, parameter(DATA_VERSION), baselines.DATA_FOLDER),
            instance=parameter(PROCESSING),
        ),
        training("Train", training_request(replace(train, tune=False), places, tags), prefix=parts.names.jobs),
    ]
    if search:
        request = tuning_request(replace(train, tune=True), search, places, tags, fingerprint)
        steps.append(tuning("Tune", request, prefix=parts.names.tuning))
    steps += [_evaluate(workload, parts, one) for one in candidates]
    steps += [
        _choose(parts, candidates),
        baselines.model_quality(parts, folder=_best("folder"), instance=parameter(PROCESSING)),
        *_decide(workload, parts),
    ]
    return Definition(
        parameters=(
            Parameter(DATA_VERSION, "String", fingerprint[:VERSION_DIGITS]),
            Parameter(APPROVE, "Float", approve),
            Parameter(REVIEW, "Float", review),
            Parameter(PROCESSING, "String", workload.prepare.instance),
            Parameter(TRAINING, "String", train.instance),
        ),
        steps=tuple(steps),
    )


def _prepare(workload: Workload, parts: Parts) -> Step:
    """Prepare the data: again when the version is another one, as folder and environment say."""
    prepare, version = workload.prepare, parameter(DATA_VERSION)
    request = processing_request(
        parts.prepare,
        Machine(parameter(PROCESSING), prepare.volume_gb, prepare.max_runtime_minutes),
        outputs=output_folders({name: join("/", parts.data, version, name) for name in (*PREPARED, BASELINE)}),
        variables={"SANDCASTLE_DATA_VERSION": version},
        tags=parts.tags,
    )
    return processing("Prepare", request, prefix=parts.names.jobs)


def _places(workload: Workload, parts: Parts) -> Places:
    """Say where jobs train. On spot capacity they keep no checkpoints: a run would go on from another run's model."""
    return Places(
        image=parts.training_image,
        role_arn=parts.training_role,
        channels={name: output_uri("Prepare", name) for name in workload.train.channels},
        models=parts.models,
        region=parts.region,
        source=parts.source,
        instance=parameter(TRAINING),
    )


def _candidates(search: Tuning | None, parts: Parts) -> list[_Candidate]:
    """Return the models that are judged: the best two that tuning finds, if it looks for two, and the plain one."""
    best = min(2, search.max_jobs) if search else 0
    found = [_Candidate(f"Top{place + 1}", _archive(place, parts)) for place in range(best)]
    return [*found, _Candidate("Plain", result("Train", "ModelArtifacts.S3ModelArtifacts"))]


def _archive(place: int, parts: Parts) -> Value:
    name = result("Tune", f"TrainingJobSummaries[{place}].TrainingJobName")
    return join("/", parts.models, name, "output/model.tar.gz")


def _evaluate(workload: Workload, parts: Parts, candidate: _Candidate) -> Step:
    """Judge a model on the test split, with the script that will serve it, on the image that trained it.

    All that the job writes is one output, so that its folder is known from the step's result even when that is an
    earlier run's.
    """
    prepare = workload.prepare
    request = processing_request(
        parts.evaluate,
        Machine(parameter(PROCESSING), prepare.volume_gb, prepare.max_runtime_minutes),
        inputs={
            "model": candidate.archive,
            "test": output_uri("Prepare", "test"),
            "about": output_uri("Prepare", "about"),
        },
        outputs=[processing_output(_FOLDER, join("/", parts.data, "runs", EXECUTION_ID, candidate.step), OUTPUT)],
        variables=parts.judging.variables(workload.serve),
        tags=parts.tags,
    )
    files = {_EVALUATION: (_FOLDER, "evaluation/evaluation.json")}
    return processing(candidate.step, request, prefix=parts.names.jobs, files=files)


def _choose(parts: Parts, candidates: list[_Candidate]) -> Step:
    """Take the most accurate; SageMaker's conditions compare, but they do not pick."""
    arguments: dict[str, Value] = {}
    for one in candidates:
        accuracy = json_get(one.step, _EVALUATION, f"{parts.judging.metrics}.accuracy.value")
        folder = output_uri(one.step, _FOLDER)
        arguments |= {f"{one.name}_accuracy": accuracy, f"{one.name}_model": one.archive, f"{one.name}_folder": folder}
    return function(
        "ChooseBest",
        parts.functions.choose,
        arguments,
        {"name": "String", "model": "String", "folder": "String", "accuracy": "Float", "accuracy_text": "String"},
    )


def _best(name: str) -> Value:
    return answer("ChooseBest", name)


def _decide(workload: Workload, parts: Parts) -> list[Step]:
    """Give up on what is too weak, register and deploy what is good enough, register what a person has to decide on.

    Three conditions side by side, of which each run meets one: SageMaker supports none inside another.
    """
    accuracy, approve, review = _best("accuracy"), parameter(APPROVE), parameter(REVIEW)
    reason = (
        "The best model is ",
        _best("name"),
        " with an accuracy of ",
        _best("accuracy_text"),
        ", below the least that a person may approve, ",
        review,
        " (parameter ReviewAccuracy)",
    )
    deployed = Candidate(result("RegisterApproved", "ModelPackageArn"), _best("folder"))
    approved = [_register(workload, parts, "Approved"), *deployment_steps(workload.serve, parts, deployed)]
    pending = [_register(workload, parts, "PendingManualApproval")]
    return [
        condition("GoodEnough", [at_least(accuracy, review)], [], [fail("TooWeak", join("", *reason))]),
        condition("GoodEnoughToDeploy", [at_least(accuracy, review), at_least(accuracy, approve)], approved, []),
        condition("GoodEnoughToReview", [at_least(accuracy, review), below(accuracy, approve)], pending, []),
    ]


def _register(workload: Workload, parts: Parts, status: Literal["Approved", "PendingManualApproval"]) -> Step:
    """Register the best model with its baselines. It has no tags of its own: a version has those of its group."""
    serve = workload.serve
    container: dict[str, Any] = {"Image": parts.serving_image, "ModelDataUrl": _best("model")}
    if variables := script_variables(serve, parts.region):
        container["Environment"] = variables
    return register(
        "RegisterApproved" if status == "Approved" else "RegisterPending",
        {
            "ModelPackageGroupName": parts.names.group,
            "ModelApprovalStatus": status,
            "SkipModelValidation": "None",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": [serve.content_type],
                "SupportedResponseMIMETypes": [serve.accept],
                "SupportedRealtimeInferenceInstanceTypes": [serve.instance],
                "SupportedTransformInstanceTypes": [serve.instance],
            },
            "ModelMetrics": baselines.model_metrics(parts),
            "DriftCheckBaselines": baselines.drift_check(parts),
            "CustomerMetadataProperties": {
                "accuracy": _best("accuracy_text"),
                "candidate": _best("name"),
                "data_version": parameter(DATA_VERSION),
                "execution": EXECUTION_ID,
                "folder": _best("folder"),
            },
        },
    )
