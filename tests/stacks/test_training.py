"""Every way to train as templates: what SageMaker is asked for, what is uploaded, and who may do what."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from operations.review.access import promises
from operations.review.access.decide import Answer, answer_of
from operations.review.assembly import read_assembly
from sandcastle.template import resolve, symbols
from tests.stacks.calls import actions_of
from tests.stacks.statements import listed, role_statements
from tests.stacks.test_permissions import WRITES_OWN_LOGS
from tests.stacks.test_workloads import one, request, validate
from tests.synthesis import ROOT, Synthesis, Template, exported, resources, synthesise
from tests.training_project import NAME, TrainingProject, training_project

MODEL = "Custom::SandcastleTrainedModel"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> TrainingProject:
    return training_project(tmp_path_factory.mktemp("trainings"))


@pytest.fixture(scope="module")
def made(project: TrainingProject) -> Synthesis:
    return synthesise(NAME, project.root)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The same workloads otherwise: not tuned, a script with requirements, a model in S3."""
    project = training_project(tmp_path_factory.mktemp("otherwise"))
    (project.workload("scripted") / "requirements.txt").write_text("humanize==4.0.0\n")
    for file, old, new in (
        (project.file, "tune: true", "tune: false"),
        (project.workload("scripted") / "workload.yaml", "script: train.py", "script: train.py\n  internet: true"),
        (project.workload("finished") / "workload.yaml", "{file: model", "{s3: s3://others/a/model"),
    ):
        replace(file, old, new)
    return synthesise(NAME, project.root)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def asked(made: Synthesis, workload: str) -> dict[str, Any]:
    return request(made, workload, MODEL)


def role_of(template: Template, purpose: str) -> str:
    (found,) = (key for key in resources(template, "AWS::IAM::Role") if purpose in key)
    return found


def test_a_tuning_job_is_asked_for_as_the_workload_describes_it(made: Synthesis) -> None:
    tuning = asked(made, "searched")
    validate("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "x", **tuning})
    config, definition = tuning["HyperParameterTuningJobConfig"], tuning["TrainingJobDefinition"]
    assert config["Strategy"] == "Random"
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation:auc"}
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
    assert config["ParameterRanges"] == {
        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9", "ScalingType": "Auto"}],
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "3", "ScalingType": "Auto"}],
        "CategoricalParameterRanges": [{"Name": "tree_method", "Values": ["exact", "hist"]}],
    }
    properties = one(made.template("workload-searched"), MODEL)
    assert properties["Kind"] == "tuning"
    assert config["RandomSeed"] == int(properties["Fingerprint"][:7], 16)
    assert definition["StaticHyperParameters"] == {
        "objective": "binary:logistic", "eval_metric": "auc", "num_round": "3",
    }  # fmt: skip
    assert "CheckpointConfig" not in definition, "training jobs would share the folder"
    assert definition["StoppingCondition"] == {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 600}
    assert {tag["Key"] for tag in tuning["Tags"]} == {
        "sandcastle:environment", "sandcastle:stack", "sandcastle:workload",
    }  # fmt: skip


def test_several_instances_on_spot_share_checkpoints(made: Synthesis) -> None:
    training = asked(made, "spread")
    validate("CreateTrainingJob", {"TrainingJobName": "x", **training})
    assert training["ResourceConfig"]["InstanceCount"] == 2
    assert training["CheckpointConfig"]["S3Uri"].startswith(training["OutputDataConfig"]["S3OutputPath"])


def test_no_instances_are_kept_after_a_job(made: Synthesis) -> None:
    for workload in ("searched", "spread", "scripted"):
        assert "KeepAlivePeriodInSeconds" not in json.dumps(asked(made, workload))


def test_a_script_comes_through_a_channel_and_needs_no_network(made: Synthesis, project: TrainingProject) -> None:
    training = asked(made, "scripted")
    validate("CreateTrainingJob", {"TrainingJobName": "x", **training})
    assert training["EnableNetworkIsolation"] is True
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in training["InputDataConfig"]}
    archive = channels["code"].rpartition("/")[2]
    assert training["HyperParameters"] == {
        "start": "0.5",
        "sagemaker_container_log_level": "20",
        "sagemaker_program": "train.py",
        "sagemaker_region": "us-east-1",
        "sagemaker_submit_directory": f"/opt/ml/input/data/code/{archive}",
    }
    metric = {"Name": "train:accuracy", "Regex": r"accuracy=(\S+)"}
    assert training["AlgorithmSpecification"]["MetricDefinitions"] == [metric]
    with tarfile.open(made.folder / f"asset.{archive}") as source:
        assert source.getnames() == ["inference.py", "prepare.py", "rows.py", "train.py"]
        member = source.getmember("train.py")
        assert (member.mtime, member.uid, member.uname, member.mode) == (0, 0, "", 0o644)
        content = source.extractfile(member)
        assert content is not None
        assert content.read() == (project.workload("scripted") / "train.py").read_bytes()


