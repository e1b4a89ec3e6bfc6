"""Fixtures of the SageMaker service: a scripted world, and clients and roles of a running server."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.sagemaker.scripted_backend import World

_numbers = itertools.count(1)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sm(localcloud: Any) -> Any:
    return localcloud.client("sagemaker")


@pytest.fixture
def runtime(localcloud: Any) -> Any:
    return localcloud.client("sagemaker-runtime")


@pytest.fixture
def unique() -> str:
    """A name that no other test of the session uses."""
    return f"t{next(_numbers)}"


@pytest.fixture
def make_role(localcloud: Any) -> Callable[..., str]:
    """(allowed actions and resources, trusted service) -> ARN of a new role."""
    iam = localcloud.client("iam")

    def make(*statements: tuple[list[str], list[str]], service: str = "sagemaker.amazonaws.com") -> str:
        name = f"sm-role-{next(_numbers)}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
        allowed = [{"Effect": "Allow", "Action": actions, "Resource": on} for actions, on in statements]
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=_document(allowed))
        return str(role["Role"]["Arn"])

    return make


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "nothing happened in 30 s"
            time.sleep(0.02)

    return wait
