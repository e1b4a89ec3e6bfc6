"""Condition keys of SageMaker in policies: what a request says, who owns a space, who sits in an app."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker import iam_context
from tests.localcloud.core.stacks import eventually, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"
_numbers = itertools.count()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, {}),
        ({"ResourceSpec": {"InstanceType": "ml.t3.medium"}}, {"sagemaker:InstanceTypes": ["ml.t3.medium"]}),
        (
            {
                "ProductionVariants": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.g5.xlarge"}],
                "Environment": {"InstanceType": "no"},
                "Tags": [{"Key": "InstanceType", "Value": "no"}],
            },
            {"sagemaker:InstanceTypes": ["ml.m5.large", "ml.g5.xlarge"]},
        ),
        (
            {
                "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}},
                "StoppingCondition": {"MaxRuntimeInSeconds": 300},
                "NetworkConfig": {
                    "EnableNetworkIsolation": True,
                    "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
                },
            },
            {
                "sagemaker:InstanceTypes": ["ml.m5.large"],
                "sagemaker:MaxRuntimeInSeconds": "300",
                "sagemaker:NetworkIsolation": "true",
                "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"],
                "sagemaker:VpcSecurityGroupIds": ["sg-1"],
            },
        ),
        (
            {"SubnetId": "subnet-1", "RootAccess": "Disabled", "DirectInternetAccess": "Disabled"},
            {
                "sagemaker:VpcSubnets": ["subnet-1"],
                "sagemaker:RootAccess": "Disabled",
                "sagemaker:DirectInternetAccess": "Disabled",
            },
        ),
        ({"SubnetIds": {"odd": 1}, "InstanceType": None}, {}),
    ],
)
def test_what_a_request_says(request_: dict[str, Any], expected: dict[str, Any]) -> None:
    assert iam_context.of_request(request_) == expected


@pytest.fixture
def caller(localcloud: Localcloud) -> Callable[..., Any]:
    """A SageMaker client of a new user with these statements."""
    iam = localcloud.client("iam")

    def make(*statements: dict[str, Any]) -> Any:
        name = f"context-{next(_numbers)}"
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        credentials = {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"]}
        return localcloud.client("sagemaker", credentials)

    return make


def outcome(call: Callable[[], Any]) -> str:
    """``denied``, or the code of what came after the authorisation."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return "denied" if code == "AccessDeniedException" else code
    return "done"


def config(sm: Any, *instances: str, **members: Any) -> str:
    """CreateEndpointConfig of a model that does not exist: what is allowed ends in ValidationException."""
    variants = [
        {"VariantName": f"v{n}", "ModelName": "none", "InstanceType": name, "InitialInstanceCount": 1}
        for n, name in enumerate(instances)
    ]
    return outcome(lambda: sm.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants, **members))


ALLOWED = "ValidationException"
ONLY_T3 = {"ForAllValues:StringLike": {"sagemaker:InstanceTypes": ["ml.t3.*", "ml.t2.medium"]}}


@pytest.mark.localcloud
@pytest.mark.parametrize(
    ("condition", "instances", "expected"),
    [
        (ONLY_T3, ["ml.t2.medium"], ALLOWED),
        (ONLY_T3, ["ml.t2.medium", "ml.m5.large"], "denied"),
        ({"ForAnyValue:StringEquals": {"sagemaker:InstanceTypes": "ml.m5.large"}}, ["ml.t2.medium"], "denied"),
        (
            {"ForAnyValue:StringEquals": {"sagemaker:InstanceTypes": "ml.m5.large"}},
            ["ml.t2.medium", "ml.m5.large"],
            ALLOWED,
        ),
        ({"Null": {"sagemaker:InstanceTypes": "false"}}, ["ml.t2.medium"], ALLOWED),
        ({"Null": {"sagemaker:InstanceTypes": "true"}}, ["ml.t2.medium"], "denied"),
        ({"Null": {"sagemaker:VpcSubnets": "true"}}, ["ml.t2.medium"], ALLOWED),
        ({"Null": {"sagemaker:VpcSubnets": "false"}}, ["ml.t2.medium"], "denied"),
    ],
)
def test_set_operators_and_null(
    caller: Callable[..., Any], condition: Any, instances: list[str], expected: str
) -> None:
    sm = caller({"Action": "sagemaker:CreateEndpointConfig", "Resource": "*", "Condition": condition})
    assert config(sm, *instances) == expected