def test_the_same_source_is_the_same_archive(made: Synthesis, tmp_path: Path) -> None:
    """Whenever and wherever its files were written."""
    again = synthesise(NAME, training_project(tmp_path / "again").root)
    name = one(made.template("workload-scripted"), MODEL)
    assert one(again.template("workload-scripted"), MODEL)["Fingerprint"] == name["Fingerprint"]
    first, second = (
        [file for file in each.folder.glob("asset.*.tar.gz") if b"prepare.py" in gzip.decompress(file.read_bytes())]
        for each in (made, again)
    )
    assert [file.name for file in first] == [file.name for file in second]
    assert first[0].read_bytes() == second[0].read_bytes()


def test_archives_are_uploaded_under_keys_that_say_what_they_are(made: Synthesis) -> None:
    for workload in ("scripted", "finished"):
        manifest = json.loads((made.folder / f"sandcastle-{NAME}-workload-{workload}.assets.json").read_text())
        (file,) = (one for one in manifest["files"].values() if one["source"]["path"].endswith(".tar.gz"))
        assert file["source"]["packaging"] == "file"
        (destination,) = file["destinations"].values()
        assert destination["objectKey"].endswith(".tar.gz")
        assert f"asset.{destination['objectKey']}" == file["source"]["path"]


def test_for_a_model_that_is_there_nothing_is_trained(made: Synthesis, project: TrainingProject) -> None:
    template = made.template("workload-finished")
    assert resources(template, MODEL) == {}
    assert not {"TrainingJob", "TuningJob"} & set(template["Outputs"])
    assert not [role for role in resources(template, "AWS::IAM::Role") if "TrainedModel" in role]
    lookup = symbols(template, exported(made))
    address = resolve(one(template, "AWS::SageMaker::Model")["PrimaryContainer"]["ModelDataUrl"], lookup)
    archive = made.folder / f"asset.{address.rpartition('/')[2]}"
    assert archive.read_bytes() == (project.workload("finished") / "model.tar.gz").read_bytes()
    bucket, _, key = address.removeprefix("s3://").partition("/")
    statements = role_statements(template, role_of(template, "HostedModelRole"), lookup)
    assert answer_of(statements, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {}) is Answer.ALL
    assert answer_of(statements, "s3:GetObject", f"arn:aws:s3:::{bucket}/other.tar.gz", {}) is Answer.NONE


def test_a_model_in_s3_is_served_from_there(other: Synthesis) -> None:
    template = other.template("workload-finished")
    model = one(template, "AWS::SageMaker::Model")
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://others/a/model.tar.gz"
    lookup = symbols(template, exported(other))
    statements = role_statements(template, role_of(template, "HostedModelRole"), lookup)
    assert answer_of(statements, "s3:GetObject", "arn:aws:s3:::others/a/model.tar.gz", {}) is Answer.ALL
    assert answer_of(statements, "s3:GetObject", "arn:aws:s3:::others/b/*", {}) is Answer.NONE


def test_who_reads_the_script_reads_nothing_beside_it(made: Synthesis) -> None:
    template = made.template("workload-scripted")
    lookup = symbols(template, exported(made))
    training = asked(made, "scripted")
    (address,) = (
        channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in training["InputDataConfig"]
        if channel["ChannelName"] == "code"
    )
    bucket, _, key = address.removeprefix("s3://").partition("/")
    statements = role_statements(template, role_of(template, "TrainedModelRole"), lookup)
    assert answer_of(statements, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {}) is Answer.ALL
    assert answer_of(statements, "s3:GetObject", f"arn:aws:s3:::{bucket}/other", {}) is Answer.NONE


def test_a_script_with_requirements_reaches_the_internet_and_installs_them(other: Synthesis) -> None:
    training = asked(other, "scripted")
    assert training["EnableNetworkIsolation"] is False
    archive = training["HyperParameters"]["sagemaker_submit_directory"].rpartition("/")[2]
    with tarfile.open(other.folder / f"asset.{archive}") as source:
        assert "requirements.txt" in source.getnames()


