"""Training, tuning and serving by hand, beside what is deployed: real jobs in a localcloud."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations import tune as tuning
from operations.async_invoker import AsyncInvoker
from operations.audit import take_inventory
from operations.audit.finding import Owner
from operations.by_hand import names_begin, new_name, pairs, tags_of
from operations.console import Console
from operations.definition import training_request, with_spot
from operations.deploy_model import deploy_model, restore_all, restore_model
from operations.errors import OperationError, UsageError
from operations.evaluation import EvaluationError
from operations.job_log import Metrics
from operations.predict import predict_body, predict_sample, read_body
from operations.target import Target
from operations.train import train
from operations.transform import transform
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import wait_for
from tests.operations.deployed import ENVIRONMENT, WORKLOAD, Deployed, deployed

PNG = b"\x89PNG"
TUNING = {
    "strategy": "Random",
    "objective": "validation:auc",
    "goal": "Maximize",
    "max_jobs": 3,
    "parallel_jobs": 3,
    "ranges": {
        "eta": {"kind": "continuous", "min": 0.1, "max": 0.9},
        "max_depth": {"kind": "integer", "min": 1, "max": 4},
    },
}


@pytest.fixture(scope="module")
def cloud(server: Localcloud) -> Target:
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
    with pytest.MonkeyPatch.context() as patch:
        for key, value in settings.items():
            patch.setenv(key, value)
        return Target("local", "000000000000", "us-east-1", settings)


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture(scope="module")
def world(server: Localcloud, cloud: Target, credentials: None) -> Deployed:
    return deployed(server, cloud)


@pytest.fixture
def console() -> Console:
    return Console(as_json=True)


@pytest.fixture(scope="module")
def trained(world: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a training by hand said."""
    folder = tmp_path_factory.mktemp("reports")
    console = Console(as_json=True)
    return train(world.target, ENVIRONMENT, WORKLOAD, {"num_round": "4", "eta": "0.5"}, True, folder, console)


def test_a_training_by_hand_is_the_deployed_one_with_the_changes(world: Deployed, trained: Any) -> None:
    assert trained["hyperparameters"]["num_round"] == "4"
    assert trained["hyperparameters"]["eta"] == "0.5"
    assert trained["hyperparameters"]["objective"] == "binary:logistic"
    assert trained["spot"] is True
    assert len(trained["series"]["validation:logloss"]) == 4
    assert trained["series"]["validation:logloss"][-1] == pytest.approx(trained["metrics"]["validation:logloss"])
    assert Path(trained["picture"]).read_bytes().startswith(PNG)
    bucket, _, key = trained["artifact"].removeprefix("s3://").partition("/")
    assert world.target.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert world.endpoint_config == world.config


def test_what_is_made_by_hand_belongs_to_the_environment(world: Deployed, trained: Any) -> None:
    sagemaker = world.target.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=trained["job"])
    assert trained["job"].startswith(f"sandcastle-{ENVIRONMENT}--{WORKLOAD}-")
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags_of(ENVIRONMENT, WORKLOAD)


def test_a_training_that_fails_says_why(world: Deployed, tmp_path: Path, console: Console) -> None:
    with pytest.raises(OperationError, match=r"(?s)is Failed: .*silent.*sandcastle logs sandcastle-hand--bank-"):
        train(world.target, ENVIRONMENT, WORKLOAD, {"silent": "0"}, None, tmp_path, console)


def test_what_is_not_deployed_or_not_there_is_said(world: Deployed, tmp_path: Path, console: Console) -> None:
    with pytest.raises(OperationError, match=r"mnist-linear is not deployed in environment hand\. Deployed: bank"):
        train(world.target, ENVIRONMENT, "mnist-linear", {}, None, tmp_path, console)
    with pytest.raises(UsageError, match="Did you mean bank"):
        train(world.target, ENVIRONMENT, "bnak", {}, None, tmp_path, console)
    with pytest.raises(UsageError, match="expected NAME=VALUE"):
        pairs(["num_round"], "--set")


def test_another_model_serves_and_the_templates_comes_back(world: Deployed, trained: Any, console: Console) -> None:
    sagemaker = world.target.client("sagemaker")
    first = deploy_model(world.target, ENVIRONMENT, WORKLOAD, trained["job"], None, console)
    assert first["artifact"] == trained["artifact"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=world.endpoint_config)
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert model["PrimaryContainer"]["ModelDataUrl"] == trained["artifact"]
    assert model["ModelName"].startswith(names_begin(ENVIRONMENT, WORKLOAD))
    second = deploy_model(world.target, ENVIRONMENT, WORKLOAD, None, None, console)  # the latest is the same job
    assert second["job"] == trained["job"]
    made = sagemaker.list_models(NameContains=names_begin(ENVIRONMENT, WORKLOAD))["Models"]
    assert [one["ModelName"] for one in made] == [second["model"]]  # the first one's went
    restore_all(world.target, ENVIRONMENT, console)
    assert world.endpoint_config == world.config
    assert sagemaker.list_models(NameContains=names_begin(ENVIRONMENT, WORKLOAD))["Models"] == []
    assert restore_model(world.target, ENVIRONMENT, WORKLOAD, console)["changed"] is False


