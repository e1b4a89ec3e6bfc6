"""Jobs and model servers where the kernel gives no namespaces: what is in the images works all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec, OutputSpec
from localcloud.jobs.lifecycle_script import LifecycleScript, run
from localcloud.jobs.machines import Machines
from localcloud.jobs.model_server import ModelServer, ServerSpec
from tests.localcloud.jobs.cloud import LINEAR_LEARNER, REGION, ROOT, SKLEARN, XGBOOST, Cloud
from tests.localcloud.jobs.test_executor_monitor import baseline
from tests.localcloud.jobs.test_framework_training import archive
from tests.localcloud.jobs.training_data import HYPERPARAMETERS, table


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


def test_what_monitors_models(cloud: Cloud) -> None:
    outcome, _ = cloud.run(baseline(cloud, "fallback-monitor", "label,x\n1,0.5\n"))
    assert outcome.status == "Completed", outcome.failure_reason
    assert outcome.exit_message == "Completed: Job completed successfully with no violations."
    assert len(cloud.keys("fallback-monitor/out/")) == 2


SCRIPT = {
    "train.py": (
        "import os, pathlib, shutil\n"
        "rows = pathlib.Path(os.environ['SM_CHANNEL_TRAIN'], 'rows.csv').read_text().splitlines()\n"
        "model = pathlib.Path(os.environ['SM_MODEL_DIR'])\n"
        "(model / 'rows').write_text(str(len(rows)))\n"
        "(model / 'code').mkdir()\n"
        "shutil.copy('inference.py', model / 'code')\n"
    ),
    "inference.py": (
        "import pathlib\n"
        "def model_fn(model_dir): return pathlib.Path(model_dir, 'rows').read_text()\n"
        "def transform_fn(model, body, content_type, accept): return model, 'text/plain'\n"
    ),
}


def test_a_script_trains_and_serves(cloud: Cloud) -> None:
    role = cloud.full_role()
    spec = cloud.training(
        role,
        image=SKLEARN,
        inputs=[
            InputSpec("train", cloud.put("fallback/rows.csv", table(7, 300)), content_type="text/csv"),
            InputSpec("code", cloud.put("fallback/code/mine.tar.gz", archive(SCRIPT))),
        ],
        hyperparameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code/mine.tar.gz",
        },
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    running = ModelServer(ServerSpec("fallback", "one", SKLEARN, outcome.artifact_uri, role_arn=role), cloud.platform)
    running.start()
    try:
        assert running.invoke(b"", {"Content-Type": "text/csv"})[2] == b"300"
    finally:
        running.stop()


def test_hosts_without_names_find_each_other(cloud: Cloud) -> None:
    for number in (1, 2):
        cloud.put(f"fallback/shards/{number}.csv", table(number, 200))
    prefix = f"s3://{cloud.bucket}/fallback/shards/"
    spec = cloud.training(
        cloud.full_role(),
        image=LINEAR_LEARNER,
        inputs=[InputSpec("train", prefix, content_type="text/csv", distribution="ShardedByS3Key")],
        hyperparameters={"predictor_type": "binary_classifier", "mini_batch_size": "50"},
        instance_count=2,
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert {name: value for name, value, _ in outcome.metrics}["train:binary_classification_accuracy"] > 0.9


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
