"""Training jobs on a real server, under real roles."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec
from tests.localcloud.jobs.cloud import LINEAR_LEARNER, LOGS, PULL, PYTORCH_INFERENCE, REGION, XGBOOST, Cloud, allow
from tests.localcloud.jobs.training_data import GROUP, HYPERPARAMETERS, channel, members


def test_xgboost_end_to_end(cloud: Cloud, channels: list[InputSpec]) -> None:
    spec = cloud.training(cloud.full_role(), image=XGBOOST, inputs=channels, hyperparameters=HYPERPARAMETERS)
    outcome, statuses = cloud.run(spec)
    assert (outcome.status, outcome.failure_reason, outcome.notes) == ("Completed", None, [])
    assert statuses == ["Starting", "Downloading", "Training", "Uploading"]
    assert outcome.artifact_uri == f"s3://{cloud.bucket}/out/{spec.name}/output/model.tar.gz"
    assert outcome.output_uri is None
    model = members(cloud.get(outcome.artifact_uri))
    assert list(model) == ["xgboost-model"]
    assert model["xgboost-model"].startswith(b"{L")  # UBJSON, as Booster.save_model of the 3.x images

    names = {name for name, _, _ in outcome.metrics}
    assert names == {"train:auc", "train:error", "validation:auc", "validation:error"}
    final = {name: value for name, value, _ in outcome.metrics}
    assert final["validation:auc"] > 0.95
    assert len(outcome.metrics) == 8 * 4

    lines = cloud.log_lines(GROUP, f"{spec.name}/algo-1-")
    rounds = [line for line in lines if line.startswith("[7]")]
    assert len(rounds) == 1
    assert "#011train-auc:" in rounds[0] and "\t" not in rounds[0]

    statistics = cloud.server.client("cloudwatch").get_metric_statistics(
        Namespace=GROUP,
        MetricName="validation:auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": spec.name}],
        StartTime=0,
        EndTime=outcome.metrics[-1][2] + 60,
        Period=3600,
        Statistics=["Maximum", "SampleCount"],
    )["Datapoints"]
    assert sum(each["SampleCount"] for each in statistics) == 8


def test_files_and_environment_of_a_training_job(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script copies what it finds to its outputs: configuration, data, environment."""
    monkeypatch.setenv("PLANTED_SECRET", "s3cr3t")
    cloud.put("files/a/one.csv", "1")
    cloud.put("files/a/deep/two.csv", "2")
    cloud.put("files/a/", "")  # a folder marker is no file
    single = cloud.put("files/single.csv", "3")
    manifest = cloud.put(
        "files/list.manifest", json.dumps([{"prefix": f"s3://{cloud.bucket}/files/"}, "a/one.csv", "single.csv"])
    )
    code = (
        "import json, os, pathlib\n"
        "base = pathlib.Path(os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml'))\n"
        "read = lambda name: json.loads((base / 'input/config' / f'{name}.json').read_text())\n"
        "found = {name: read(name) for name in ('hyperparameters', 'inputdataconfig', 'resourceconfig')}\n"
        "data = base / 'input/data'\n"
        "found['data'] = {str(p.relative_to(data)): p.read_text() for p in data.rglob('*') if p.is_file()}\n"
        "found['environment'] = dict(os.environ)\n"
        "(base / 'output/data/found.json').write_text(json.dumps(found))\n"
        "(base / 'model/m').write_text('m')\n"
    )
    spec = cloud.training(
        cloud.full_role(),
        code,
        hyperparameters={"epochs": 3, "name": "x"},
        environment={"MINE": "yes", "OMP_NUM_THREADS": "7"},
        inputs=[
            channel("a", f"s3://{cloud.bucket}/files/a"),
            channel("single", single, "text/plain"),
            channel("listed", manifest, data_type="ManifestFile", mode="FastFile"),
        ],
        instance_type="ml.m5.large",
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert outcome.output_uri == f"s3://{cloud.bucket}/out/{spec.name}/output/output.tar.gz"
    found = json.loads(members(cloud.get(outcome.output_uri))["found.json"])
    assert found["hyperparameters"] == {"epochs": "3", "name": "x"}
    assert found["data"] == {
        "a/one.csv": "1",
        "a/deep/two.csv": "2",
        "single/single.csv": "3",
        "listed/a/one.csv": "1",
        "listed/single.csv": "3",
    }
    assert found["inputdataconfig"]["single"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
        "ContentType": "text/plain",
    }
    assert found["inputdataconfig"]["listed"]["TrainingInputMode"] == "FastFile"
    assert found["resourceconfig"]["current_host"] == "algo-1"
    assert found["resourceconfig"]["hosts"] == ["algo-1"]
    # the driver of SDK v3 raises KeyError without these two
    assert found["resourceconfig"]["current_instance_type"] == "ml.m5.large"
    assert found["resourceconfig"]["network_interface_name"]
    environment = found["environment"]
    assert environment["TRAINING_JOB_NAME"] == spec.name
    assert environment["TRAINING_JOB_ARN"] == spec.arn
    assert (environment["MINE"], environment["OMP_NUM_THREADS"]) == ("yes", "7")
    assert environment["AWS_REGION"] == REGION
    assert environment["AWS_ENDPOINT_URL"] == cloud.server.endpoint
    assert environment["AWS_SESSION_TOKEN"]
    assert "PLANTED_SECRET" not in environment


def test_the_script_itself_acts_as_the_role(cloud: Cloud) -> None:
    """boto3 inside a job reaches the same cloud with the job's permissions and no more."""
    allowed = cloud.put("private/mine.txt", "content")
    code = (
        "import boto3, botocore, os\n"
        "s3 = boto3.client('s3')\n"
        f"print('got', s3.get_object(Bucket='{cloud.bucket}', Key='private/mine.txt')['Body'].read().decode())\n"
        "try: s3.list_buckets()\n"
        "except botocore.exceptions.ClientError as error: print('refused', error.response['Error']['Code'])\n"
    )
    bucket = f"arn:aws:s3:::{cloud.bucket}"
    role = cloud.role(allow("s3:GetObject", f"{bucket}/private/*"), PULL, LOGS)
    spec = cloud.training(role, code)
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.log_lines(GROUP, spec.name) == ["got content", "refused AccessDenied"]
    assert allowed


# --- refusals ---------------------------------------------------------------------------------------------------


def test_reading_without_permission_fails_the_job(cloud: Cloud, channels: list[InputSpec]) -> None:
    bucket = f"arn:aws:s3:::{cloud.bucket}"
    cases = {
        "ClientError: Data download failed:Failed to download data. AccessDenied": [],
        "ClientError: Data download failed:Unable to download object s3://": [allow("s3:ListBucket", bucket)],
    }
    for start, statements in cases.items():
        role = cloud.role(*statements, PULL, LOGS)
        spec = cloud.training(role, image=XGBOOST, inputs=channels, hyperparameters=HYPERPARAMETERS)
        outcome, statuses = cloud.run(spec)
        assert outcome.status == "Failed"
        assert (outcome.failure_reason or "").startswith(start)
        assert "AccessDenied" in (outcome.failure_reason or "")
        assert statuses == ["Starting", "Downloading"]


def test_writing_without_permission_fails_the_job(cloud: Cloud) -> None:
    role = cloud.role(PULL, LOGS)
    outcome, _ = cloud.run(cloud.training(role, "open('/opt/ml/model/m', 'w').write('m')"))
    assert outcome.status == "Failed"
    assert (outcome.failure_reason or "").startswith(
        "ClientError: Artifact upload failed:Unable to upload object s3://"
    )


def test_a_prefix_without_objects(cloud: Cloud) -> None:
    uri = f"s3://{cloud.bucket}/nothing/here"
    role = cloud.full_role()
    outcome, _ = cloud.run(cloud.training(role, "pass", inputs=[channel("train", uri)]))
    assert outcome.failure_reason == (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
        f"Please ensure that the bucket exists in the selected region ({REGION}), that objects exist under that S3 "
        f'prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket "{cloud.bucket}".'
    )


def test_without_log_permission_the_job_runs_and_says_so(cloud: Cloud) -> None:
    spec = cloud.training(
        cloud.role(PULL), "print('loss=0.5')", metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed"
    assert cloud.log_lines(GROUP, spec.name) == []
    assert [(name, value) for name, value, _ in outcome.metrics] == [("loss", 0.5)]
    assert len(outcome.notes) == 2
    assert outcome.notes[0].startswith("logs: ") and "AccessDenied" in outcome.notes[0]
    assert outcome.notes[1].startswith("metrics: ") and "AccessDenied" in outcome.notes[1]


def test_without_ecr_permission_the_image_cannot_be_pulled(cloud: Cloud) -> None:
    outcome, statuses = cloud.run(cloud.training(cloud.role(LOGS), "pass"))
    assert (outcome.failure_reason or "").startswith("ClientError: Cannot pull algorithm container.")
    assert "ecr:BatchGetImage" in (outcome.failure_reason or "")
    assert statuses == ["Starting"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"image": "public.ecr.aws/x/y:1"}, "has no runner for the image public.ecr.aws/x/y:1"),
        ({"image": PYTORCH_INFERENCE}, "ContainerEntrypoint is required"),
    ],
)
def test_what_cannot_run_here_says_so(cloud: Cloud, fields: dict[str, Any], text: str) -> None:
    outcome, _ = cloud.run(cloud.training(cloud.full_role(), **fields))
    assert outcome.status == "Failed"
    assert text in (outcome.failure_reason or "")


