"""The roles of the workflows are enough, and no more than that: a preview's whole life with nothing but its role."""

from __future__ import annotations

import json
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import ClientError

from operations.tools.preview import preview
from tests.lifecycle.conftest import ROOT, Cloud

pytestmark = pytest.mark.exhaustive

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}
    ],
}
PROVIDER = "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> dict[str, str]:
    """The template's roles, by output. The provider is said to be there: localcloud has none."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName="sandcastle-workflows",
        TemplateBody=(ROOT / ".github" / "aws-roles.yaml").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": "Repository", "ParameterValue": "octo/hello"},
            {"ParameterKey": "Provider", "ParameterValue": PROVIDER},
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="sandcastle-workflows", WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName="sandcastle-workflows")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def environ(cloud: Cloud, role: str) -> dict[str, str]:
    """The environment of a job that has assumed the role; localcloud knows nobody whom GitHub vouches for."""
    cloud.client("iam").update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(TRUST))
    found = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="workflow")["Credentials"]
    return cloud.environ | {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_REGION": "us-east-1",
        "CDK_DEFAULT_ACCOUNT": "000000000000",
    }


def does(cloud: Cloud, role: str, deed: str, file: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "tests.lifecycle.with_role", deed, file]
    return subprocess.run(line, cwd=ROOT, env=environ(cloud, role), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", ["PreviewRole", "AuditRole"])
def test_neither_touches_what_is_not_a_previews(cloud: Cloud, roles: dict[str, str], role: str) -> None:
    cloud.client("s3").create_bucket(Bucket="somebody-elses")
    own = environ(cloud, roles[role])
    session = boto3.Session(
        own["AWS_ACCESS_KEY_ID"], own["AWS_SECRET_ACCESS_KEY"], own["AWS_SESSION_TOKEN"], "us-east-1"
    )
    for service, call, parameters in (
        ("s3", "delete_bucket", {"Bucket": "somebody-elses"}),
        ("s3", "list_objects_v2", {"Bucket": "somebody-elses"}),
        ("iam", "create_role", {"RoleName": "mine", "AssumeRolePolicyDocument": "{}"}),
        ("cloudformation", "delete_stack", {"StackName": "sandcastle-classroom-foundation"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(session.client(service, endpoint_url=cloud.endpoint), call)(**parameters)
    cloud.client("s3").delete_bucket(Bucket="somebody-elses")


def test_a_preview_lives_and_dies_by_its_role_alone(cloud: Cloud, roles: dict[str, str]) -> None:
    cloud.shell("cdk bootstrap aws://000000000000/us-east-1 --app ''")  # by hand, once, as the guide says
    file = preview("7")
    try:
        for role, deed in (
            ("PreviewRole", "deploy"),
            ("PreviewRole", "audit"),
            ("AuditRole", "audit"),
            ("PreviewRole", "destroy"),
        ):
            done = does(cloud, roles[role], deed, str(file))
            assert done.returncode == 0, f"{role} {deed}\n{done.stdout}\n{done.stderr}"
            assert "AccessDenied" not in done.stderr, done.stderr
        cloud.client("cloudformation").delete_stack(StackName="sandcastle-workflows")
        cloud.assert_nothing_left(str(file))
    finally:
        file.unlink()