@pytest.mark.localcloud
def test_for_all_values_holds_when_the_key_is_absent(caller: Callable[..., Any]) -> None:
    """The trap: an app without an instance type in its request starts on the default of the profile or the domain."""
    app = {"DomainId": "d-none", "SpaceName": "s", "AppType": "JupyterLab", "AppName": "default"}
    sm = caller({"Action": "sagemaker:CreateApp", "Resource": "*", "Condition": ONLY_T3})
    assert outcome(lambda: sm.create_app(**app)) == "ResourceNotFound"
    closed = {**ONLY_T3, "Null": {"sagemaker:InstanceTypes": "false"}}
    sm = caller({"Action": "sagemaker:CreateApp", "Resource": "*", "Condition": closed})
    assert outcome(lambda: sm.create_app(**app)) == "denied"
    spec = {"InstanceType": "ml.t3.medium"}
    assert outcome(lambda: sm.create_app(**app, ResourceSpec=spec)) == "ResourceNotFound"


@pytest.mark.localcloud
def test_a_limit_of_the_run_time(caller: Callable[..., Any]) -> None:
    sm = caller(
        {
            "Action": "sagemaker:CreateTrainingJob",
            "Resource": "*",
            "Condition": {"NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": "3600"}},
        }
    )

    def train(seconds: int) -> str:
        return outcome(
            lambda: sm.create_training_job(
                TrainingJobName="j",
                AlgorithmSpecification={"TrainingImage": "none", "TrainingInputMode": "File"},
                RoleArn="arn:aws:iam::000000000000:role/nobody",
                OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
                ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
                StoppingCondition={"MaxRuntimeInSeconds": seconds},
            )
        )

    assert train(7200) == "denied"
    assert train(3600) != "done"


@pytest.mark.localcloud
def test_tags_of_a_request_and_what_tagging_is_for(caller: Callable[..., Any]) -> None:
    marked = {"StringEquals": {"aws:RequestTag/team": "x"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    only_at_creation = {"Null": {"sagemaker:TaggingAction": "false"}}
    sm = caller(
        {"Action": "sagemaker:CreateEndpointConfig", "Resource": "*", "Condition": marked},
        {"Action": "sagemaker:AddTags", "Resource": "*", "Condition": only_at_creation},
    )
    team, other = {"Key": "team", "Value": "x"}, {"Key": "other", "Value": "y"}
    assert config(sm, "ml.t2.medium", Tags=[team]) == ALLOWED
    assert config(sm, "ml.t2.medium", Tags=[team, other]) == "denied"
    assert config(sm, "ml.t2.medium") == "denied"
    arn = f"{ACCOUNT}:endpoint-config/c"
    assert outcome(lambda: sm.add_tags(ResourceArn=arn, Tags=[team])) == "denied"


@pytest.fixture(scope="module")
def domain(localcloud: Localcloud, room_for_domains: None) -> str:
    """A domain with users ada and grace; ada owns the private space `mine` and the shared space `ours`."""
    ec2, iam, sm = (localcloud.client(name) for name in ("ec2", "iam", "sagemaker"))
    vpc = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.5.0.0/24")["Subnet"]["SubnetId"]
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=unique("context"), AssumeRolePolicyDocument=document)["Role"]["Arn"]
    identifier = sm.create_domain(
        DomainName=unique("context"),
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": role},
        DefaultSpaceSettings={"ExecutionRole": role},
        VpcId=vpc,
        SubnetIds=[subnet],
        HomeEfsFileSystemCreation="Disabled",
    )["DomainArn"].rpartition("/")[2]
    listed = lambda: sm.list_domains(MaxResults=100)["Domains"]  # noqa: E731 - read until it is as wanted
    eventually(lambda: identifier in [item["DomainId"] for item in listed() if item["Status"] == "InService"])
    for name in ("ada", "grace"):
        sm.create_user_profile(DomainId=identifier, UserProfileName=name)
        names = {"DomainId": identifier, "UserProfileName": name}
        eventually(lambda names=names: sm.describe_user_profile(**names)["Status"] == "InService")
    for name, sharing in (("mine", "Private"), ("ours", "Shared")):
        make_space(sm, identifier, name, sharing)
    return str(identifier)


def make_space(sm: Any, domain: str, name: str, sharing: str = "Private", owner: str = "ada") -> None:
    sm.create_space(
        DomainId=domain,
        SpaceName=name,
        SpaceSettings={"AppType": "JupyterLab"},
        OwnershipSettings={"OwnerUserProfileName": owner},
        SpaceSharingSettings={"SharingType": sharing},
    )
    eventually(lambda: _space(sm, domain, name) != "Pending")


def _space(sm: Any, domain: str, name: str) -> str:
    return str({item["SpaceName"]: item["Status"] for item in sm.list_spaces(DomainIdEquals=domain)["Spaces"]}[name])


@pytest.mark.localcloud
def test_the_owner_and_the_sharing_of_a_space(caller: Callable[..., Any], domain: str) -> None:
    """The example policies for spaces: everybody his own private ones, shared ones for all."""
    profile = f"arn:aws:sagemaker:*:*:user-profile/{domain}/grace"
    app = {"DomainId": domain, "AppType": "JupyterLab", "AppName": "default"}
    private = {
        "ArnLike": {"sagemaker:OwnerUserProfileArn": profile},
        "StringEquals": {"sagemaker:SpaceSharingType": ["Private"]},
    }
    spaces = ["sagemaker:CreateSpace", "sagemaker:UpdateSpace", "sagemaker:DeleteSpace", "sagemaker:ListSpaces"]
    grace = caller(
        {"Action": spaces[:3], "Resource": "*", "Condition": private},
        {"Action": spaces[3:], "Resource": "*"},
        {"Action": ["sagemaker:CreateApp", "sagemaker:DeleteApp"], "Resource": "*", "Condition": private},
        {
            "Action": ["sagemaker:CreateApp", "sagemaker:DeleteApp"],
            "Resource": f"arn:aws:sagemaker:*:*:app/{domain}/*/*/*",
            "Condition": {"StringEquals": {"sagemaker:SpaceSharingType": ["Shared"]}},
        },
    )
    assert outcome(lambda: grace.delete_space(DomainId=domain, SpaceName="mine")) == "denied"
    assert outcome(lambda: grace.delete_space(DomainId=domain, SpaceName="ours")) == "denied"
    assert outcome(lambda: grace.create_app(**app, SpaceName="mine")) == "denied"
    assert outcome(lambda: grace.create_app(**app, SpaceName="ours")) == "done"
    assert outcome(lambda: make_space(grace, domain, "adas", owner="ada")) == "denied"
    assert outcome(lambda: make_space(grace, domain, "graces", "Shared", owner="grace")) == "denied"
    assert outcome(lambda: make_space(grace, domain, "graces", owner="grace")) == "done"
    assert outcome(lambda: grace.create_app(**app, SpaceName="graces")) == "done"
    user = {"DomainId": domain, "UserProfileName": "ada", "AppType": "JupyterServer", "AppName": "default"}
    assert outcome(lambda: grace.create_app(**user)) == "denied"
    ownerless = {"Null": {"sagemaker:OwnerUserProfileArn": "true"}}
    classic = caller({"Action": "sagemaker:CreateApp", "Resource": "*", "Condition": ownerless})
    assert outcome(lambda: classic.create_app(**app, SpaceName="mine")) == "denied"
    assert outcome(lambda: classic.create_app(**user)) == "done"


@pytest.mark.localcloud
def test_tags_of_the_resource(localcloud: Localcloud, caller: Callable[..., Any], domain: str) -> None:
    """What a janitor with a permission for one environment may and may not delete."""
    arn = f"{ACCOUNT}:space/{domain}/ours"
    localcloud.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "sandcastle:environment", "Value": "a"}])

    def janitor(environment: str) -> Any:
        own = {"StringEquals": {"aws:ResourceTag/sandcastle:environment": environment}}
        return caller({"Action": "sagemaker:UpdateSpace", "Resource": "*", "Condition": own})

    update = {"DomainId": domain, "SpaceName": "ours", "SpaceDisplayName": "Ours"}
    assert outcome(lambda: janitor("a-b").update_space(**update)) == "denied"
    assert outcome(lambda: janitor("a").update_space(**update)) == "done"


