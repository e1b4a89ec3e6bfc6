"""Script mode: the framework images' own `train` with scripts of every kind, by itself and as a job."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec
from tests.localcloud.jobs.cloud import RUNNERS, SKLEARN, Cloud
from tests.localcloud.jobs.runner_modules import RUNNERS as PROGRAMS
from tests.localcloud.jobs.test_runner_environments import wheel

PYTHON = RUNNERS / "classic" / "bin" / "python"
#: leaves what it was told in its output folder
SCRIPT = """
import json, os, sys
import helper
found = {"argv": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ), "helper": helper.__file__}
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "found.json"), "w") as file:
    json.dump(found, file)
"""
PROGRAM = {"sagemaker_program": "train.py"}


def archive(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as members:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            members.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


def prepare(base: Path, code: dict[str, str] | bytes, hyperparameters: dict[str, str]) -> None:
    """A job's folder with the code in a channel, as one archive or as files."""
    for folder in ("input/config", "input/data/code", "input/data/train", "model", "output/data"):
        (base / folder).mkdir(parents=True)
    if isinstance(code, bytes):
        (base / "input" / "data" / "code" / "bundle").write_bytes(code)
    else:
        for name, text in code.items():
            (base / "input" / "data" / "code" / name).write_text(text)
    resources = {
        "current_host": "algo-2",
        "hosts": ["algo-1", "algo-2"],
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "instance_groups": [{"instance_group_name": "homogeneousCluster", "hosts": ["algo-1", "algo-2"]}],
        "network_interface_name": "eth0",
    }
    for name, content in (
        ("hyperparameters", {**PROGRAM, "sagemaker_submit_directory": "/opt/ml/input/data/code", **hyperparameters}),
        ("inputdataconfig", {"train": {"TrainingInputMode": "File"}, "code": {"TrainingInputMode": "File"}}),
        ("resourceconfig", resources),
    ):
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))


def train(base: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, output, failure file."""
    done = subprocess.run(
        [str(PYTHON), "-u", str(PROGRAMS / "framework" / "train.py")],
        env={"SAGEMAKER_BASE_DIR": str(base), "TRAINING_JOB_NAME": "a-job", "PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    failure = base / "output" / "failure"
    return done.returncode, done.stdout + done.stderr, failure.read_text() if failure.exists() else ""


def found(base: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((base / "output" / "data" / "found.json").read_text())
    return document


def test_what_a_script_is_told(tmp_path: Path) -> None:
    """Plain and JSON-encoded values, as AWS's toolkit hands them on; the names are its own."""
    hyperparameters = {
        "epochs": "3",
        "learning-rate": "0.10",
        "optimizer": "adam",
        "quoted": '"sgd"',
        "shuffle": "true",
        "layers": "[64, 10]",
        "nested": '{"b": 2, "a": 1}',
        "k": "5",
        "sagemaker_container_log_level": "20",
        "sagemaker_region": "us-east-1",
        "sagemaker_job_name": '"a-job"',
        "_tuning_objective_metric": "validation:accuracy",
    }
    prepare(tmp_path, archive({"train.py": SCRIPT, "helper.py": ""}), hyperparameters)
    bundle = {"sagemaker_submit_directory": "/opt/ml/input/data/code/bundle"}  # a tar file by its content, not its name
    path = tmp_path / "input" / "config" / "hyperparameters.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | bundle))
    code, output, failure = train(tmp_path)
    assert (code, failure) == (0, ""), output
    assert (tmp_path / "output" / "success").exists()
    told = found(tmp_path)
    assert told["argv"] == [
        *("--epochs", "3"),
        *("-k", "5"),
        *("--layers", "[64, 10]"),
        *("--learning-rate", "0.1"),
        *("--nested", "a=1,b=2"),
        *("--optimizer", "adam"),
        *("--quoted", "sgd"),
        *("--shuffle", "True"),
    ]
    assert told["cwd"] == str(tmp_path / "code")
    assert told["helper"] == str(tmp_path / "code" / "helper.py")
    environment = told["environment"]
    expected = {
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_OUTPUT_DIR": str(tmp_path / "output"),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "output" / "data"),
        "SM_INPUT_DIR": str(tmp_path / "input"),
        "SM_INPUT_CONFIG_DIR": str(tmp_path / "input" / "config"),
        "SM_CHANNELS": '["code","train"]',
        "SM_CHANNEL_TRAIN": str(tmp_path / "input" / "data" / "train"),
        "SM_HOSTS": '["algo-1","algo-2"]',
        "SM_CURRENT_HOST": "algo-2",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1","algo-2"]',
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_HP_EPOCHS": "3",
        "SM_HP_LEARNING-RATE": "0.1",  # the toolkit keeps the dash
        "SM_HP_SHUFFLE": "true",
        "SM_HP_OPTIMIZER": "adam",
        "SM_NUM_GPUS": "0",
        "SM_MODULE_NAME": "train",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_JOB_NAME": "a-job",
        "SM_LOG_LEVEL": "20",
        "SM_FRAMEWORK_PARAMS": "{}",
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert json.loads(environment["SM_HPS"])["layers"] == [64, 10]
    assert json.loads(environment["SM_USER_ARGS"]) == told["argv"]
    assert json.loads(environment["SM_TRAINING_ENV"])["is_master"] is False
    assert not [name for name in environment if name.startswith("SM_HP_SAGEMAKER")]
    assert "Invoking script with the following command:" in output


@pytest.mark.parametrize(
    ("code", "program", "reason"),
    [
        (
            {"train.py": "import sys\nprint('noise', file=sys.stderr)\nraise ValueError('no such column: age')\n"},
            "train.py",
            "ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"raise ValueError('no such column: age')\n"
            'ValueError: no such column: age"\nCommand "',
        ),
        (
            {"train.py": "import sys\nsys.exit(3)\n"},
            "train.py",
            'ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\nCommand "',
        ),
        (
            {"train.py": "import os\nos.kill(os.getpid(), 9)\n"},
            "train.py",
            'ExecuteUserScriptError:\nExitCode 137\nErrorMessage ""\nExtraInfo "OutOfMemory: Process killed by SIGKILL',
        ),
        ({"train.py": ""}, "other.py", "ExecuteUserScriptError:\nExitCode 2\n"),
        ({"train.sh": "#!/bin/sh\nexit 4\n"}, "train.sh", "ExecuteUserScriptError:\nExitCode 4\n"),
        (
            {"train.py": "", "requirements.txt": "no-such-package-at-all==1\n"},
            "train.py",
            "InstallRequirementsError:\nExitCode 1\nErrorMessage ",
        ),
    ],
)
def test_a_failure_is_told_as_the_toolkit_tells_it(
    tmp_path: Path, code: dict[str, str], program: str, reason: str
) -> None:
    prepare(tmp_path, code, {"sagemaker_program": program})
    status, output, failure = train(tmp_path, PIP_NO_INDEX="1")
    assert status == 1, output
    assert failure.startswith(reason), failure
    assert "Reporting training FAILURE" in output
    assert not (tmp_path / "output" / "success").exists()


@pytest.mark.parametrize(
    ("hyperparameters", "exit_code", "text"),
    [
        ({"sagemaker_program": ""}, 1, "the hyperparameter sagemaker_program is missing"),
        ({"sagemaker_mpi_enabled": "true"}, 1, "[localcloud] sagemaker_mpi_enabled is not supported yet"),
        ({"sagemaker_submit_directory": "/opt/ml/input/data/absent"}, 2, "No such file or directory"),
    ],
)
def test_the_toolkits_own_trouble_has_its_trace(
    tmp_path: Path, hyperparameters: dict[str, str], exit_code: int, text: str
) -> None:
    """The exit code is the errno when there is one."""
    prepare(tmp_path, {"train.py": ""}, hyperparameters)
    status, _, failure = train(tmp_path)
    assert status == exit_code
    assert failure.startswith("Framework Error: \nTraceback (most recent call last):")
    assert text in failure


def test_a_shell_script_gets_the_same(tmp_path: Path) -> None:
    prepare(
        tmp_path, {"train.sh": '#!/bin/sh\necho "$@" "$SM_HP_NAME" > "$SM_MODEL_DIR/told"\n'}, {"name": "two words"}
    )
    path = tmp_path / "input" / "config" / "hyperparameters.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sagemaker_program": "train.sh"}))
    assert train(tmp_path)[0] == 0
    assert (tmp_path / "model" / "told").read_text() == "--name two words two words\n"


