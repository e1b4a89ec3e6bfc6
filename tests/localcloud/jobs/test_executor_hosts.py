"""Jobs on several hosts: each a process with its own /opt/ml, its share of the data and its name."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec, OutputSpec, start_job
from tests.localcloud.jobs.cloud import Cloud
from tests.localcloud.jobs.training_data import GROUP, members

needs_namespaces = pytest.mark.skipif(sandbox.capabilities().mode == "none", reason="no namespaces here")

#: the sum of every host's share travels from host to host until all know it; each leaves files, some with one name
_TRAIN = """
import json, os, pathlib, socket, time
base = pathlib.Path('/opt/ml')
config = json.loads((base / 'input/config/resourceconfig.json').read_text())
me, hosts = config['current_host'], config['hosts']
rows = sorted(path.name for path in (base / 'input/data/shared').iterdir())
own = sorted(path.name for path in (base / 'input/data/sharded').iterdir())
def receive(count):
    with socket.create_server((me, 7777)) as server:
        found = []
        for _ in range(count):
            link, _ = server.accept()
            with link: found.append(json.loads(link.makefile().read()))
        return found
def send(host, value):
    while True:
        try: link = socket.create_connection((host, 7777), 1); break
        except OSError: time.sleep(0.01)
    with link: link.sendall(json.dumps(value).encode())
if me == hosts[0]:
    every = [own, *receive(len(hosts) - 1)]
    for host in hosts[1:]: send(host, every)
else:
    send(hosts[0], own)
    [every] = receive(1)
print(f'{me} shared={rows} own={own} every={sorted(sum(every, []))}')
print(f'loss={len(own)}')
(base / f'model/{me}').write_text(socket.gethostname())
(base / 'model/same').write_text(me)
os.mkdir(base / 'output/data/deep'); (base / f'output/data/deep/{me}').write_text(json.dumps(config))
"""


@needs_namespaces
@pytest.mark.parametrize("isolated", [True, False])
def test_hosts_share_the_data_and_work_together(cloud: Cloud, isolated: bool) -> None:
    for name in "abcde":
        cloud.put(f"hosts/{name}.csv", name)
    uri = f"s3://{cloud.bucket}/hosts"
    spec = cloud.training(
        cloud.full_role(),
        _TRAIN,
        inputs=[InputSpec("shared", uri), InputSpec("sharded", uri, distribution="ShardedByS3Key")],
        network_isolation=isolated,
        instance_count=3,
        instance_type="ml.c5.xlarge",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    )
    outcome, statuses = cloud.run(spec)
    assert outcome.status == "Completed", (outcome.failure_reason, cloud.log_lines(GROUP, spec.name))
    assert statuses == ["Starting", "Downloading", "Training", "Uploading"]
    every = "['a.csv', 'b.csv', 'c.csv', 'd.csv', 'e.csv']"
    shares = {"algo-1": "['a.csv', 'd.csv']", "algo-2": "['b.csv', 'e.csv']", "algo-3": "['c.csv']"}
    for host, share in shares.items():
        [line, _] = cloud.log_lines(GROUP, f"{spec.name}/{host}-")
        assert line == f"{host} shared={every} own={share} every={every}"
    assert sorted(value for _, value, _ in outcome.metrics) == [1, 2, 2]
    # one archive of what all hosts wrote; where names clash the first host's
    assert members(cloud.get(outcome.artifact_uri or "")) == {
        "algo-1": b"algo-1",
        "algo-2": b"algo-2",
        "algo-3": b"algo-3",
        "same": b"algo-1",
    }
    configs = {name: json.loads(body) for name, body in members(cloud.get(outcome.output_uri or "")).items()}
    for host in shares:
        config = configs[f"deep/{host}"]
        assert config["current_host"] == host
        assert config["hosts"] == list(shares)
        assert config["current_instance_type"] == "ml.c5.xlarge"
        assert [group["hosts"] for group in config["instance_groups"]] == [list(shares)]
        assert config["network_interface_name"] == "lo"


def test_more_hosts_than_objects(cloud: Cloud) -> None:
    """[B] "some nodes won't get any data"; they get the empty directory."""
    uri = cloud.put("few/one.csv", "1")
    code = (
        "import os; base = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml')\n"
        "print(os.listdir(base + '/input/data/train'))\n"
    )
    inputs = [InputSpec("train", uri, distribution="ShardedByS3Key")]
    spec = cloud.training(cloud.full_role(), code, inputs=inputs, instance_count=2)
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.log_lines(GROUP, f"{spec.name}/algo-1") == ["['one.csv']"]
    assert cloud.log_lines(GROUP, f"{spec.name}/algo-2") == ["[]"]


def test_a_host_that_fails_takes_the_others_along(cloud: Cloud) -> None:
    code = (
        "import json, os, signal, sys, time\n"
        "base = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml')\n"
        "config = json.load(open(base + '/input/config/resourceconfig.json'))\n"
        "if config['current_host'] == 'algo-2':\n"
        "    open(base + '/output/failure', 'w').write('the second broke'); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('told to stop', flush=True), sys.exit(0)))\n"
        "while True: time.sleep(0.05)\n"
    )
    spec = cloud.training(cloud.full_role(), code, instance_count=3)
    outcome, _ = cloud.run(spec)
    assert (outcome.status, outcome.exit_code) == ("Failed", 3)
    assert outcome.failure_reason == "AlgorithmError: the second broke, exit code: 3"
    assert outcome.artifact_uri is None


#: the second tells the first that it is ready for the end, and only then the first says so
_STAGES = """
import json, os, signal, socket, sys, time
me = json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host']
state = f'/opt/ml/checkpoints/{me}'
print('found', sorted(os.listdir('/opt/ml/checkpoints')))
def bye(*_):
    open(state, 'w').write('written on SIGTERM'); sys.exit(0)
