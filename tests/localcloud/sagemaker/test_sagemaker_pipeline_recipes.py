"""The product's own pipelines in a scripted world: every step is taken as it is written, to each of the three ends."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from sandcastle.pipeline import deployment_pipeline, training_pipeline
from tests.constructs.pipeline.recipes import FINGERPRINT, TAGS, arn, parts, workload
from tests.localcloud.sagemaker.pipeline_parts import PIPELINE_ROLE
from tests.localcloud.sagemaker.pipeline_runs import describe, start, step, steps
from tests.localcloud.sagemaker.scripted_backend import ScriptedJob, World
from tests.synthesis import ROOT

_CHOOSE = runpy.run_path(str(ROOT / "assets" / "functions" / "pipeline_choose.py"))["handler"]

_JUDGED = {
    *("Prepare", "DataQualityBaseline", "Train", "Tune", "EvaluateTop1", "EvaluateTop2", "EvaluatePlain"),
    *("ChooseBest", "ModelQualityBaseline", "GoodEnough", "GoodEnoughToDeploy", "GoodEnoughToReview"),
}
_DEPLOYED = {"CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules"}
#: of the models, in the order in which they are asked for
_ACCURACIES = {"EvaluateTop1": 0.0, "EvaluateTop2": -0.1, "EvaluatePlain": -0.2}


def create(world: World, definition: str) -> None:
    world.call(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=definition,
        ClientRequestToken="c" * 32,
        RoleArn=PIPELINE_ROLE,
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )
    world.backend.functions |= {
        arn("choose"): lambda event: _CHOOSE(dict(event), None),
        arn("deploy"): _endpoint,
        arn("confirm"): _endpoint,
        arn("schedules"): lambda _: {"schedules": "two"},
    }


def _endpoint(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"endpoint": "endpoint", "version": int(event["package"].rpartition("/")[2])}


def finish(world: World, name: str, best: float, job: ScriptedJob) -> None:
    """A job writes what the pipeline reads of it; the best model has this accuracy."""
    search, metrics = workload(name).train.tuning, parts(name).judging.metrics
    trial = job.spec.name.rpartition("-")[0][-4:] in ("-001", "-002")
    for output in job.spec.outputs if job.spec.kind == "processing" else []:
        off = _ACCURACIES.get(output.s3_uri.rpartition("/")[2])
        if off is not None:
            found = {metrics: {"accuracy": {"value": best + off}}}
            world.backend.objects[f"{output.s3_uri}/evaluation/evaluation.json"] = json.dumps(found).encode()
            world.backend.objects[f"{output.s3_uri}/smoke/input.csv"] = b"1,2"
    logged = [(search.objective, 0.9 if trial else 0.8, 1.0)] if search and job.spec.kind == "training" else []
    artifact = f"s3://models/{job.spec.name}/output/model.tar.gz" if job.spec.kind == "training" else None
    job.on_done(JobOutcome("Completed", artifact_uri=artifact, metrics=logged))


def run(world: World, name: str, best: float, **members: Any) -> str:
    """An execution to its end: every job ends well as soon as it runs."""
    execution, done = start(world, **members), set[int]()

    def over() -> bool:
        world.clock.advance(durations.JOB_STARTING)
        world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
        for number, job in enumerate(list(world.backend.jobs)):
            if number not in done:
                done.add(number)
                finish(world, name, best, job)
        return str(describe(world, execution)["PipelineExecutionStatus"]) != "Executing"

    world.wait_until(over)
    return execution


@pytest.fixture
def training(world: World, request: pytest.FixtureRequest) -> str:
    """The name of a workload whose training pipeline is there."""
    name = str(request.param)
    recipe = partial(training_pipeline, fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    # the Bayesian search needs a package that this environment does not have
    one = workload(name)
    assert one.train.tuning is not None
    search = replace(one.train.tuning, strategy="Random")
    create(world, recipe(replace(one, train=replace(one.train, tuning=search)), parts(name)).body())
    return name


both = pytest.mark.parametrize("training", ["digits", "penguins"], indirect=True)


@both
def test_a_good_model_is_registered_and_deployed(world: World, training: str) -> None:
    execution = run(world, training, 0.8)
    assert {found: status for found, status in steps(world, execution).items() if status != "Succeeded"} == {}
    assert set(steps(world, execution)) == {*_JUDGED, "RegisterApproved", *_DEPLOYED}
    package = step(world, execution, "RegisterApproved")["Metadata"]["RegisterModel"]["Arn"]
    described = world.call("DescribeModelPackage", ModelPackageName=package)
    identifier = execution.rpartition("/")[2]
    folder = f"{parts(training).data}/runs/{identifier}/EvaluateTop1"
    assert described["CustomerMetadataProperties"] == {
        "accuracy": "0.8000",
        "candidate": "Top1",
        "data_version": FINGERPRINT[:12],
        "execution": identifier,
        "folder": folder,
    }
    baseline = described["DriftCheckBaselines"]["ModelQuality"]["Constraints"]["S3Uri"]
    assert baseline == f"{folder}/model-quality/constraints.json"
    invoked = {function.rpartition(":")[2]: event for function, event, _ in world.backend.invoked}
    assert invoked["schedules"] == {"package": package, "endpoint": "endpoint"}
    made = step(world, execution, "CreateModel")["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    assert made.startswith(f"{parts(training).names.jobs}-{identifier}-")
    answers = f"{parts(training).data}/runs/{identifier}/smoke-answers"
    assert (
        invoked["deploy"]
        == invoked["confirm"]
        == {
            "package": package,
            "model": made,
            "folder": folder,
            "answers": answers,
            "execution": identifier,
        }
    )
    assert world.backend.objects[f"{answers}/input.csv.out"] == b"1,2\n"


@both
def test_a_fair_model_waits_for_its_approval_and_is_deployed_then(world: World, training: str) -> None:
    execution = run(world, training, 0.65)
    assert set(steps(world, execution)) == {*_JUDGED, "RegisterPending"}
    package = step(world, execution, "RegisterPending")["Metadata"]["RegisterModel"]["Arn"]
    described = world.call("DescribeModelPackage", ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    world.call("DeletePipeline", PipelineName="pipeline", ClientRequestToken="d" * 32)
    world.clock.advance(durations.PIPELINE_DELETE)
    create(world, deployment_pipeline(workload(training).serve, parts(training)).body())
    given = {"ModelPackageArn": package, "Folder": described["CustomerMetadataProperties"]["folder"]}
    parameters = [{"Name": name, "Value": value} for name, value in given.items()]
    unapproved = run(world, training, 0.65, PipelineParameters=parameters)
    assert "is PendingManualApproval, not Approved" in step(world, unapproved, "CreateModel")["FailureReason"]
    world.call("UpdateModelPackage", ModelPackageArn=package, ModelApprovalStatus="Approved")
    approved = run(world, training, 0.65, token="again", PipelineParameters=parameters)
    assert steps(world, approved) == dict.fromkeys(_DEPLOYED, "Succeeded")


@both
def test_a_weak_model_fails_with_its_accuracy(world: World, training: str) -> None:
    execution = run(world, training, 0.4312)
    assert set(steps(world, execution)) == {*_JUDGED, "TooWeak"}
    assert step(world, execution, "TooWeak")["FailureReason"].startswith(
        "The best model is Top1 with an accuracy of 0.4312,"
    )
    assert world.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []
