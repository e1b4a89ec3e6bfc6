"""Where the genuine SDK v3 finds localcloud: its environment, two addresses that it has built in, a bucket, a role.

Every call of a test goes unchanged to ``AWS_ENDPOINT_URL``, but for two whose address the SDK composes itself (facts
sdkv3 5): STS for the default bucket and the account is sent to localcloud, telemetry is not sent. Import the SDK inside
tests or fixtures, after ``environment``: it costs four seconds of CPU, and asks for a region.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.sagemaker import live

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

REGION = "us-east-1"
#: what the SDK asks IAM about, for jobs and for hosting, before it sends anything (core/helper/iam_role_resolver.py)
_MAY = [
    {
        "Effect": "Allow",
        "Action": [
            "s3:DeleteObject",
            "logs:DescribeLogStreams",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchCheckLayerAvailability",
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        "Resource": "*",
    }
]


@dataclass(frozen=True)
class Genuine:
    """A localcloud, a bucket that the SDK takes for its default one, and a role for jobs and endpoints."""

    localcloud: Localcloud
    role: str
    session: Any
    """A ``sagemaker.core.helper.session_helper.Session``."""
    bucket: str

    def client(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        return self.localcloud.client(service)

    def put(self, key: str, body: bytes) -> str:
        """An object in the bucket; its URI."""
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"


@contextmanager
def environment(localcloud: Localcloud) -> Iterator[Genuine]:
    """The SDK's world for the time of the block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": localcloud.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.delenv("AWS_PROFILE", raising=False)

        from sagemaker.core.helper import session_helper
        from sagemaker.core.telemetry import telemetry_logging

        patch.setattr(telemetry_logging, "_send_telemetry_request", lambda *_args, **_more: None)
        patch.setattr(session_helper, "sts_regional_endpoint", lambda _region: localcloud.endpoint)
        session = session_helper.Session()
        role = live.role(localcloud, f"sdk-{uuid.uuid4().hex[:8]}", _MAY)
        yield Genuine(localcloud, role, session, session.default_bucket())
