"""Workload stacks: what the jobs are asked, how the endpoint is made, and how changes spread."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandcastle.config import load_environment
from sandcastle.template import resolve, symbols
from tests.synthesis import ROOT, Synthesis, Template, exported, resources, synthesise


def one(template: Template, kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def request(synthesis: Synthesis, workload: str, kind: str) -> dict[str, Any]:
    """Return the request of a dataset or trained model, references replaced by symbols."""
    template = synthesis.template(f"workload-{workload}")
    text = resolve(one(template, kind)["Request"], symbols(template, exported(synthesis)))
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def validate(operation: str, parameters: dict[str, Any]) -> None:
    """Check the request against AWS's own model. Raises ParamValidationError."""
    import boto3

    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    shape = client.meta.service_model.operation_model(operation).input_shape
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), report.generate_report()


def test_requests_are_valid_for_sagemaker(with_bank: Synthesis) -> None:
    name = "sandcastle-x"
    for workload in ("bank", "mnist-linear", "digits"):
        if not any(stack.endswith(f"-workload-{workload}") for stack in with_bank.templates):
            continue
        processing = request(with_bank, workload, "Custom::SandcastleDataset")
        validate("CreateProcessingJob", {"ProcessingJobName": name, **processing})
        training = request(with_bank, workload, "Custom::SandcastleTrainedModel")
        validate("CreateTrainingJob", {"TrainingJobName": name, **training})


def test_prepare_job_runs_the_zipped_code_without_a_network(local: Synthesis) -> None:
    job = request(local, "bank", "Custom::SandcastleDataset")
    entrypoint, arguments = (job["AppSpecification"][key] for key in ("ContainerEntrypoint", "ContainerArguments"))
    inputs = {item["InputName"]: item["S3Input"] for item in job["ProcessingInputs"]}
    assert entrypoint[:2] == ["python3", "-c"]
    assert [argument.rsplit("/", 1)[0] for argument in arguments] == [
        "/opt/ml/processing/input/workload",
        "/opt/ml/processing/input/shared",
    ]
    for argument, name in zip(arguments, ("workload", "shared"), strict=True):
        assert inputs[name]["S3Uri"].rsplit("/", 1)[1] == argument.rsplit("/", 1)[1]
        assert (local.folder / f"asset.{argument.rsplit('/', 1)[1].removesuffix('.zip')}").is_dir()
    assert job["Environment"] == {"SANDCASTLE_DATA": "sample"}
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": True}
    outputs = {item["OutputName"]: item["S3Output"]["LocalPath"] for item in job["ProcessingOutputConfig"]["Outputs"]}
    assert outputs == {name: f"/opt/ml/processing/output/{name}" for name in ("train", "validation", "test", "about")}


def test_assets_hold_code_and_nothing_else(local: Synthesis) -> None:
    code = [folder for folder in local.folder.glob("asset.*") if not (folder / "README.md").exists()]
    names = {file.name for folder in code for file in folder.rglob("*.*")}
    assert {"prepare.py", "jobs.py", "job.py"} <= names
    assert not {name for name in names if name.endswith((".yaml", ".md", ".pyc", ".ipynb"))}


def test_bank_trains_on_spot_with_checkpoints_and_mnist_does_not(local: Synthesis) -> None:
    bank = request(local, "bank", "Custom::SandcastleTrainedModel")
    assert bank["EnableManagedSpotTraining"] is True
    limits = bank["StoppingCondition"]
    assert limits["MaxWaitTimeInSeconds"] >= limits["MaxRuntimeInSeconds"]
    assert bank["CheckpointConfig"]["S3Uri"].startswith(bank["OutputDataConfig"]["S3OutputPath"])
    mnist = request(local, "mnist-linear", "Custom::SandcastleTrainedModel")
    assert mnist["EnableManagedSpotTraining"] is False
    assert "CheckpointConfig" not in mnist
    assert mnist["HyperParameters"]["mini_batch_size"] == "200"
    assert {channel["ChannelName"] for channel in mnist["InputDataConfig"]} == {"train", "validation"}


def test_jobs_carry_the_environments_tags(with_bank: Synthesis) -> None:
    for kind in ("Custom::SandcastleDataset", "Custom::SandcastleTrainedModel"):
        tags = {tag["Key"]: tag["Value"] for tag in request(with_bank, "bank", kind)["Tags"]}
        environment = with_bank.environment
        assert tags == {
            "sandcastle:environment": environment,
            "sandcastle:stack": f"sandcastle-{environment}-workload-bank",
            "sandcastle:workload": "bank",
        }