def test_a_model_that_does_not_start_is_rolled_back_and_leaves_nothing(
    world: Deployed, trained: Any, console: Console
) -> None:
    s3, sagemaker = world.target.client("s3"), world.target.client("sagemaker")
    bucket, _, key = trained["artifact"].removeprefix("s3://").partition("/")
    kept = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=b"no archive")
    try:
        with pytest.raises(OperationError, match="went back to the model that it had"):
            deploy_model(world.target, ENVIRONMENT, WORKLOAD, trained["job"], None, console)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=kept)
    assert world.endpoint_config == world.config
    assert sagemaker.list_models(NameContains=names_begin(ENVIRONMENT, WORKLOAD))["Models"] == []


def test_tuning_finds_the_best_of_its_trials_and_it_can_serve(
    world: Deployed, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "described_in", lambda _: {"train": {"algorithm": "xgboost", "tuning": TUNING}})
    found = tuning.tune(world.target, ENVIRONMENT, WORKLOAD, 2, None, tmp_path, console)
    assert len(found["tuning_job"]) <= 32
    assert len(found["trials"]) == 2
    assert {"eta", "max_depth"} == set(found["best"]["tuned"])
    assert found["best"]["value"] == max(one["value"] for one in found["trials"])
    assert Path(found["picture"]).read_bytes().startswith(PNG)
    served = deploy_model(world.target, ENVIRONMENT, WORKLOAD, None, found["tuning_job"], console)
    assert served["job"] == found["best"]["name"]
    owned = take_inventory(world.target, Owner(ENVIRONMENT, "000000000000", "us-east-1"))
    assert {one.name for one in owned.findings if one.kind == "model"} >= {served["model"]}
    restore_model(world.target, ENVIRONMENT, WORKLOAD, console)


def test_a_workload_without_ranges_is_not_tuned(world: Deployed, tmp_path: Path, console: Console) -> None:
    with pytest.raises(UsageError, match=r"bank says nothing of tuning"):
        tuning.tune(world.target, ENVIRONMENT, WORKLOAD, None, None, tmp_path, console)


def test_a_batch_of_the_test_split_is_answered_beside_its_labels(
    world: Deployed, tmp_path: Path, console: Console
) -> None:
    found = transform(world.target, ENVIRONMENT, WORKLOAD, None, tmp_path, console, join=True)
    assert found["output"].startswith(f"s3://{world.bucket}/{WORKLOAD}/transform/{found['job']}/output/")
    rows = [line.split(",") for line in Path(found["file"]).read_text().splitlines()]
    assert [label for label, _ in rows] == ["1", "0", "1", "0"]
    assert all((float(score) > 0.5) is (label == "1") for label, score in rows)


