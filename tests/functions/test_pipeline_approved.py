"""An approval in the registry starts one deployment, whatever EventBridge delivers and how often."""

from __future__ import annotations

import os
from typing import Any

import pipeline_approved
import pytest

from tests.functions.pipeline_deploying import package
from tests.functions.pipeline_world import World

GROUP = "sandcastle-test--penguins-5f0c2a10"
FOLDER = "s3://data/penguins/pipeline/runs/e1/EvaluatePlain"


def event(**changes: Any) -> dict[str, Any]:
    """Return an event as SageMaker sends it when somebody approves a version."""
    detail = {
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": 3,
        "ModelPackageArn": package(3),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "LastModifiedTime": 1764191803000,
        "UpdatedModelPackageFields": ["ModelApprovalStatus"],
    }
    return {"id": "1", "source": "aws.sagemaker", "detail": {**detail, **changes}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    world.packages[package(3)] = {
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {"folder": FOLDER, "accuracy": "0.61"},
    }
    monkeypatch.setattr(os, "environ", {"DEPLOYMENT_PIPELINE": "penguins-deployment", "GROUP": GROUP})
    client = world.client()
    monkeypatch.setattr(pipeline_approved, "client", lambda _: client)
    return world


def test_an_approval_starts_the_deployment_of_its_version(world: World) -> None:
    assert f"version 3 of {GROUP} is being deployed by arn:" in pipeline_approved.handler(event(), None)
    (started,) = world.executions.values()
    assert started == {
        "PipelineName": "penguins-deployment",
        "PipelineExecutionDisplayName": "version-3",
        "PipelineExecutionDescription": "Version 3 was approved",
        "PipelineParameters": [
            {"Name": "ModelPackageArn", "Value": package(3)},
            {"Name": "Folder", "Value": FOLDER},
        ],
    }


def test_events_of_one_approval_start_it_once_and_another_approval_again(world: World) -> None:
    for delivered in (event(), event(), event() | {"id": "2"}):
        pipeline_approved.handler(delivered, None)
    assert len(world.executions) == 1
    pipeline_approved.handler(event(LastModifiedTime=1764191999000), None)
    assert len(world.executions) == 2
    assert all(len(token) == 64 for token in world.executions), "of the 32 to 128 that SageMaker takes"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ModelApprovalStatus": "Rejected"}, "is Rejected"),
        ({"UpdatedModelPackageFields": []}, "its approval has not changed"),
        ({"UpdatedModelPackageFields": None}, "its approval has not changed"),
        ({"UpdatedModelPackageFields": ["CustomerMetadataProperties"]}, "its approval has not changed"),
        ({"ModelPackageGroupName": "somebody-elses"}, f"is not of {GROUP}"),
    ],
)
def test_other_changes_start_nothing(world: World, changes: dict[str, Any], says: str) -> None:
    assert says in pipeline_approved.handler(event(**changes), None)
    assert world.calls == []


def test_an_approval_that_was_taken_back_starts_nothing(world: World) -> None:
    world.packages[package(3)]["ModelApprovalStatus"] = "Rejected"
    assert "is Rejected by now" in pipeline_approved.handler(event(), None)
    assert not world.executions


def test_a_version_without_an_evaluation_is_refused(world: World) -> None:
    del world.packages[package(3)]["CustomerMetadataProperties"]
    with pytest.raises(ValueError, match=r"version 3 of .* does not say where its evaluation is \(property `folder`\)"):
        pipeline_approved.handler(event(), None)
