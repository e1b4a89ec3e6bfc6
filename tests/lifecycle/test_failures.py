"""What goes wrong on the way: a training that fails, and a deploy that is killed half-way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.lifecycle.conftest import Cloud


def test_a_failing_training_rolls_back_cleanly_and_says_why(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    """`silent` is the old tutorial's hyperparameter that today's XGBoost image refuses."""
    name = environment_file("failing", workloads={"bank": {"hyperparameters": {"silent": 0}}})
    said = cloud.sandcastle("deploy", "--environment", name, expect=1).text
    assert "Extraneous hyperparameter found: silent" in said
    assert "/aws/sagemaker/TrainingJobs" in said
    assert cloud.stacks()["sandcastle-failing-workload-bank"] == "ROLLBACK_COMPLETE"
    cloud.here("destroy", "--environment", name)
    cloud.assert_nothing_left(name)


def _foundation(cloud: Cloud, name: str) -> bool:
    return f"sandcastle-{name}-foundation" in cloud.stacks()


def _workload(cloud: Cloud, name: str) -> bool:
    return f"sandcastle-{name}-workload-bank" in cloud.stacks()


def _preparing(cloud: Cloud, name: str) -> bool:
    return any(job.startswith(f"sandcastle-{name}--") for job in cloud.jobs("processing"))


def _training(cloud: Cloud, name: str) -> bool:
    return any(job.startswith(f"sandcastle-{name}--") for job in cloud.jobs("training"))


def _endpoint(cloud: Cloud, name: str) -> bool:
    return bool(cloud.client("sagemaker").list_endpoints(NameContains=f"sandcastle-{name}--")["Endpoints"])


@pytest.mark.parametrize("point", [_foundation, _workload, _preparing, _training, _endpoint])
def test_a_deploy_killed_half_way_is_destroyed_to_zero(
    cloud: Cloud, environment_file: Callable[..., str], point: Callable[[Cloud, str], bool]
) -> None:
    """The whole process group dies at once, as when a laptop's lid closes or a CI job is cancelled."""
    environment = "killed" + point.__name__.replace("_", "-")
    name = environment_file(environment)
    process = cloud.start("deploy", "--environment", name)
    try:
        cloud.until(lambda: point(cloud, environment), point.__name__)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    cloud.here("destroy", "--environment", name)
    cloud.assert_nothing_left(name)
