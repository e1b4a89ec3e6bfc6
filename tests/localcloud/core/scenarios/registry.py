"""What scenarios are, and helpers that several of them use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Stack, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

Scenario = Callable[["Localcloud"], None]


SCENARIOS: dict[str, Scenario] = {}


def scenario(fn: Scenario) -> Scenario:
    """Register under the function's name."""
    SCENARIOS[fn.__name__] = fn
    return fn


def error_code(call: Callable[[], Any]) -> str:
    """The error code of a call that is to fail."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("the call succeeded")


DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sagemaker:Create*", "Resource": "*"}]}


def assumed(server: Localcloud, service: str, statement: dict[str, Any]) -> Any:
    """A client of a role that may do what the statement says."""
    trusting, stack = role(statement), Stack(server, unique("assumed"))
    trusting["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
    stack.create({"Role": trusting})
    role_arn = f"arn:aws:iam::000000000000:role/{stack.physical('Role')}"
    session = server.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")
    return server.client(service, session["Credentials"])
