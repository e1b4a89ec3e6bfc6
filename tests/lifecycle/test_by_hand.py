"""The CDK's own commands, typed by hand against localcloud, work as on AWS and reach zero by themselves."""

from __future__ import annotations

from collections.abc import Callable

from tests.lifecycle.conftest import Cloud


def test_cdk_deploy_and_cdk_destroy_by_hand(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    name = environment_file("by-hand", workloads={"mnist-linear": {}})
    cloud.shell("cdk bootstrap aws://000000000000/us-east-1")
    cloud.shell(f"cdk deploy --all --require-approval never -c environment={name}")
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}
    assert "no differences" in cloud.shell(f"cdk diff --all -c environment={name} 2>&1").lower()
    cloud.shell(f"cdk destroy --all --force -c environment={name}")
    cloud.assert_nothing_left(name)