@pytest.mark.localcloud
def test_who_sits_in_an_app_and_what_he_starts(
    localcloud: Localcloud, make_role: Callable[..., str], domain: str
) -> None:
    """A lifecycle script acts as its user: policies with Studio's variables, Studio's tags on what it makes."""
    iam, sm = localcloud.client("iam"), localcloud.client("sagemaker")
    own = "user-profile/${sagemaker:DomainId}/${sagemaker:UserProfileName}"
    role = make_role((["sagemaker:DescribeUserProfile"], [f"{ACCOUNT}:{own}"]))
    more = {"Effect": "Allow", "Action": "sagemaker:CreateStudioLifecycleConfig", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [more]}),
    )
    made = unique("made")
    lines = [
        "import boto3",
        "sm = boto3.client('sagemaker')",
        f"sm.describe_user_profile(DomainId='{domain}', UserProfileName='ada')",
        "names = dict(StudioLifecycleConfigContent='eA==', StudioLifecycleConfigAppType='CodeEditor')",
        f"sm.create_studio_lifecycle_config(StudioLifecycleConfigName='{made}', **names)",
        f"sm.describe_user_profile(DomainId='{domain}', UserProfileName='grace')",
    ]
    name = unique("script")
    arn = sm.create_studio_lifecycle_config(
        StudioLifecycleConfigName=name,
        StudioLifecycleConfigContent=base64.b64encode(f'python3 -c "{"; ".join(lines)}"'.encode()).decode(),
        StudioLifecycleConfigAppType="JupyterLab",
    )["StudioLifecycleConfigArn"]
    sm.update_user_profile(DomainId=domain, UserProfileName="ada", UserSettings={"ExecutionRole": role})
    names = {"DomainId": domain, "UserProfileName": "ada"}
    eventually(lambda: sm.describe_user_profile(**names)["Status"] == "InService")
    app = {"DomainId": domain, "SpaceName": "mine", "AppType": "JupyterLab", "AppName": "default"}
    sm.create_app(**app, ResourceSpec={"LifecycleConfigArn": arn})
    eventually(lambda: sm.describe_app(**app)["Status"] == "Failed", 30)
    reason = sm.describe_app(**app)["FailureReason"]
    assert "not authorized to perform: sagemaker:DescribeUserProfile" in reason, reason  # of another user
    tags = sm.list_tags(ResourceArn=f"{ACCOUNT}:studio-lifecycle-config/{made}")["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "sagemaker:domain-arn": f"{ACCOUNT}:domain/{domain}",
        "sagemaker:user-profile-arn": f"{ACCOUNT}:user-profile/{domain}/ada",
        "sagemaker:space-arn": f"{ACCOUNT}:space/{domain}/mine",
    }
