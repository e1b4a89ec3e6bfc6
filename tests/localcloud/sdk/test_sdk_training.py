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


def xgboost_trainer(genuine: Genuine, name: str, **more: Any) -> Any:
    from sagemaker.core.training.configs import Compute
    from sagemaker.train import ModelTrainer

    return ModelTrainer(
        training_image=XGBOOST,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name=name,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"num_round": 2, "objective": "binary:logistic"},
        **more,
    )


def test_a_built_in_algorithm(genuine: Genuine, rows: str) -> None:
    from sagemaker.core.training.configs import InputData

    trainer = xgboost_trainer(genuine, "sdk-xgboost")
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=rows, content_type="text/csv")])
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert list(members(genuine, job.model_artifacts.s3_model_artifacts)) == ["xgboost-model"]


#: an entry script with a module beside it, as one has them; each host leaves a file with what it saw
SCRIPT = """
import argparse, json, os, pathlib
import helper
parser = argparse.ArgumentParser()
parser.add_argument('--epochs', type=int)
asked, _ = parser.parse_known_args()
rows = sorted(path.name for path in pathlib.Path(os.environ['SM_CHANNEL_TRAIN']).iterdir())
host = os.environ['SM_CURRENT_HOST']
print(f'epochs={asked.epochs} hosts={json.loads(os.environ["SM_HOSTS"])}')
print(f'score={helper.score(asked.epochs)}')
pathlib.Path(os.environ['SM_MODEL_DIR'], host).write_text(' '.join(rows))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("source")
    (folder / "helper.py").write_text("def score(epochs):\n    return 10 - abs(epochs - 7)\n")
    (folder / "train.py").write_text(SCRIPT)
    return str(folder)


def test_source_code_on_two_instances(genuine: Genuine, source: str) -> None:
    """SDK v3 starts its own driver; the channels sm_drivers and code go to every host, the data in shares."""
    from sagemaker.core.shapes import Channel, DataSource, MetricDefinition, S3DataSource
    from sagemaker.core.training.configs import Compute, SourceCode
    from sagemaker.train import ModelTrainer

    for name in ("a.csv", "b.csv", "c.csv"):
        genuine.put(f"data/parts/{name}", name.encode())
    parts = S3DataSource(
        s3_data_type="S3Prefix",
        s3_uri=f"s3://{genuine.bucket}/data/parts/",
        s3_data_distribution_type="ShardedByS3Key",
    )
    trainer = ModelTrainer(
        training_image=SKLEARN,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name="sdk-script",
        source_code=SourceCode(source_dir=source, entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=5),
        hyperparameters={"epochs": 3},
    ).with_metric_definitions([MetricDefinition(name="score", regex="score=([0-9.]+)")])
    trainer.train(input_data_config=[Channel(channel_name="train", data_source=DataSource(s3_data_source=parts))])
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert members(genuine, job.model_artifacts.s3_model_artifacts) == {"algo-1": b"a.csv c.csv", "algo-2": b"b.csv"}
    assert [(metric.metric_name, metric.value) for metric in job.final_metric_data_list] == [("score", 6.0)]


def test_a_tuner(genuine: Genuine, rows: str) -> None:
    from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
    from sagemaker.core.training.configs import InputData
    from sagemaker.train.tuner import HyperparameterTuner

    trainer = xgboost_trainer(genuine, "sdk-tuned", tags=[{"key": "team", "value": "a"}])
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


@pytest.mark.exhaustive
def test_a_tuner_with_source_code(genuine: Genuine, source: str, rows: str) -> None:
    """The tuning API has no entry point: the SDK falls back to the image's own toolkit."""
    from sagemaker.core.parameter import IntegerParameter
    from sagemaker.core.training.configs import Compute, InputData, SourceCode
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

    trainer = ModelTrainer(
        training_image=SKLEARN,
        role=genuine.role,
        sagemaker_session=genuine.session,
        base_job_name="sdk-script",
        source_code=SourceCode(source_dir=source, entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="score",
        metric_definitions=[{"Name": "score", "Regex": "score=([0-9.]+)"}],
        hyperparameter_ranges={"epochs": IntegerParameter(1, 9)},
        strategy="Random",
        max_jobs=2,
        max_parallel_jobs=2,
        base_tuning_job_name="sdk-script",
    )
    tuner.tune(inputs=[InputData(channel_name="train", data_source=rows)])
    best = genuine.client("sagemaker").describe_training_job(TrainingJobName=tuner.best_training_job())
    [score] = [each["Value"] for each in best["FinalMetricDataList"] if each["MetricName"] == "score"]
    assert score == 10 - abs(int(best["HyperParameters"]["epochs"]) - 7)
    assert members(genuine, best["ModelArtifacts"]["S3ModelArtifacts"]) == {"algo-1": b"train.csv"}