def test_endpoint_captures_what_the_environment_asks_for(each: Synthesis) -> None:
    for template in each.workloads:
        config = one(template, "AWS::SageMaker::EndpointConfig")
        if is_serverless(template):
            assert "DataCaptureConfig" not in config
            continue
        capture = config["DataCaptureConfig"]
        assert capture["EnableCapture"] is True
        assert capture["InitialSamplingPercentage"] == 100
        assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}
        (variant,) = config["ProductionVariants"]
        assert variant["InitialInstanceCount"] == 1


def test_only_the_endpoint_has_a_name_and_it_differs_for_each_stack(each: Synthesis) -> None:
    for template in each.workloads:
        assert "ModelName" not in one(template, "AWS::SageMaker::Model")
        assert "EndpointConfigName" not in one(template, "AWS::SageMaker::EndpointConfig")
        assert "AWS::StackId" in json.dumps(one(template, "AWS::SageMaker::Endpoint")["EndpointName"])
        named = {"FunctionName", "RoleName", "LogGroupName", "StateMachineName", "BucketName", "TopicName"}
        for resource in template["Resources"].values():
            if resource["Type"] != "AWS::Lambda::Permission":  # which says what it is for
                assert not named & set(resource["Properties"])


def test_model_is_isolated_and_shows_its_fingerprint(each: Synthesis) -> None:
    """But for serverless endpoints, which AWS does not isolate, and digits, whose container fetches pictures."""
    for name, template in each.templates.items():
        if "-workload-" not in name:
            continue
        model = one(template, "AWS::SageMaker::Model")
        reaches_out = is_serverless(template) or name.endswith("-digits")
        assert model["EnableNetworkIsolation"] is not reaches_out
        fingerprint = model["PrimaryContainer"]["Environment"]["SANDCASTLE_FINGERPRINT"]
        assert fingerprint == template["Outputs"]["Fingerprint"]["Value"]
        assert fingerprint == one(template, "Custom::SandcastleTrainedModel")["Fingerprint"]


def is_serverless(template: Template) -> bool:
    return bool(template["Outputs"]["EndpointKind"]["Value"] == "serverless")


def test_outputs(each: Synthesis) -> None:
    for template in each.workloads:
        tuned = one(template, "Custom::SandcastleTrainedModel")["Kind"] == "tuning"
        more = {"TuningJob", "Objective"} if tuned else set()
        if "MonitoringEngine" in template["Outputs"]:
            more |= {"MonitoringEngine", "MonitoringReports", "GroundTruth"}
            more |= {f"{kind}Quality{what}" for kind in ("Data", "Model") for what in ("Schedule", "Baseline")}
        assert set(template["Outputs"]) - more == {
            "EndpointName",
            "EndpointConfigName",
            "EndpointKind",
            "ModelName",
            "VariantNames",
            "StackPart",
            "DatasetUri",
            "DatasetJob",
            "TrainingJob",
            "ModelDataUrl",
            "Fingerprint",
            "ContentType",
            "Accept",
        }


def test_functions_are_small_modern_and_own_their_logs(each: Synthesis) -> None:
    for template in each.templates.values():
        for function in resources(template, "AWS::Lambda::Function").values():
            properties = function["Properties"]
            assert "LoggingConfig" in properties
            group = properties["LoggingConfig"]["LogGroup"]["Ref"]
            assert template["Resources"][group]["DeletionPolicy"] == "Delete"
            assert "ReservedConcurrentExecutions" not in properties
            if "framework" not in properties["Handler"]:
                assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])


Change = Callable[[Path], None]


