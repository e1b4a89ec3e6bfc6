"""The control plane through boto3: roles, permissions, tags, audits. No job is run here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.localcloud

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ACCOUNT = "000000000000"


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of the error that the call must answer with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def processing(name: str, role: str, **members: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": role,
        "AppSpecification": {"ImageUri": SKLEARN},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        **members,
    }


@pytest.fixture
def user(localcloud: Any, unique: str) -> Callable[[list[dict[str, Any]]], Any]:
    """(policy statements) -> a SageMaker client of a new user who may do just that."""
    import json

    iam = localcloud.client("iam")

    def make(statements: list[dict[str, Any]]) -> Any:
        name = f"user-{unique}"
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return localcloud.client(
            "sagemaker",
            {
                "AccessKeyId": key["AccessKeyId"],
                "SecretAccessKey": key["SecretAccessKey"],
            },
        )

    return make


def test_a_role_that_does_not_exist(sm: Any, unique: str) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    assert refused(sm.create_processing_job, **processing(unique, role)) == (
        "ValidationException",
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )


def test_a_role_for_another_service(sm: Any, unique: str, make_role: Callable[..., str]) -> None:
    role = make_role(service="lambda.amazonaws.com")
    assert "Could not assume role" in refused(sm.create_processing_job, **processing(unique, role))[1]


def test_an_unknown_image_names_itself_and_what_is_known(sm: Any, unique: str, make_role: Callable[..., str]) -> None:
    request = processing(unique, make_role(), AppSpecification={"ImageUri": "example.com/mine:1"})
    code, message = refused(sm.create_processing_job, **request)
    assert code == "ValidationException"
    assert message.startswith("[localcloud] ") and "example.com/mine:1" in message and "xgboost" in message


def test_pass_role_is_checked_with_the_service_it_goes_to(
    sm: Any, unique: str, make_role: Callable[..., str], user: Callable[..., Any]
) -> None:
    role, other = make_role(), make_role()
    caller = user(
        [
            {"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": role,
                "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            },
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": other,
                "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
            },
        ]
    )
    model = {"ModelName": unique, "PrimaryContainer": {"Image": SKLEARN}}
    code, message = refused(caller.create_model, **model, ExecutionRoleArn=other)
    assert code == "AccessDeniedException"
    assert message.startswith(
        f"User: arn:aws:iam::{ACCOUNT}:user/user-{unique} is not authorized to perform: "
        f"iam:PassRole on resource: {other}"
    )
    # the role itself may be passed; it may not pull the image, which is the next check
    assert "ecr:BatchGetImage" in refused(caller.create_model, **model, ExecutionRoleArn=role)[1]


def test_permissions_are_by_resource_and_tag(
    sm: Any, unique: str, make_role: Callable[..., str], user: Callable[..., Any]
) -> None:
    pull = (["ecr:BatchGetImage"], ["*"])
    role = make_role(pull)
    for name, team in ((f"{unique}-mine", "a"), (f"{unique}-theirs", "b")):
        sm.create_model(
            ModelName=name,
            PrimaryContainer={"Image": SKLEARN},
            ExecutionRoleArn=role,
            Tags=[{"Key": "team", "Value": team}],
        )
    own = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/{unique}-*"
    caller = user(
        [
            {"Effect": "Allow", "Action": "sagemaker:DescribeModel", "Resource": own},
            {
                "Effect": "Allow",
                "Action": "sagemaker:DeleteModel",
                "Resource": own,
                "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}},
            },
            {"Effect": "Allow", "Action": ["sagemaker:CreateModel", "iam:PassRole"], "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "sagemaker:AddTags",
                "Resource": own,
                "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}},
            },
        ]
    )
    assert caller.describe_model(ModelName=f"{unique}-theirs")["ModelName"] == f"{unique}-theirs"
    assert refused(caller.describe_model, ModelName="elsewhere")[0] == "AccessDeniedException"
    assert refused(caller.delete_model, ModelName=f"{unique}-theirs")[0] == "AccessDeniedException"
    caller.delete_model(ModelName=f"{unique}-mine")
    again = {"ModelName": f"{unique}-mine", "PrimaryContainer": {"Image": SKLEARN}, "ExecutionRoleArn": role}
    code, message = refused(caller.create_model, **again, Tags=[{"Key": "team", "Value": "b"}])
    assert code == "AccessDeniedException" and "sagemaker:AddTags" in message
    caller.create_model(**again, Tags=[{"Key": "team", "Value": "a"}])


def test_a_model_needs_its_data(localcloud: Any, sm: Any, unique: str, make_role: Callable[..., str]) -> None:
    bucket = f"models-{unique}"
    localcloud.client("s3").create_bucket(Bucket=bucket)
    localcloud.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=b"x")
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    blind = make_role((["ecr:BatchGetImage"], ["*"]))
    code, message = refused(sm.create_model, ModelName=unique, PrimaryContainer=container, ExecutionRoleArn=blind)
    assert code == "ValidationException"
    assert message.startswith(f"Could not access model data at s3://{bucket}/model.tar.gz. Please ensure that the ")
    seeing = make_role((["ecr:BatchGetImage"], ["*"]), (["s3:GetObject"], [f"arn:aws:s3:::{bucket}/*"]))
    sm.create_model(ModelName=unique, PrimaryContainer=container, ExecutionRoleArn=seeing)
    described = sm.describe_model(ModelName=unique)
    assert described["PrimaryContainer"]["ModelDataUrl"] == container["ModelDataUrl"]
    assert described["ExecutionRoleArn"] == seeing


def test_tags_are_found_by_the_tagging_service(
    localcloud: Any, sm: Any, unique: str, make_role: Callable[..., str]
) -> None:
    role = make_role((["ecr:BatchGetImage"], ["*"]))
    arn = sm.create_model(
        ModelName=unique,
        PrimaryContainer={"Image": SKLEARN},
        ExecutionRoleArn=role,
        Tags=[{"Key": "who", "Value": unique}],
    )["ModelArn"]
    tagging = localcloud.client("resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=[{"Key": "who", "Values": [unique]}])["ResourceTagMappingList"]
    assert [resource["ResourceARN"] for resource in found] == [arn]


def test_paginators_and_waiters_of_boto3_work(sm: Any, unique: str, make_role: Callable[..., str]) -> None:
    role = make_role((["ecr:BatchGetImage"], ["*"]))
    for number in range(12):
        sm.create_model(ModelName=f"{unique}-page-{number}", PrimaryContainer={"Image": SKLEARN}, ExecutionRoleArn=role)
    pages = list(sm.get_paginator("list_models").paginate(NameContains=f"{unique}-page-"))
    assert [len(page["Models"]) for page in pages] == [10, 2]
    sm.get_waiter("endpoint_deleted").wait(EndpointName="never-there", WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_what_an_audit_asks_is_answered(sm: Any) -> None:
    assert sm.list_domains()["Domains"] == []
    assert sm.list_notebook_instances(StatusEquals="InService")["NotebookInstances"] == []
    assert sm.list_monitoring_schedules()["MonitoringScheduleSummaries"] == []


def test_what_is_not_here_is_refused_by_name(sm: Any) -> None:
    code, message = refused(
        sm.create_code_repository,
        CodeRepositoryName="n",
        GitConfig={"RepositoryUrl": "https://git.example.com/n"},
    )
    assert (code, message) == (
        "UnknownOperationException",
        "[localcloud] CreateCodeRepository is not supported yet",
    )
