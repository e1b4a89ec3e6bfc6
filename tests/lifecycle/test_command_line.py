"""What only the command lines can show: the CDK's own, typed by hand, and a first deploy that fails or is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.lifecycle.conftest import Cloud


@pytest.mark.exhaustive
def test_cdk_deploy_and_cdk_destroy_by_hand(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    """They work as on AWS and reach zero by themselves."""
    name = environment_file("by-hand", workloads={"mnist-linear": {}})
    cloud.shell("cdk bootstrap aws://000000000000/us-east-1")
    cloud.shell(f"cdk deploy --all --require-approval never -c environment={name}")
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}
    assert "no differences" in cloud.shell(f"cdk diff --all -c environment={name} 2>&1").lower()
    cloud.shell(f"cdk destroy --all --force -c environment={name}")
    cloud.assert_nothing_left(name)


@pytest.mark.exhaustive
def test_a_deploy_killed_half_way_is_destroyed_to_zero(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    """The whole process group dies at once, as when a laptop's lid closes or a CI job is cancelled.

    CloudFormation goes on. The matrix has more moments: to the account a dead command is one that asks no more.
    """
    name = environment_file("killed")
    process = cloud.start("deploy", "--environment", name)
    try:
        cloud.until(lambda: any(job.startswith("sandcastle-killed--") for job in cloud.jobs()), "the training")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    cloud.here("destroy", "--environment", name)
    cloud.assert_nothing_left(name)


@pytest.mark.exhaustive
def test_a_failing_training_rolls_back_cleanly_and_says_why(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    """`silent` is the old tutorial's hyperparameter that today's XGBoost image refuses."""
    name = environment_file("failing", workloads={"bank": {"hyperparameters": {"silent": 0}}})
    said = cloud.sandcastle("deploy", "--environment", name, expect=1).text
    assert "Extraneous hyperparameter found: silent" in said
    assert "/aws/sagemaker/TrainingJobs" in said
    assert cloud.stacks()["sandcastle-failing-workload-bank"] == "ROLLBACK_COMPLETE"
    cloud.here("destroy", "--environment", name)
    cloud.assert_nothing_left(name)
