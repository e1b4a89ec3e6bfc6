"""Requests against the service model: the service's own texts, member by member."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.patterns import compiled
from localcloud.sagemaker.api.supported import Anything, Only, check_supported, only
from localcloud.sagemaker.api.validation import check_request
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.kinds.absent import EMPTY_LISTS
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World

_JOB: dict[str, Any] = {
    "TrainingJobName": "job",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
}
_CONFIG: dict[str, Any] = {
    "EndpointConfigName": "config",
    "ProductionVariants": [
        {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    ],
}


def _variant(**members: Any) -> dict[str, Any]:
    return {**_CONFIG, "ProductionVariants": [{**_CONFIG["ProductionVariants"][0], **members}]}


def _error(operation: str, request: object) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        check_request(operation, request)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        (
            "CreateTrainingJob",
            {**_JOB, "TrainingJobName": "my_job"},
            "1 validation error detected: Value 'my_job' at 'trainingJobName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            "CreateTrainingJob",
            {k: v for k, v in _JOB.items() if k != "RoleArn"},
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "OutputDataConfig": {}},
            "1 validation error detected: Value null at 'outputDataConfig.s3OutputPath' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "RoleArn": None},
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "1 validation error detected: Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "HyperParameters": {"a": "x" * 2501}},
            f"1 validation error detected: Value '{{a={'x' * 2501}}}' at 'hyperParameters' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must have length less than or equal to 2500, Member must have "
            "length greater than or equal to 0, Member must satisfy regular expression pattern: .*]",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "InputDataConfig": []},
            "1 validation error detected: Value '[]' at 'inputDataConfig' failed to satisfy constraint: Member must have "
            "length greater than or equal to 1",
        ),
        (
            "CreateTrainingJob",
            {**_JOB, "VpcConfig": {"SecurityGroupIds": ["sg_1"], "Subnets": ["s-1"]}},
            "1 validation error detected: Value '[sg_1]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 32, Member must have length "
            "greater than or equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]",
        ),
        (
            "CreateEndpointConfig",
            _variant(VariantName="v" * 64),
            f"2 validation errors detected: Value '{'v' * 64}' at 'productionVariants.1.member.variantName' failed to "
            "satisfy constraint: Member must have length less than or equal to 63; "
            f"Value '{'v' * 64}' at 'productionVariants.1.member.variantName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            "ListTrainingJobs",
            {"MaxResults": 101},
            "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value "
            "less than or equal to 100",
        ),
        (
            "CreateModel",
            {"ModelName": "m", "Tags": [{"Key": "a", "Value": "ü b"}, {"Key": "b|", "Value": ""}]},
            "1 validation error detected: Value 'b|' at 'tags.2.member.key' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
        ),
        ("CreateModel", {"ModelName": "m", "Surprise": 1}, "[localcloud] CreateModel: unknown parameter 'Surprise'"),
        (
            "CreateModel",
            {"ModelName": "m", "PrimaryContainer": {"Imag": "x"}},
            "[localcloud] CreateModel: unknown parameter 'PrimaryContainer.Imag'",
        ),
    ],
)
def test_a_wrong_request_gets_the_services_own_text(operation: str, request_: dict[str, Any], expected: str) -> None:
    error = _error(operation, request_)
    assert (error.code, error.message) == ("ValidationException", expected)


def test_an_unknown_instance_type_names_every_known_one() -> None:
    message = _error("CreateEndpointConfig", _variant(InstanceType="ml.t3.medium")).message
    assert message.startswith(
        "1 validation error detected: Value 'ml.t3.medium' at 'productionVariants.1.member.instanceType' failed to "
        "satisfy constraint: Member must satisfy enum value set: [ml."
    )
    assert "ml.m5.large" in message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "NUMBER_VALUE"),
        ({"a": 1}, "START_OBJECT"),
        (["a"], "START_ARRAY"),
        (True, "TRUE_VALUE"),
    ],
)
def test_a_wrong_json_type_is_a_serialization_error(value: object, text: str) -> None:
    error = _error("DescribeModel", {"ModelName": value})
    assert error.code == "SerializationException"
    assert text in error.message


def test_null_members_are_absent() -> None:
    assert check_request("ListModels", {"NameContains": None, "MaxResults": 5}) == {"MaxResults": 5}


def test_an_operation_that_sagemaker_does_not_have(world: World) -> None:
    assert world.refusal("CreateUniverse").code == "UnknownOperationException"


def test_an_operation_that_localcloud_does_not_have_names_itself(world: World) -> None:
    error = world.refusal("CreateCluster", ClusterName="c")
    assert error.code == "UnknownOperationException"
    assert error.message == "[localcloud] CreateCluster is not supported yet"


@pytest.mark.parametrize(
    ("operation", "members", "named"),
    [
        ("CreateTrainingJob", {**_JOB, "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["s-1"]}}, "VpcConfig"),
        (
            "CreateTrainingJob",
            {**_JOB, "ProfilerConfig": {"DisableProfiler": False}},
            "ProfilerConfig.DisableProfiler = False",
        ),
        (
            "CreateTrainingJob",
            {
                **_JOB,
                "InputDataConfig": [
                    {
                        "ChannelName": "a",
                        "CompressionType": "Gzip",
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}},
                    }
                ],
            },
            "InputDataConfig.CompressionType = 'Gzip'",
        ),
        (
            "CreateTrainingJob",
            {
                **_JOB,
                "InputDataConfig": [
                    {
                        "ChannelName": "a",
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}},
                    },
                    {
                        "ChannelName": "b",
                        "DataSource": {
                            "FileSystemDataSource": {
                                "FileSystemId": "fs-12345678",
                                "FileSystemAccessMode": "ro",
                                "FileSystemType": "EFS",
                                "DirectoryPath": "/",
                            }
                        },
                    },
                ],
            },
            "InputDataConfig.DataSource.FileSystemDataSource",
        ),
        (
            "CreateEndpointConfig",
            {
                **_variant(),
                "ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}},
            },
            "ExplainerConfig",
        ),
    ],
)
def test_a_valid_member_that_is_not_honoured_is_refused_by_name(
    world: World, operation: str, members: dict[str, Any], named: str
) -> None:
    error = world.refusal(operation, **members)
    assert error.message == f"[localcloud] {operation}: {named} is not supported yet"


def test_only_does_not_take_false_for_zero() -> None:
    check_supported("X", {"Seconds": only(0)}, {"Seconds": 0})
    with pytest.raises(ServiceError):
        check_supported("X", {"Seconds": only(0)}, {"Seconds": False})


def test_every_honoured_member_is_in_the_service_model(world: World) -> None:
    def check(rule: Any, shape: Any, path: str) -> None:
        if isinstance(rule, Anything | Only):
            return
        if shape.type_name == "list":
            shape = shape.member
        for name, inner in rule.items():
            assert name in shape.members, f"{path}.{name}"
            check(inner, shape.members[name], f"{path}.{name}")

    for name, operation in world.service.operations.items():
        check(operation.supported, model.input_shape(name), name)


def test_every_pattern_of_every_served_operation_compiles(world: World) -> None:
    seen: set[str] = set()

    def walk(shape: Any) -> None:
        if shape is None or shape.name in seen:
            return
        seen.add(shape.name)
        if shape.metadata.get("pattern"):
            compiled(shape.metadata["pattern"])
        for inner in getattr(shape, "members", {}).values():
            walk(inner)
        for part in ("member", "key", "value"):
            walk(getattr(shape, part, None))

    for name in world.service.operations:
        walk(model.input_shape(name))
    assert len(seen) > 100


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"\A\S[\p{Print}]*\z", "a b~", "aé"),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Größe 1\u00a0@", "a|b"),
        (r"\p{ASCII}*", "plain", "ü"),
        (r"arn:[\p{Alnum}\-]+:x", "arn:aws-cn:x", "arn:aws_:x"),
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", "Größe: 5 € ok!", "bell\a"),
        (r"([\p{L}]*)${1,128}", "abc", "a|"),
    ],
)
def test_java_patterns(pattern: str, yes: str, no: str) -> None:
    assert compiled(pattern).fullmatch(yes)
    assert not compiled(pattern).fullmatch(no)


@pytest.mark.parametrize(("operation", "member"), EMPTY_LISTS.items())
def test_kinds_that_cannot_exist_here_are_listed_as_none(world: World, operation: str, member: str) -> None:
    shape = model.operation(operation).output_shape
    assert shape is not None and shape.members[member].type_name == "list"
    required = dict.fromkeys(model.input_shape(operation).required_members, "x")
    assert world.call(operation, **required) == {member: []}
