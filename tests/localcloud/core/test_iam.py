"""Permissions are enforced, and every decision is on record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Stack, function, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud


def recorded(server: Localcloud, role_name: str) -> set[tuple[str, str, str]]:
    calls = server.admin("GET", "calls")
    return {(c["action"], c["resource"], c["decision"]) for c in calls if c["role"] == role_name}


def test_a_function_may_do_what_its_role_says_and_both_decisions_are_recorded(localcloud: Localcloud) -> None:
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    s3.put_object(Bucket=event['bucket'], Key='in/x', Body=b'1')\n"
        "    try:\n"
        "        s3.put_object(Bucket=event['bucket'], Key='out/x', Body=b'1')\n"
        "    except Exception as error:\n"
        "        return str(error)\n"
    )
    allow = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "${Data.Arn}/in/*"},
    }
    stack = Stack(localcloud, unique("least"))
    resources = {"Data": {"Type": "AWS::S3::Bucket"}, "Role": role(allow), "Function": function(code)}
    assert stack.create(resources) == "CREATE_COMPLETE"
    bucket, name = stack.physical("Data"), stack.physical("Role")
    payload = json.dumps({"bucket": bucket}).encode()
    reply = localcloud.client("lambda").invoke(FunctionName=stack.physical("Function"), Payload=payload)
    assert "AccessDenied" in json.load(reply["Payload"])
    made = recorded(localcloud, name)
    assert ("s3:PutObject", f"arn:aws:s3:::{bucket}/in/x", "allowed") in made
    assert ("s3:PutObject", f"arn:aws:s3:::{bucket}/out/x", "denied") in made


def test_a_policy_that_demands_tls_lets_loopback_through(localcloud: Localcloud) -> None:
    stack = Stack(localcloud, unique("tls"))
    arn = {"Fn::GetAtt": ["Data", "Arn"]}
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Sub": "${Data.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [deny]}
    policy = {"Bucket": {"Ref": "Data"}, "PolicyDocument": document}
    resources: dict[str, dict[str, Any]] = {
        "Data": {"Type": "AWS::S3::Bucket"},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        "Role": role({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}),
    }
    resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    role_arn = f"arn:aws:iam::000000000000:role/{stack.physical('Role')}"
    session = localcloud.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")
    s3 = localcloud.client("s3", session["Credentials"])
    assert s3.list_objects_v2(Bucket=stack.physical("Data"))["KeyCount"] == 0


def test_an_unknown_key_and_a_wrong_secret_are_refused(localcloud: Localcloud) -> None:
    stranger = localcloud.client("sqs", {"AccessKeyId": "AKIASTRANGER00000000", "SecretAccessKey": "x"})
    with pytest.raises(ClientError, match="invalid"):
        stranger.list_queues()
