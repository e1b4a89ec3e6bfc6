"""Clients that act as a deployed role, as whoever AWS lets assume it would."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tests.lifecycle.conftest import Cloud

_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}


def as_role(cloud: Cloud, role: str, service: str) -> Any:
    """Return a client with the role's own credentials."""
    session = session_of(cloud, role)
    return boto3.client(
        service, endpoint_url=cloud.endpoint, region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )  # fmt: skip


def session_of(cloud: Cloud, role: str) -> Any:
    """Return the role's own credentials; its trust is opened to the account, too, for a moment.

    What it trusts already it goes on trusting: jobs that start meanwhile assume it as ever.
    """
    iam = cloud.client("iam")
    found = iam.get_role(RoleName=role)["Role"]
    own = found["AssumeRolePolicyDocument"]
    opened = {**own, "Statement": [*own["Statement"], _ACCOUNT]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    try:
        return cloud.client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="test")["Credentials"]
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(own))
