"""What a lifecycle script brings: new files, none over a person's own, and a configuration that the SDK takes."""

from __future__ import annotations

import importlib.util
import io
import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from tests.synthesis import ROOT

BUCKET = "assets"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in (
        ("REGION", "us-east-1"),
        ("ENVIRONMENT", "local"),
        ("BUCKET", "data-bucket"),
        ("MODELS", "models-bucket"),
        ("ROLE_PATH", "/sandcastle/local/users/"),
        ("INSTANCES", "ml.t3.medium ml.m5.large"),
        ("TUTORIALS", f"bank,{BUCKET},bank.zip\nshared,{BUCKET},shared.zip"),
    ):
        monkeypatch.setenv(f"SANDCASTLE_{name}", value)
    spec = importlib.util.spec_from_file_location("deliver", ROOT / "assets" / "lifecycle" / "deliver.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def zipped(**files: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, text in files.items():
            out.writestr(name.replace("__", "/").replace("_md", ".md"), text)
    return archive.getvalue()


def start(program: ModuleType, monkeypatch: pytest.MonkeyPatch, *answers: bytes | str) -> None:
    """Run it once; S3 answers with these archives, or refuses with these codes, one after the other."""
    s3, sts = (
        boto3.client(one, "us-east-1", aws_access_key_id="x", aws_secret_access_key="x") for one in ("s3", "sts")
    )
    with Stubber(s3) as stub, Stubber(sts) as caller:
        caller.add_response("get_caller_identity", {"Arn": "arn:aws:sts::123456789012:assumed-role/ada-role/SageMaker"})
        for key, answer in zip(("bank.zip", "shared.zip"), answers, strict=False):
            asked = {"Bucket": BUCKET, "Key": key}
            if isinstance(answer, str):
                stub.add_client_error("get_object", answer, expected_params=asked)
            else:
                stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(answer), len(answer))}, asked)
        monkeypatch.setattr(program, "client", {"s3": s3, "sts": sts}.__getitem__)
        program.main(lambda: ("ada", "users/ada/"))
        stub.assert_no_pending_responses()


def test_tutorials_are_there_after_the_first_start_and_stay_as_they_are_at_the_second(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archives = (zipped(README_md="bank", code__prepare="x = 1"), zipped(job="y = 2"))
    start(program, monkeypatch, *archives)
    assert (tmp_path / "tutorials" / "bank" / "README.md").read_text() == "bank"
    assert (tmp_path / "tutorials" / "bank" / "code" / "prepare").read_text() == "x = 1"
    assert "3 new files in ~/tutorials" in capsys.readouterr().out
    start(program, monkeypatch, *archives)
    assert "0 new files in ~/tutorials" in capsys.readouterr().out


def test_a_newer_version_replaces_what_nobody_touched_and_leaves_what_somebody_did(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start(program, monkeypatch, zipped(mine="old", theirs="old"), zipped())
    (tmp_path / "tutorials" / "bank" / "mine").write_text("my work")
    start(program, monkeypatch, zipped(mine="new", theirs="new"), zipped())
    assert (tmp_path / "tutorials" / "bank" / "mine").read_text() == "my work"
    assert (tmp_path / "tutorials" / "bank" / "theirs").read_text() == "new"
    assert "~/tutorials/bank/mine was changed here and stays as it is" in capsys.readouterr().out


def test_a_file_that_was_there_before_is_never_taken_for_ours(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / ".config" / "sagemaker" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("SchemaVersion: '1.0'")
    start(program, monkeypatch, zipped(), zipped())
    assert own.read_text() == "SchemaVersion: '1.0'"


def test_a_workload_that_is_not_the_users_is_passed_over(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start(program, monkeypatch, "AccessDenied", zipped(job="y = 2"))
    assert not (tmp_path / "tutorials" / "bank").exists()
    assert (tmp_path / "tutorials" / "shared" / "job").exists()


def test_any_other_trouble_is_told_in_a_line_and_what_came_is_noted(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="sandcastle: NoSuchKey: "):
        start(program, monkeypatch, zipped(job="x"), "NoSuchKey")
    notes = json.loads((tmp_path / ".sandcastle" / "delivered.json").read_text())
    assert "tutorials/bank/job" in notes
    with pytest.raises(SystemExit, match="BadZipFile"):
        start(program, monkeypatch, b"no archive")


def test_an_archive_cannot_write_outside_its_folder(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("../../.bashrc", "no")
        out.writestr("/etc/no", "no")
    start(program, monkeypatch, archive.getvalue(), zipped())
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {
        "config.yaml",
        "delivered.json",
        "environment.json",
    }


def test_what_a_tutorial_needs_to_know_is_noted_at_every_start(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = tmp_path / ".sandcastle" / "environment.json"
    for before in ("", "{"):
        if before:
            note.write_text(before)
        start(program, monkeypatch, zipped(), zipped())
        noted = json.loads(note.read_text())
        assert noted.pop("role") == "arn:aws:iam::123456789012:role/sandcastle/local/users/ada-role"
        assert noted.pop("instances") == ["ml.t3.medium", "ml.m5.large"]
        assert noted == {
            "environment": "local",
            "region": "us-east-1",
            "user": "ada",
            "home": "users/ada/",
            "data_bucket": "data-bucket",
            "models_bucket": "models-bucket",
        }


def test_notes_that_cannot_be_read_cost_nobody_a_file(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start(program, monkeypatch, zipped(job="old"), zipped())
    (tmp_path / ".sandcastle" / "delivered.json").write_text("{")
    start(program, monkeypatch, zipped(job="new"), zipped())
    assert (tmp_path / "tutorials" / "bank" / "job").read_text() == "old"


def test_the_configuration_is_one_that_the_sdk_takes_and_finds(program: ModuleType) -> None:
    from jsonschema import validate

    schema = pytest.importorskip("sagemaker.core.config.config_schema", reason="the SDK is an extra")
    settings: dict[str, Any] = json.loads(program.sdk("ada", "users/ada/"))
    validate(settings, schema.SAGEMAKER_PYTHON_SDK_CONFIG_SCHEMA)
    session = settings["SageMaker"]["PythonSDK"]["Modules"]["Session"]
    assert session == {"DefaultS3Bucket": "data-bucket", "DefaultS3ObjectKeyPrefix": "users/ada/"}
    tags = {"sandcastle:environment": "local", "sandcastle:user": "ada"}
    for kind in ("TrainingJob", "ProcessingJob", "TransformJob", "Model", "EndpointConfig", "Endpoint"):
        assert {one["Key"]: one["Value"] for one in settings["SageMaker"][kind]["Tags"]} == tags
