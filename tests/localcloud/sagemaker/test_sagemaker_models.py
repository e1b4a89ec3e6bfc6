"""The ways to say what a model is made of; what is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.sagemaker.conftest import XGBOOST
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World


def create(world: World, **members: Any) -> dict[str, Any]:
    world.call("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, **members)
    return world.call("DescribeModel", ModelName="m")


def source(kind: str = "S3Prefix", compression: str = "None", uri: str = "s3://bucket/model/") -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}}


def test_one_container_in_a_list_is_described_as_it_was_given(world: World) -> None:
    found = create(world, Containers=[{"Image": IMAGE, "Environment": {"A": "b"}, "Mode": "SingleModel"}])
    assert found["Containers"] == [{"Image": IMAGE, "Environment": {"A": "b"}, "Mode": "SingleModel"}]
    assert "PrimaryContainer" not in found


def test_files_that_are_not_packed_must_be_there(world: World) -> None:
    container = {"Image": IMAGE, "ModelDataSource": source()}
    error = world.refusal("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    assert error.message.startswith("Could not access model data at s3://bucket/model/.")
    world.backend.objects["s3://bucket/model/xgboost-model"] = b""
    assert create(world, PrimaryContainer=container)["PrimaryContainer"]["ModelDataSource"] == source()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Containers": [{"Image": IMAGE}] * 2}, "Containers with more than one container is not supported yet"),
        ({"Containers": [{"Image": IMAGE}], "PrimaryContainer": {"Image": IMAGE}}, "one of PrimaryContainer and"),
        ({}, "one of PrimaryContainer and"),
        ({"PrimaryContainer": {"Image": IMAGE, "ModelDataSource": source("S3Object")}}, "is not supported yet"),
        ({"PrimaryContainer": {"Image": IMAGE, "ModelDataSource": source(uri="s3://b/m")}}, "end in a forward slash"),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://b/m.tar.gz", "ModelDataSource": source()}},
            "cannot both be given",
        ),
        (
            {"PrimaryContainer": {"Image": IMAGE}, "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg"]}},
            "VpcConfig is not supported yet",
        ),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "Mode = 'MultiModel' is not supported yet"),
    ],
)
def test_what_is_refused(world: World, members: dict[str, Any], words: str) -> None:
    error = world.refusal("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, **members)
    assert error.code == "ValidationException" and words in error.message


def package(world: World, approval: str = "Approved") -> str:
    """The ARN of a version of group ``group``."""
    if not world.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"]:
        world.call("CreateModelPackageGroup", ModelPackageGroupName="group")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/m.tar.gz", "Environment": {"A": "package", "B": "b"}}
    specification = {"Containers": [container], "SupportedContentTypes": [], "SupportedResponseMIMETypes": []}
    reply = world.call(
        "CreateModelPackage",
        ModelPackageGroupName="group",
        InferenceSpecification=specification,
        ModelApprovalStatus=approval,
    )
    return str(reply["ModelPackageArn"])


def test_a_model_made_from_a_package_serves_what_is_in_it(world: World) -> None:
    container = {"ModelPackageName": package(world), "Environment": {"A": "own"}}
    # described as it was asked for
    assert create(world, PrimaryContainer=container)["PrimaryContainer"] == {**container, "Mode": "SingleModel"}
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    world.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    world.wait_until(lambda: bool(world.backend.servers))
    served = world.backend.servers[0].spec
    assert (served.image, served.model_data_url) == (IMAGE, "s3://bucket/m.tar.gz")
    assert served.environment == {"A": "own", "B": "b"}


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_a_package_that_is_not_approved_makes_no_model(world: World, approval: str) -> None:
    arn = package(world, approval)
    asked = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": arn}}
    assert f"its ModelApprovalStatus is {approval}, not Approved" in world.refusal("CreateModel", **asked).message
    world.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    world.call("CreateModel", **asked)


def test_packages_that_are_not_there_or_not_alone(world: World) -> None:
    there = package(world)
    for container, words in (
        ({"ModelPackageName": there.replace("/1", "/2")}, "does not exist"),
        ({"ModelPackageName": there, "Image": IMAGE}, "PrimaryContainer cannot contain Image beside ModelPackageName"),
    ):
        error = world.refusal("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
        assert error.code == "ValidationException" and words in error.message


@pytest.mark.localcloud
def test_a_model_of_files_that_are_not_packed_serves(
    localcloud: Any, sm: Any, runtime: Any, trained_model: str, hosted: Callable[..., str], unique: str, tmp_path: Any
) -> None:
    s3, trained = localcloud.client("s3"), sm.describe_model(ModelName=trained_model)
    key = trained["PrimaryContainer"]["ModelDataUrl"].removeprefix(f"s3://{trained_model}/")
    packed_files = io.BytesIO(s3.get_object(Bucket=trained_model, Key=key)["Body"].read())
    with tarfile.open(fileobj=packed_files) as archive:
        archive.extractall(tmp_path, filter="data")
    for file in tmp_path.iterdir():
        s3.put_object(Bucket=trained_model, Key=f"{unique}/{file.name}", Body=file.read_bytes())
    sm.create_model(
        ModelName=unique,
        ExecutionRoleArn=trained["ExecutionRoleArn"],
        Containers=[{"Image": XGBOOST, "ModelDataSource": source(uri=f"s3://{trained_model}/{unique}/")}],
    )
    variant = {"VariantName": "all", "ModelName": unique, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sm.create_endpoint_config(EndpointConfigName=unique, ProductionVariants=[variant])
    sm.create_endpoint(EndpointName=unique, EndpointConfigName=unique)
    sm.get_waiter("endpoint_in_service").wait(EndpointName=unique, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    packed = hosted()
    bodies = [
        runtime.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv")["Body"].read()
        for name in (packed, unique)
    ]
    assert bodies[0] == bodies[1]
    for name in (packed, unique):
        sm.delete_endpoint(EndpointName=name)
