"""Clients that act as a deployed role, as whoever AWS lets assume it would."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tests.lifecycle.conftest import Cloud

_OPEN = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    ],
}


def as_role(cloud: Cloud, role: str, service: str) -> Any:
    """Return a client with the role's own credentials."""
    session = session_of(cloud, role)
    return boto3.client(
        service, endpoint_url=cloud.endpoint, region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )  # fmt: skip


def session_of(cloud: Cloud, role: str) -> Any:
    """Return the role's own credentials; its trust is opened to the account for a moment.

    The role needs its own trust back: a service does not delete what it cannot assume the role of.
    """
    iam = cloud.client("iam")
    found = iam.get_role(RoleName=role)["Role"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(_OPEN))
    try:
        return cloud.client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="test")["Credentials"]
    finally:
        own = json.dumps(found["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=own)