# --- as jobs ----------------------------------------------------------------------------------------------------


def test_script_mode_without_a_network(cloud: Cloud) -> None:
    """The code comes by a channel of one object, the artifact holds what the script left."""
    script = (
        "import argparse, os, pathlib\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--epochs', type=int)\n"
        "epochs = parser.parse_args().epochs\n"
        "for epoch in range(epochs): print(f'val_accuracy={0.5 + epoch / 10}')\n"
        "rows = pathlib.Path(os.environ['SM_CHANNEL_TRAIN'], 'rows.csv').read_text()\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model.txt').write_text(rows)\n"
    )
    code = cloud.put("script/code/penguins.tar.gz", archive({"train.py": script}))
    inputs = [
        InputSpec("code", code),
        InputSpec("train", cloud.put("script/train/rows.csv", "1,2\n"), content_type="text/csv"),
    ]
    spec = cloud.training(
        cloud.full_role(),
        image=SKLEARN,
        inputs=inputs,
        hyperparameters={
            **PROGRAM,
            "sagemaker_submit_directory": "/opt/ml/input/data/code/penguins.tar.gz",
            "epochs": "3",
        },
        metric_definitions=[{"Name": "validation:accuracy", "Regex": r"val_accuracy=(\S+)"}],
        network_isolation=True,
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert [value for _, value, _ in outcome.metrics] == [0.5, 0.6, 0.7]
    assert outcome.artifact_uri is not None
    with tarfile.open(fileobj=io.BytesIO(cloud.get(outcome.artifact_uri))) as members:
        assert members.getnames() == ["model.txt"]


def test_a_failing_script_is_the_failure_reason_of_its_job(cloud: Cloud) -> None:
    code = cloud.put("script/bad/code.tar.gz", archive({"train.py": "raise KeyError('species')\n"}))
    spec = cloud.training(
        cloud.full_role(), image=SKLEARN, hyperparameters={**PROGRAM, "sagemaker_submit_directory": code}
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Failed"
    reason = outcome.failure_reason or ""
    assert reason.startswith('AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "raise KeyError')
    assert "KeyError: 'species'" in reason
    assert reason.endswith(", exit code: 1")


@pytest.mark.skipif(sandbox.capabilities().mode == "none", reason="the sandbox has no home of its own")
def test_what_a_job_installs_is_its_own(cloud: Cloud, tmp_path: Path) -> None:
    """pip in a job sees the runner's libraries and changes none: the next job starts as this one did."""
    package = wheel(tmp_path, "threadpoolctl", "99.0", "WHOSE = 'mine'\n")
    uri = cloud.put(f"wheels/{package.name}", package.read_bytes())
    code = (
        "import subprocess, sys, shutil\n"
        "assert shutil.which('python') + '3' == shutil.which('python3') == sys.executable, sys.executable\n"
        "subprocess.run(['pip3', 'install', '--quiet', '--disable-pip-version-check', '--no-index', '--find-links',\n"
        "    '/opt/ml/processing/wheels', 'threadpoolctl==99.0', 'numpy'], check=True)\n"
        "print('whose', subprocess.run(['python3', '-c', 'import numpy, threadpoolctl as t; print(t.WHOSE)'],\n"
        "    check=True, capture_output=True, text=True).stdout)\n"
    )
    inputs = [InputSpec("wheels", uri, local_path="/opt/ml/processing/wheels")]
    installing = cloud.processing(cloud.full_role(), code, inputs=inputs)
    outcome, _ = cloud.run(installing)
    lines = cloud.log_lines("/aws/sagemaker/ProcessingJobs", installing.name)
    assert outcome.status == "Completed", lines
    assert "whose mine" in lines
    after = cloud.processing(cloud.full_role(), "import threadpoolctl; print('version', threadpoolctl.__version__)")
    cloud.run(after)
    (line,) = cloud.log_lines("/aws/sagemaker/ProcessingJobs", after.name)
    assert line.startswith("version ") and line != "version 99.0"