def replaced(file: str, old: str, new: str) -> Change:
    def change(root: Path) -> None:
        path = root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def project_in(folder: Path) -> Path:
    """Return a copy of the project's environments and assets that a test may change."""
    for name in ("assets", "environments"):
        shutil.copytree(ROOT / name, folder / "project" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "project"


def fingerprints(root: Path) -> dict[str, tuple[str, str]]:
    """Return by workload the fingerprints of data and model in the project."""
    found = {}
    for template in synthesise("local", root).workloads:
        data = one(template, "Custom::SandcastleDataset")
        name = data["JobPrefix"].removeprefix("sandcastle-local--").removesuffix("-")
        found[name] = (data["Fingerprint"], one(template, "Custom::SandcastleTrainedModel")["Fingerprint"])
    return found


@pytest.mark.parametrize(
    ("change", "data", "model"),
    [
        (replaced("assets/workloads/bank/workload.yaml", "num_round: 100", "num_round: 101"), False, True),
        (replaced("assets/workloads/bank/prepare.py", "SEED = 1729", "SEED = 1730"), True, True),
        (replaced("assets/workloads/bank/workload.yaml", "volume_gb: 10", "volume_gb: 11"), False, False),
        (replaced("assets/workloads/bank/workload.yaml", "max_wait_minutes: 45", "max_wait_minutes: 44"), False, False),
        (replaced("assets/workloads/bank/workload.yaml", "threshold: 0.5", "threshold: 0.6"), False, False),
    ],
    ids=["hyperparameter", "prepare code", "disk", "limit", "evaluation"],
)
def test_a_change_retrains_its_own_workload_and_only_when_it_must(
    tmp_path: Path, change: Change, data: bool, model: bool
) -> None:
    root = project_in(tmp_path)
    change(root)
    before, after = fingerprints(ROOT), fingerprints(root)
    assert after["mnist-linear"] == before["mnist-linear"]
    assert (after["bank"][0] != before["bank"][0], after["bank"][1] != before["bank"][1]) == (data, model)


def test_full_data_is_read_from_exactly_the_public_object(tmp_path: Path) -> None:
    root = project_in(tmp_path)
    replaced("environments/local.yaml", "data: sample", "data: full")(root)
    synthesis = synthesise("local", root)
    for workload in load_environment("local", root).workloads:
        job = request(synthesis, workload.name, "Custom::SandcastleDataset")
        inputs = {item["InputName"]: item["S3Input"] for item in job["ProcessingInputs"]}
        assert inputs["full"]["S3Uri"] == workload.full_data
        assert job["Environment"] == {"SANDCASTLE_DATA": "full"}
        policies = json.dumps(resources(synthesis.template(f"workload-{workload.name}"), "AWS::IAM::Role"))
        assert f":s3:::{str(workload.full_data).removeprefix('s3://')}" in policies.replace('"', "").replace(", ", "")
    assert fingerprints(root)["bank"][0] != fingerprints(ROOT)["bank"][0]


def test_capture_can_be_switched_off_and_takes_its_permission_with_it(tmp_path: Path) -> None:
    root = project_in(tmp_path)
    replaced("environments/local.yaml", "capture_percent: 100", "capture_percent: 0")(root)
    template = synthesise("local", root).template("workload-mnist-linear")
    assert "DataCaptureConfig" not in one(template, "AWS::SageMaker::EndpointConfig")
    (role,) = (key for key in resources(template, "AWS::IAM::Role") if "HostedModelRole" in key)
    properties = template["Resources"][role]
    assert "capture/" not in json.dumps(properties["Properties"])
    assert any(entry.get("may not") == "s3:PutObject" for entry in properties["Metadata"]["sandcastle:promises"])


def test_two_syntheses_into_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    from sandcastle.code import NOT_CODE, _copy

    target = tmp_path / "asset.1"
    for _ in range(2):  # the second finds the folder there, as when another process was quicker
        _copy(ROOT / "assets" / "functions", NOT_CODE, target)
    assert (target / "jobs.py").exists()
    assert [folder.name for folder in tmp_path.iterdir()] == ["asset.1"]


def test_assets_are_readable_to_all_whatever_the_umask(tmp_path: Path) -> None:
    """Lambda runs as another user than the one whose modes the archive keeps."""
    from sandcastle.code import NOT_CODE, _copy

    source = tmp_path / "source"
    (source / "package").mkdir(parents=True)
    for file in (source / "top.py", source / "package" / "inner.py"):
        file.write_text("")
        file.chmod(0o600)
    before = os.umask(0o077)
    try:
        _copy(source, NOT_CODE, tmp_path / "asset.1")
    finally:
        os.umask(before)
    copied = [tmp_path / "asset.1", *(tmp_path / "asset.1").rglob("*")]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in copied} == {
        "asset.1": "0o755",
        "top.py": "0o644",
        "package": "0o755",
        "inner.py": "0o644",
    }