def test_what_a_batch_was_asked_is_kept_without_labels(
    world: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = transform(world.target, ENVIRONMENT, WORKLOAD, None, tmp_path, Console(), join=True, capture=True)
    assert found["captured"] == f"s3://{world.bucket}/{WORKLOAD}/transform/captured"
    s3, prefix = world.target.client("s3"), f"{WORKLOAD}/transform/captured/input/"
    (listed,) = s3.list_objects_v2(Bucket=world.bucket, Prefix=prefix)["Contents"]
    first, name = json.loads(s3.get_object(Bucket=world.bucket, Key=listed["Key"])["Body"].read())
    assert first["prefix"] == f"s3://{world.bucket}/{WORKLOAD}/transform/{found['job']}/input/"
    key = f"{first['prefix']}{name}".removeprefix(f"s3://{world.bucket}/")
    asked = s3.get_object(Bucket=world.bucket, Key=key)["Body"].read().decode().splitlines()
    answered = Path(found["file"]).read_text().splitlines()
    # whole rows stand before the answers: there is no label beside which they could
    assert [line.rpartition(",")[0] for line in answered] == asked
    labels = (
        s3.get_object(Bucket=world.bucket, Key=f"{WORKLOAD}/f00d/test/test.csv")["Body"].read().decode().splitlines()
    )
    assert [line.partition(",")[2] for line in labels] == asked
    assert "has no monitor batch-data-quality" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_a_batch_of_a_file_is_answered_in_its_order_and_a_wrong_one_says_why(
    world: Deployed, tmp_path: Path, console: Console
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("1.0,9.0\n9.0,1.0\n")
    found = transform(world.target, ENVIRONMENT, WORKLOAD, str(file), tmp_path, console)
    assert [float(line) > 0.5 for line in Path(found["file"]).read_text().split()] == [False, True]
    file.write_text("1.0,2.0,3.0\n")
    with pytest.raises(OperationError, match=r"(?s)is Failed: .*sandcastle logs sandcastle-hand--bank-"):
        transform(world.target, ENVIRONMENT, WORKLOAD, str(file), tmp_path, console)
    file.write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        transform(world.target, ENVIRONMENT, WORKLOAD, str(file), tmp_path, console)


def test_predict_reads_a_file_standard_input_or_a_row_of_the_test_split(
    world: Deployed, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "row.csv").write_text("9.0,1.0\n")
    body, origin = read_body(str(tmp_path / "row.csv"))
    asked = predict_body(world.target, ENVIRONMENT, WORKLOAD, body, origin, console)
    assert asked["meaning"].startswith("Purchase")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"1.0,9.0\n")))
    asked = predict_body(world.target, ENVIRONMENT, WORKLOAD, *read_body("-"), console)
    assert asked["meaning"].startswith("No Purchase")
    assert asked["request"] == "standard input"
    assert predict_sample(world.target, ENVIRONMENT, WORKLOAD, 3, console)["label"] == 1
    with pytest.raises(UsageError, match="is empty"):
        predict_body(world.target, ENVIRONMENT, WORKLOAD, b"", "nothing", console)
    with pytest.raises(UsageError, match="No such file"):
        read_body(str(tmp_path / "none.csv"))


@pytest.mark.exhaustive
def test_an_asynchronous_endpoint_is_asked_through_s3(world: Deployed) -> None:
    sagemaker, name = world.target.client("sagemaker"), f"{world.endpoint}-async"
    variant = {"VariantName": "main", "ModelName": world.config, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
        AsyncInferenceConfig={
            "OutputConfig": {
                "S3OutputPath": f"s3://{world.bucket}/async/answers",
                "S3FailurePath": f"s3://{world.bucket}/async/failures",
            }
        },
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName=name), lambda one: one["EndpointStatus"] == "InService")
    outputs = {"EndpointName": name, "ContentType": "text/csv", "Accept": "text/csv"}
    ask = AsyncInvoker(world.target, WORKLOAD, {**outputs, "AsyncInput": f"s3://{world.bucket}/async/requests"})
    assert float(ask(b"9.0,1.0\n")) > 0.5
    with pytest.raises(EvaluationError, match=r"refused the request: .*3"):
        ask(b"1.0,2.0,3.0\n")
    sagemaker.delete_endpoint(EndpointName=name)


def test_names_fit_and_lead_back() -> None:
    assert len(new_name("e" * 24, "w")) - len("w") + 16 <= 63 + len("e" * 24)  # as long as a name of a stack's job
    assert new_name("local", "bank").startswith("sandcastle-local--bank--run-")


def test_spot_keeps_checkpoints_apart_and_without_it_there_are_none() -> None:
    described = {
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File", "MetricDefinitions": [{}]},
        "HyperParameters": {"eta": "1", "_tuning_objective_metric": "x"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": ""},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 700},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://b/o/checkpoints/job-1"},
        "TrainingJobStatus": "Completed",
    }
    request = training_request(described, "local", "bank")
    assert request["HyperParameters"] == {"eta": "1"}
    assert "MetricDefinitions" not in request["AlgorithmSpecification"]
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://b/o"}
    again = with_spot(request, "job-2", None)
    assert again["CheckpointConfig"]["S3Uri"] == "s3://b/o/checkpoints/job-2"
    off = with_spot(request, "job-2", False)
    assert "CheckpointConfig" not in off
    assert off["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert with_spot(off, "job-2", True)["StoppingCondition"]["MaxWaitTimeInSeconds"] == 900


def test_metrics_are_read_by_the_jobs_regexes_or_as_the_built_in_algorithms_print_them() -> None:
    own = Metrics([{"Name": "accuracy", "Regex": r"val_accuracy=(\S+)"}])
    assert own.read(["epoch=1 val_accuracy=0.5", "val_accuracy=none", "train-auc:0.9"]) == {"accuracy": 0.5}
    built_in = Metrics([])
    lines = [
        "[0]#011train-auc:0.81#011validation-auc:0.7",
        "[1]#011train-auc:0.85#011validation-auc:7e-1",
        "[t] #quality_metric: host=algo-1, epoch=1, train msd <loss>=0.37",
    ]
    assert built_in.read(lines) == {"train:auc": 0.85, "validation:auc": 0.7, "train:msd": 0.37}
    assert built_in.series["train:auc"] == [0.81, 0.85]