signal.signal(signal.SIGTERM, bye)
open('/opt/ml/model/m', 'w').write('m')
if os.path.exists(state): sys.exit(0)
if me == 'algo-1':
    with socket.create_server((me, 7777)) as server: server.accept()
    print('both are ready', flush=True)
else:
    while True:
        try: link = socket.create_connection(('algo-1', 7777), 1); break
        except OSError: time.sleep(0.01)
while True: time.sleep(0.05)
"""


@needs_namespaces
def test_an_interruption_takes_every_host_and_keeps_the_checkpoints(cloud: Cloud) -> None:
    prefix = f"s3://{cloud.bucket}/checkpoints/hosts"
    spec = cloud.training(cloud.full_role(), _STAGES, instance_count=2, checkpoint=(prefix, ""))
    statuses: list[str] = []
    handle = start_job(spec, lambda status, _: statuses.append(status), lambda _: None, cloud.platform)
    handle.interrupt("^both are ready$")
    outcome = handle.wait(60)
    assert outcome is not None
    assert (outcome.status, outcome.secondary_status) == ("Interrupted", "Interrupted")
    assert statuses == ["Starting", "Downloading", "Training"]
    assert (outcome.artifact_uri, outcome.failure_reason) == (None, None)
    assert cloud.keys("checkpoints/hosts/") == ["checkpoints/hosts/algo-1", "checkpoints/hosts/algo-2"]
    # the next attempt finds what both left
    again, _ = cloud.run(dataclasses.replace(spec, name=f"{spec.name}-again"))
    assert again.status == "Completed", again.failure_reason
    for host in ("algo-1", "algo-2"):
        assert cloud.log_lines(GROUP, f"{spec.name}-again/{host}") == ["found ['algo-1', 'algo-2']"]


@pytest.mark.parametrize(
    ("fields", "secondary"),
    [({"max_wait_seconds": 0.5}, "MaxWaitTimeExceeded"), ({"max_runtime_seconds": 0}, "MaxRuntimeExceeded")],
)
def test_limits_of_time(cloud: Cloud, fields: dict[str, Any], secondary: str) -> None:
    spec = cloud.training(cloud.full_role(), "import time; time.sleep(60)", **fields)
    outcome, _ = cloud.run(spec)
    assert (outcome.status, outcome.secondary_status) == ("Stopped", secondary)


def test_processing_on_two_hosts(cloud: Cloud) -> None:
    """Each uploads what it wrote, and the messages of all are one."""
    for name in "abcd":
        cloud.put(f"pair/in/{name}", name)
    base = "/opt/ml/processing"
    code = (
        "import json, os\n"
        "root = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml')\n"
        "me = json.load(open(root + '/config/resourceconfig.json'))['current_host']\n"
        "found = sorted(os.listdir(root + '/processing/in'))\n"
        "open(root + f'/processing/out/{me}', 'w').write(' '.join(found))\n"
        "open(root + '/processing/out/same', 'w').write(me)\n"
        "open(root + '/output/message', 'w').write(me + '\\n')\n"
    )
    source = InputSpec("in", f"s3://{cloud.bucket}/pair/in/", local_path=f"{base}/in", distribution="ShardedByS3Key")
    spec = cloud.processing(
        cloud.full_role(),
        code,
        inputs=[source],
        outputs=[OutputSpec("out", f"s3://{cloud.bucket}/pair/out", f"{base}/out")],
        instance_count=2,
    )
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert outcome.exit_message == "algo-1\nalgo-2\n"
    written: dict[str, Any] = {key: cloud.get(f"s3://{cloud.bucket}/{key}") for key in cloud.keys("pair/out/")}
    assert written == {"pair/out/algo-1": b"a c", "pair/out/algo-2": b"b d", "pair/out/same": b"algo-1"}


def test_output_without_compression(cloud: Cloud) -> None:
    code = (
        "import os; base = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml')\n"
        "os.mkdir(base + '/model/deep'); open(base + '/model/deep/m', 'w').write('m')\n"
        "open(base + '/output/data/log', 'w').write('l')\n"
    )
    spec = cloud.training(cloud.full_role(), code, compress_output=False)
    outcome, _ = cloud.run(spec)
    assert outcome.artifact_uri == f"s3://{cloud.bucket}/out/{spec.name}/output/model/"
    assert outcome.output_uri == f"s3://{cloud.bucket}/out/{spec.name}/output/output/"
    folder = f"out/{spec.name}/output"
    assert cloud.keys(folder) == [f"{folder}/model/deep/m", f"{folder}/output/log"]


@needs_namespaces
def test_fast_file_cannot_be_written(cloud: Cloud) -> None:
    uri = cloud.put("fast/a.csv", "1")
    code = (
        "print(open('/opt/ml/input/data/fast/a.csv').read())\n"
        "try: open('/opt/ml/input/data/fast/b.csv', 'w')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    spec = cloud.training(cloud.full_role(), code, inputs=[InputSpec("fast", uri, mode="FastFile")])
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.log_lines(GROUP, spec.name) == ["1", "Read-only file system"]
