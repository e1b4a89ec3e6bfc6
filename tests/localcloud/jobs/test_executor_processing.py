"""Processing jobs on a real server."""

from __future__ import annotations

import json

import pytest

from localcloud.jobs.executor import InputSpec, OutputSpec
from tests.localcloud.jobs.cloud import LOGS, PULL, SKLEARN, Cloud, allow

GROUP = "/aws/sagemaker/ProcessingJobs"
BASE = "/opt/ml/processing"


def test_a_script_from_s3(cloud: Cloud) -> None:
    """Code and data come from S3, results go back, the configuration files are there."""
    script = cloud.put(
        "proc/code/prepare.py",
        "import json, os, sys\n"
        "import numpy, sklearn\n"
        "config = json.load(open('/opt/ml/config/processingjobconfig.json'))\n"
        "hosts = json.load(open('/opt/ml/config/resourceconfig.json'))['hosts']\n"
        f"rows = open('{BASE}/input/data/rows.csv').read().split()\n"
        f"open('{BASE}/output/train/sum.txt', 'w').write(str(sum(map(int, rows))))\n"
        f"os.mkdir('{BASE}/output/train/deep'); open('{BASE}/output/train/deep/x', 'w').write(sys.argv[1])\n"
        f"os.symlink('/etc/passwd', '{BASE}/output/train/link')\n"
        f"json.dump([config, hosts, os.environ['MODE']], open('{BASE}/output/about/about.json', 'w'))\n",
    )
    cloud.put("proc/data/rows.csv", "1\n2\n3\n")
    request = {
        "AppSpecification": {"ImageUri": SKLEARN},
        "RoleArn": "the role",
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}},
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    spec = cloud.spec(
        "processing",
        cloud.full_role(),
        entrypoint=["python3", f"{BASE}/input/code/prepare.py"],
        arguments=["argument"],
        environment={"MODE": "sample"},
        inputs=[
            InputSpec("code", script, local_path=f"{BASE}/input/code"),
            InputSpec("data", f"s3://{cloud.bucket}/proc/data/", local_path=f"{BASE}/input/data"),
        ],
        outputs=[
            OutputSpec("train", f"s3://{cloud.bucket}/proc/out/train", f"{BASE}/output/train"),
            OutputSpec("about", f"s3://{cloud.bucket}/proc/out/about/", f"{BASE}/output/about"),
        ],
        request=request,
    )
    outcome, statuses = cloud.run(spec)
    assert outcome.status == "Completed", (outcome.failure_reason, cloud.log_lines(GROUP, spec.name))
    assert statuses == ["Starting", "Downloading", "Processing"]
    assert cloud.keys("proc/out/") == [
        "proc/out/about/about.json",
        "proc/out/train/deep/x",
        "proc/out/train/sum.txt",
    ]
    assert cloud.get(f"s3://{cloud.bucket}/proc/out/train/sum.txt") == b"6"
    config, hosts, mode = json.loads(cloud.get(f"s3://{cloud.bucket}/proc/out/about/about.json"))
    assert (hosts, mode) == (["algo-1"], "sample")
    assert config["ProcessingJobName"] == spec.name
    assert config["ProcessingJobArn"] == spec.arn
    assert config["Environment"] == {"MODE": "sample"}
    assert config["AppSpecification"] == request["AppSpecification"]
    assert "Tags" not in config


@pytest.mark.parametrize(
    ("code", "status", "reason", "message"),
    [
        ("open('/opt/ml/output/message', 'w').write('well done')", "Completed", None, "well done"),
        ("open('/opt/ml/output/message', 'w').write('y' * 3000)", "Completed", None, "y" * 1024),
        (
            "open('/opt/ml/output/message', 'wb').write(bytes([255]))",
            "Failed",
            "AlgorithmError: /opt/ml/output/message is not UTF-8",
            None,
        ),
        ("raise SystemExit(1)", "Failed", "AlgorithmError: See job logs for more information, exit code: 1", None),
        (
            "open('/opt/ml/output/message', 'w').write('no rows'); raise SystemExit(4)",
            "Failed",
            "AlgorithmError: See job logs for more information, exit code: 4",
            "no rows",
        ),
    ],
)
def test_exit_message_and_failure(
    cloud: Cloud, code: str, status: str, reason: str | None, message: str | None
) -> None:
    outcome, _ = cloud.run(cloud.processing(cloud.full_role(), code))
    assert (outcome.status, outcome.failure_reason, outcome.exit_message) == (status, reason, message)


def test_a_failed_job_uploads_only_what_is_continuous(cloud: Cloud) -> None:
    outputs = [
        OutputSpec(mode, f"s3://{cloud.bucket}/partial/{mode}", f"{BASE}/{mode}", mode)
        for mode in ("EndOfJob", "Continuous")
    ]
    code = f"[open(f'{BASE}/{{m}}/f', 'w').write('f') for m in ('EndOfJob', 'Continuous')]; raise SystemExit(1)"
    outcome, _ = cloud.run(cloud.processing(cloud.full_role(), code, outputs=outputs))
    assert outcome.status == "Failed"
    assert cloud.keys("partial/") == ["partial/Continuous/f"]


def test_tracebacks_reach_the_log(cloud: Cloud) -> None:
    spec = cloud.processing(cloud.full_role(), "print('a\\tb'); raise ValueError('bad rows')")
    cloud.run(spec)
    lines = cloud.log_lines(GROUP, f"{spec.name}/algo-1-")
    assert lines[0] == "a#011b"
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: bad rows"


def test_output_without_permission_fails_the_job(cloud: Cloud) -> None:
    bucket = f"arn:aws:s3:::{cloud.bucket}"
    role = cloud.role(allow("s3:PutObject", f"{bucket}/allowed/*"), PULL, LOGS)
    for folder, status in (("allowed", "Completed"), ("forbidden", "Failed")):
        output = OutputSpec("out", f"s3://{cloud.bucket}/{folder}/x", f"{BASE}/out")
        outcome, _ = cloud.run(cloud.processing(role, f"open('{BASE}/out/f', 'w').write('f')", outputs=[output]))
        assert outcome.status == status
    assert (outcome.failure_reason or "").startswith("ClientError: Failed to upload output. Unable to upload object")
    assert "s3:PutObject" in (outcome.failure_reason or "")


@pytest.mark.parametrize("path", ["/opt/ml/input/x", "/tmp/x", "/opt/ml/processing/../../../etc"])
def test_local_paths_outside_processing_are_refused(cloud: Cloud, path: str) -> None:
    output = OutputSpec("out", f"s3://{cloud.bucket}/x", path)
    outcome, _ = cloud.run(cloud.processing(cloud.full_role(), "pass", outputs=[output]))
    assert outcome.status == "Failed"
    assert path in (outcome.failure_reason or "")


@pytest.mark.parametrize(("key", "sequence"), [("bad/a//b", "//"), ("worse/../b", "..")])
def test_keys_that_cannot_be_files(cloud: Cloud, key: str, sequence: str) -> None:
    cloud.put(key, "x")
    source = InputSpec("in", f"s3://{cloud.bucket}/{key.split('/', maxsplit=1)[0]}/", local_path=f"{BASE}/input")
    outcome, _ = cloud.run(cloud.processing(cloud.full_role(), "pass", inputs=[source]))
    assert outcome.failure_reason == (
        f"ClientError: Failed to download data. S3 key: s3://{cloud.bucket}/{key} has an illegal char sub-sequence "
        f"'{sequence}' in it"
    )
