"""Work meant for the laptop never reaches an account, and work meant for AWS never reaches the laptop."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from operations import target as targets
from operations.errors import OperationError, UsageError

FOREIGN = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREALACCOUNT",
    "AWS_SECRET_ACCESS_KEY": "not-for-localcloud",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    "AWS_CONFIG_FILE": "/home/somebody/.aws/config",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/Admin",
    "CDK_DEFAULT_ACCOUNT": "111122223333",
    "CDK_DEFAULT_REGION": "eu-central-1",
    "SAGEMAKER_ENDPOINT": "https://example.com",
}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "localcloud", lambda *_: {"endpoint": "http://127.0.0.1:4599"})


@pytest.mark.usefixtures("answering")
def test_local_target_takes_nothing_of_the_callers_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in FOREIGN.items():
        monkeypatch.setenv(key, value)
    target = targets.local("us-east-1", start=False)
    for seen in (os.environ, target.environ()):
        left = {key: value for key, value in seen.items() if value in FOREIGN.values()}
        assert left == {}
        assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4599"
        assert seen["CDK_DEFAULT_ACCOUNT"] == "000000000000"


@pytest.mark.usefixtures("answering")
def test_every_local_client_talks_to_loopback_even_with_a_profile_in_the_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key, value in FOREIGN.items():
        monkeypatch.setenv(key, value)
    target = targets.local("us-east-1", start=False)
    for service in ("s3", "sagemaker", "sagemaker-runtime", "cloudformation", "iam", "sts", "budgets", "logs"):
        client = target.client(service)
        assert targets.is_loopback(client.meta.endpoint_url)
        assert client._request_signer._credentials.access_key == "test"


@pytest.mark.usefixtures("answering")
def test_a_program_started_for_the_local_target_sees_no_foreign_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in FOREIGN.items():
        monkeypatch.setenv(key, value)
    target = targets.local("us-east-1", start=False)
    program = "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))"
    seen = subprocess.run(
        [sys.executable, "-c", program], env=target.environ(), capture_output=True, text=True, check=True
    ).stdout
    assert "AKIAREALACCOUNT" not in seen
    assert "111122223333" not in seen
    assert "production" not in seen


def test_localcloud_elsewhere_than_on_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "localcloud", lambda *_: {"endpoint": "https://sts.amazonaws.com"})
    with pytest.raises(OperationError, match="not this machine"):
        targets.local("us-east-1", start=False)


def test_nothing_deployed_when_localcloud_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "localcloud", lambda *_: {"endpoint": None})
    with pytest.raises(OperationError, match="make deploy"):
        targets.local("us-east-1", start=False)


@pytest.mark.parametrize("key", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_S3"])
def test_aws_target_refuses_an_endpoint_override(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(key, "http://127.0.0.1:4599")
    with pytest.raises(UsageError, match=key):
        targets.aws("us-east-1")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:4566", True),
        ("http://[::1]:4566", True),
        ("http://127.0.0.1.example.com", False),
        ("https://sts.amazonaws.com", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback(url: str, expected: bool) -> None:
    assert targets.is_loopback(url) is expected
