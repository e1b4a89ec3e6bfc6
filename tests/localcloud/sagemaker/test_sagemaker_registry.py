"""The model registry: groups, versions, approval, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.sagemaker.scripted_backend import IMAGE, SCOPE, World

_GROUP = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/group"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/group"
_SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
}


@pytest.fixture
def registry(world: World) -> World:
    """An empty group."""
    world.call("CreateModelPackageGroup", ModelPackageGroupName="group", Tags=[{"Key": "team", "Value": "a"}])
    return world


def register(world: World, **members: Any) -> str:
    reply = world.call(
        "CreateModelPackage", ModelPackageGroupName="group", InferenceSpecification=_SPECIFICATION, **members
    )
    return str(reply["ModelPackageArn"])


def versions(world: World, **members: Any) -> list[int]:
    reply = world.call("ListModelPackages", **members)
    return [package["ModelPackageVersion"] for package in reply["ModelPackageSummaryList"]]


def test_versions_are_counted_and_never_given_twice(registry: World) -> None:
    assert [register(registry), register(registry)] == [f"{_PACKAGE}/1", f"{_PACKAGE}/2"]
    assert versions(registry, ModelPackageGroupName="group") == [1, 2]
    registry.call("DeleteModelPackage", ModelPackageName=f"{_PACKAGE}/2")
    assert register(registry) == f"{_PACKAGE}/3"
    # without a group AWS lists the packages that are in none
    assert versions(registry) == []
    assert versions(registry, ModelPackageType="Both") == [1, 3]


def test_a_group_with_packages_is_not_deleted(registry: World) -> None:
    arn = register(registry)
    refused = registry.refusal("DeleteModelPackageGroup", ModelPackageGroupName="group")
    assert (refused.code, refused.message) == (
        "ConflictException",
        f"Model Package Group {_GROUP} cannot be deleted because it still contains Model Packages",
    )
    registry.call("DeleteModelPackage", ModelPackageName=arn)
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="group")
    gone = registry.refusal("DescribeModelPackageGroup", ModelPackageGroupName="group")
    assert (gone.code, gone.message) == ("ValidationException", f"ModelPackageGroup {_GROUP} does not exist.")
    assert registry.call("ListModelPackageGroups") == {"ModelPackageGroupSummaryList": []}


def test_a_version_is_deleted_by_its_arn(registry: World) -> None:
    register(registry)
    refused = registry.refusal("DeleteModelPackage", ModelPackageName="group/1")
    assert refused.code == "ValidationException"
    missing = registry.refusal("DeleteModelPackage", ModelPackageName=f"{_PACKAGE}/9")
    assert (missing.code, missing.message) == ("ValidationException", f"ModelPackage {_PACKAGE}/9 does not exist.")


def test_approval(registry: World) -> None:
    arn = register(registry, CustomerMetadataProperties={"a": "1", "b": "2"})
    assert registry.call("DescribeModelPackage", ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    registry.clock.advance(60)
    registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    described = registry.call("DescribeModelPackage", ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "good"
    assert described["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert described["LastModifiedTime"] == described["CreationTime"] + 60
    assert versions(registry, ModelPackageGroupName="group", ModelApprovalStatus="Approved") == [1]
    assert versions(registry, ModelPackageGroupName="group", ModelApprovalStatus="Rejected") == []


def test_a_version_has_the_tags_of_its_group(registry: World) -> None:
    arn = register(registry)
    assert registry.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    refused = registry.refusal(
        "CreateModelPackage",
        ModelPackageGroupName="group",
        InferenceSpecification=_SPECIFICATION,
        Tags=[{"Key": "x", "Value": "y"}],
    )
    assert "Tags are not allowed" in refused.message


def test_a_group_by_its_arn_and_one_that_is_not_there(registry: World) -> None:
    assert registry.call("DescribeModelPackageGroup", ModelPackageGroupName=_GROUP)["ModelPackageGroupName"] == "group"
    again = registry.refusal("CreateModelPackageGroup", ModelPackageGroupName="group")
    assert again.message == f"Model Package Group already exists: {_GROUP}"
    missing = registry.refusal(
        "CreateModelPackage", ModelPackageGroupName="nobody", InferenceSpecification=_SPECIFICATION
    )
    assert "does not exist" in missing.message


def test_the_same_token_registers_once(registry: World) -> None:
    assert register(registry, ClientToken="t") == register(registry, ClientToken="t")
    assert versions(registry, ModelPackageGroupName="group") == [1]


def test_creating_is_authorised_on_group_and_package(registry: World) -> None:
    register(registry)
    asked = [(action, arn) for action, arn, _ in registry.backend.asked]
    assert ("sagemaker:CreateModelPackage", f"{_PACKAGE}/1") in asked
    body = b'{"ModelPackageGroupName": "group"}'
    assert registry.service.resource_arn("CreateModelPackage", body, SCOPE) == _GROUP
    by_arn = f'{{"ModelPackageName": "{_PACKAGE}/1"}}'.encode()
    assert registry.service.resource_arn("DeleteModelPackage", by_arn, SCOPE) == f"{_PACKAGE}/1"


def test_the_policy_of_a_group(registry: World) -> None:
    missing = registry.refusal("GetModelPackageGroupPolicy", ModelPackageGroupName="group")
    assert missing.message.startswith("Cannot find resource policy")
    registry.call("PutModelPackageGroupPolicy", ModelPackageGroupName="group", ResourcePolicy="{}")
    assert registry.call("GetModelPackageGroupPolicy", ModelPackageGroupName="group") == {"ResourcePolicy": "{}"}
    registry.call("DeleteModelPackageGroupPolicy", ModelPackageGroupName="group")
    assert registry.refusal("DeleteModelPackageGroupPolicy", ModelPackageGroupName="group").code == (
        "ValidationException"
    )


def test_what_is_not_here_is_refused_by_name(registry: World) -> None:
    alone = registry.refusal("CreateModelPackage", ModelPackageName="alone", InferenceSpecification=_SPECIFICATION)
    assert alone.message == "[localcloud] CreateModelPackage: ModelPackageName is not supported yet"
    card = registry.refusal("CreateModelPackage", ModelPackageGroupName="group", ModelCard={"ModelCardStatus": "Draft"})
    assert card.message == "[localcloud] CreateModelPackage: ModelCard is not supported yet"
