"""ModelTrainer of the genuine SDK v3 against localcloud."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest

from tests.localcloud.sagemaker.live import ROWS, SKLEARN, XGBOOST
from tests.localcloud.sdk.environment import Genuine


@pytest.fixture(scope="module")
def rows(genuine: Genuine) -> str:
    return genuine.put("data/train/train.csv", ROWS.encode())


def members(genuine: Genuine, uri: str) -> dict[str, bytes]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = genuine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]  # files only


def test_a_built_in_algorithm(genuine: Genuine, rows: str) -> None:
    from sagemaker.core.training.configs import Compute, InputData
    from sagemaker.train import ModelTrainer

    trainer = ModelTrainer(
        training_image=XGBOOST,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name="sdk-xgboost",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"num_round": 2, "objective": "binary:logistic"},
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=rows, content_type="text/csv")])
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert list(members(genuine, job.model_artifacts.s3_model_artifacts)) == ["xgboost-model"]


def test_source_code(genuine: Genuine, rows: str, tmp_path: Any) -> None:
    from sagemaker.core.training.configs import Compute, InputData, SourceCode
    from sagemaker.train import ModelTrainer

    (tmp_path / "helper.py").write_text("def name():\n    return 'helped'\n")
    (tmp_path / "train.py").write_text(
        "import argparse, os, pathlib\n"
        "import helper\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--epochs', type=int)\n"
        "asked = parser.parse_args()\n"
        "rows = (pathlib.Path(os.environ['SM_CHANNEL_TRAIN']) / 'train.csv').read_text().split()\n"
        "print(f'epochs={asked.epochs} rows={len(rows)}')\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model.txt').write_text(helper.name())\n"
    )
    trainer = ModelTrainer(
        training_image=SKLEARN,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name="sdk-script",
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"epochs": 3},
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=rows)])
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert members(genuine, job.model_artifacts.s3_model_artifacts) == {"model.txt": b"helped"}


def test_a_tuner(genuine: Genuine, rows: str) -> None:
    from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
    from sagemaker.core.training.configs import Compute, InputData
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

    trainer = ModelTrainer(
        training_image=XGBOOST,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name="sdk-tuned",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"num_round": 2, "objective": "binary:logistic"},
        tags=[{"key": "team", "value": "a"}],
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="validation:auc",
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.01, 1.0, scaling_type="Logarithmic"),
            "max_depth": IntegerParameter(1, 4),
            "booster": CategoricalParameter(["gbtree", "dart"]),
        },
        max_jobs=3,
        max_parallel_jobs=2,
        random_seed=1,
        base_tuning_job_name="sdk-tuned",
    )
    channels = [
        InputData(channel_name=name, data_source=rows, content_type="text/csv") for name in ("train", "validation")
    ]
    tuner.tune(inputs=channels)
    described = tuner.describe()
    assert described.hyper_parameter_tuning_job_status == "Completed"
    assert described.hyper_parameter_tuning_job_config.strategy == "Bayesian"
    assert described.training_job_status_counters.completed == 3
    assert described.objective_status_counters.succeeded == 3

    best = tuner.best_training_job()
    sm = genuine.client("sagemaker")
    job = sm.describe_training_job(TrainingJobName=best)
    assert job["HyperParameters"]["_tuning_objective_metric"] == "validation:auc"
    assert job["HyperParameters"]["booster"] in ("gbtree", "dart")
    [final] = [each["Value"] for each in job["FinalMetricDataList"] if each["MetricName"] == "validation:auc"]
    assert final == described.best_training_job.final_hyper_parameter_tuning_job_objective_metric.value == 1.0
    assert sm.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "a"}]
    table = tuner.analytics().dataframe()
    assert sorted(table["FinalObjectiveValue"]) and len(table) == 3