ROUNDS = [
    # in each round, at most one change of each workload: file, what is replaced, by what, whether the data are prepared
    # again, whether a model is trained again
    {
        "scripted": ("train.py", "range(11)", "range(12)", False, True),
        "searched": ("workload.yaml", "max: 0.9", "max: 0.8", False, True),
        "spread": ("workload.yaml", "instances: 2", "instances: 3", False, True),
    },
    {
        "scripted": ("rows.py", "float(value)", "float( value)", True, True),
        "searched": ("workload.yaml", "max_jobs: 4", "max_jobs: 5", False, True),
    },
    {
        "scripted": ("inference.py", "float(value)", "float( value)", False, True),
        "searched": ("workload.yaml", "max_depth: 2", "max_depth: 1", False, False),  # it is tuned
    },
    {
        "scripted": ("workload.yaml", "start: 0.5", "start: 0.6", False, True),
        "searched": ("workload.yaml", "max_wait_minutes: 10", "max_wait_minutes: 11", False, False),
    },
    {
        "scripted": ("workload.yaml", "accuracy=(", "accuracy =(", False, False),
        "searched": ("workload.yaml", "goal: Maximize", "goal: Minimize", False, True),
    },
]


_EXHAUSTIVE = [pytest.param(one, marks=pytest.mark.exhaustive) for one in ROUNDS[2:]]


@pytest.mark.parametrize("changes", [*ROUNDS[:2], *_EXHAUSTIVE])
def test_what_trains_again_and_what_does_not(
    made: Synthesis, tmp_path: Path, changes: dict[str, tuple[str, str, str, bool, bool]]
) -> None:
    project = training_project(tmp_path / "project")
    for workload, (file, old, new, _, _) in changes.items():
        replace(project.workload(workload) / file, old, new)
    synthesis = synthesise(NAME, project.root)
    for workload in ("scripted", "searched", "spread"):
        before, after = (each.template(f"workload-{workload}") for each in (made, synthesis))
        changed = [
            one(before, kind)["Fingerprint"] != one(after, kind)["Fingerprint"]
            for kind in ("Custom::SandcastleDataset", MODEL)
        ]
        assert changed == list(changes.get(workload, (False, False))[-2:]), workload


def test_every_promise_holds(made: Synthesis, other: Synthesis) -> None:
    verdicts = [verdict for each in (made, other) for verdict in promises(read_assembly(each.folder))]
    assert [verdict for verdict in verdicts if not verdict.kept] == []
    assert len(verdicts) > 300


def actions(made: Synthesis, workload: str, handler: str) -> set[str]:
    template = made.template(f"workload-{workload}")
    (function,) = (
        one["Properties"]
        for one in resources(template, "AWS::Lambda::Function").values()
        if one["Properties"]["Handler"] == handler
    )
    statements = role_statements(template, function["Role"]["Fn::GetAtt"][0], symbols(template, exported(made)))
    return {action for statement in statements for action in listed(statement["Action"])}


@pytest.mark.parametrize("handler", ["jobs.on_event", "jobs.is_complete"])
def test_only_a_workload_that_tunes_may_start_tuning_jobs(made: Synthesis, handler: str) -> None:
    called = actions_of(ROOT / "assets" / "functions", handler)
    tuned, trained, ready = (
        actions(made, workload, handler) - WRITES_OWN_LOGS for workload in ("searched", "spread", "finished")
    )
    assert tuned | {"sagemaker:CreateTrainingJob"} & called == called
    assert {action for action in trained | ready if "HyperParameter" in action} == set()
    assert trained - ready == {"sagemaker:CreateTrainingJob"} & called


def test_a_workload_that_could_tune_may_stop_what_it_started_when_it_did(other: Synthesis) -> None:
    assert asked(other, "searched")["HyperParameters"]["max_depth"] == "2"
    may = actions(other, "searched", "jobs.is_complete")
    assert {"sagemaker:ListHyperParameterTuningJobs", "sagemaker:StopHyperParameterTuningJob"} <= may
    assert "sagemaker:CreateHyperParameterTuningJob" not in actions(other, "searched", "jobs.on_event")


def test_the_archive_of_another_model_is_another_model(made: Synthesis, other: Synthesis) -> None:
    first, second = (each.template("workload-finished")["Outputs"]["Fingerprint"] for each in (made, other))
    assert first != second