def test_a_role_that_does_not_exist(cloud: Cloud) -> None:
    outcome, _ = cloud.run(cloud.training("arn:aws:iam::000000000000:role/none", "pass"))
    assert outcome.status == "Failed"
    assert (outcome.failure_reason or "").startswith("ClientError: ")


# --- failures of the program ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "open('/opt/ml/output/failure', 'w').write('it broke'); raise SystemExit(3)",
            "AlgorithmError: it broke, exit code: 3",
        ),
        (
            "open('/opt/ml/output/failure', 'w').write('x' * 5000); raise SystemExit(1)",
            f"AlgorithmError: {'x' * (1024 - len('AlgorithmError: , exit code: 1'))}, exit code: 1",
        ),
        ("raise SystemExit(2)", "AlgorithmError: , exit code: 2"),
        ("import os; os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
    ],
)
def test_failing_scripts(cloud: Cloud, code: str, reason: str) -> None:
    outcome, statuses = cloud.run(cloud.training(cloud.full_role(), code))
    assert (outcome.status, outcome.failure_reason) == ("Failed", reason)
    assert statuses[-1] == "Training"
    assert outcome.artifact_uri is None


@pytest.mark.parametrize(
    ("image", "hyperparameters", "reason"),
    [
        (
            XGBOOST,
            {"num_round": "1", "silent": "0"},
            "AlgorithmError: framework error: \nExtraneous hyperparameter found: silent, exit code: 1",
        ),
        (XGBOOST, {}, "AlgorithmError: framework error: \nMissing required hyperparameter: num_round, exit code: 1"),
        (
            LINEAR_LEARNER,
            {"predictor_type": "binary_classifier", "mini_batch_size": "4000"},
            "ClientError: No training data processed. Either the training channel is empty or the mini-batch size is "
            "too high. Verify that training data contains non-empty files and the mini-batch size is less than the "
            "number of records per training host., exit code: 2",
        ),
        (
            LINEAR_LEARNER,
            {"predictor_type": "binary_classifier", "mini_batch_size": "10", "feature_dim": "5"},
            "ClientError: The data of channel 'train' has 4 features and the hyperparameter feature_dim is 5., "
            "exit code: 2",
        ),
    ],
)
def test_bad_hyperparameters_fail_the_job(
    cloud: Cloud, channels: list[InputSpec], image: str, hyperparameters: dict[str, str], reason: str
) -> None:
    spec = cloud.training(cloud.full_role(), image=image, inputs=channels, hyperparameters=hyperparameters)
    outcome, _ = cloud.run(spec)
    assert outcome.failure_reason == reason


@pytest.mark.skipif(not sandbox.capabilities().network_isolation, reason="no network namespaces here")
def test_network_isolation(cloud: Cloud) -> None:
    code = (
        "import os, socket\n"
        "print([name for name in os.environ if name.startswith('AWS_') and name.endswith(('KEY', 'TOKEN', 'URL'))])\n"
        f"try: socket.create_connection(('127.0.0.1', {cloud.server.endpoint.rsplit(':', 1)[1]}), 2)\n"
        "except OSError: print('cut off')\n"
    )
    spec = cloud.training(cloud.full_role(), code, network_isolation=True)
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.log_lines(GROUP, spec.name) == ["[]", "cut off"]


def test_work_directories_are_removed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for code in ("import os; os.mkdir('/opt/ml/model/d'); os.chmod('/opt/ml/model/d', 0)", "raise SystemExit(1)"):
        cloud.run(cloud.training(cloud.full_role(), code))
    assert list(tmp_path.iterdir()) == []


def test_spec_is_immutable(cloud: Cloud) -> None:
    spec = cloud.training("arn:aws:iam::000000000000:role/r", "pass")
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]  # that is the point
