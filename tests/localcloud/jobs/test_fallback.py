"""Jobs and model servers where the kernel gives no namespaces: the built-in algorithms work all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec, OutputSpec
from localcloud.jobs.lifecycle_script import LifecycleScript, run
from localcloud.jobs.machines import Machines
from localcloud.jobs.model_server import ModelServer, ServerSpec
from tests.localcloud.jobs.cloud import LINEAR_LEARNER, REGION, ROOT, XGBOOST, Cloud
from tests.localcloud.jobs.test_executor_training import HYPERPARAMETERS, table


@pytest.fixture(autouse=True)
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOCALCLOUD_SANDBOX", "none")
    sandbox.capabilities.cache_clear()
    yield
    monkeypatch.undo()
    sandbox.capabilities.cache_clear()


@pytest.mark.parametrize(
    ("image", "hyperparameters"),
    [
        (XGBOOST, HYPERPARAMETERS),
        (LINEAR_LEARNER, {"predictor_type": "binary_classifier", "mini_batch_size": "50"}),
    ],
)
def test_train_and_serve(cloud: Cloud, image: str, hyperparameters: dict[str, str]) -> None:
    uri = cloud.put("fallback/rows.csv", table(7, 300))
    role = cloud.full_role()
    spec = cloud.training(
        role,
        image=image,
        inputs=[InputSpec("train", uri, content_type="text/csv")],
        hyperparameters=hyperparameters,
        checkpoint=(f"s3://{cloud.bucket}/fallback/checkpoints/{image}", ""),
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert len(cloud.keys("fallback/checkpoints/")) >= (1 if image == XGBOOST else 0)
    running = ModelServer(
        ServerSpec("fallback", "one", image, outcome.artifact_uri, role_arn=role, network_isolation=True),
        cloud.platform,
    )
    running.start()
    try:
        assert running.invoke(b"1,2,3,4", {"Content-Type": "text/csv"})[0] == 200
    finally:
        running.stop()


def test_processing_paths_in_arguments_are_rewritten(cloud: Cloud) -> None:
    spec = cloud.spec(
        "processing",
        cloud.full_role(),
        entrypoint=["python3", "-c", "import sys; open(sys.argv[1] + '/f', 'w').write('f')"],
        arguments=["/opt/ml/processing/out"],
        outputs=[OutputSpec("out", f"s3://{cloud.bucket}/fallback/out", "/opt/ml/processing/out")],
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.keys("fallback/out/") == ["fallback/out/f"]


def test_a_script_finds_its_home_by_name(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALCLOUD_FUNCTIONS_PYTHON", str(ROOT / ".localcloud" / "functions" / "bin" / "python"))
    machines = Machines()
    text = (
        'mkdir -p /home/ec2-user/SageMaker && echo mine > /home/ec2-user/SageMaker/file && cat "$HOME/SageMaker/file"'
    )
    script = LifecycleScript(text, cloud.full_role(), REGION, "/aws/none", "fallback", home="/home/ec2-user")
    try:
        outcome = run(script, machines.of("machine"), None, cloud.platform)
        assert (outcome.succeeded, outcome.tail) == (True, "mine")
        assert (machines.of("machine").home / "SageMaker" / "file").exists()
    finally:
        machines.clear()
