"""Training jobs that end early or go on: stops, time limits, checkpoints, and the queue for the cores."""

from __future__ import annotations

import threading
from typing import Any

from localcloud.jobs.executor import InputSpec, JobSpec, start_job
from tests.localcloud.jobs.cloud import XGBOOST, Cloud
from tests.localcloud.jobs.training_data import GROUP, HYPERPARAMETERS, members

_STOPPABLE = (
    "import signal, sys, time\n"
    "def bye(*_):\n"
    "    open('/opt/ml/model/m', 'w').write('saved on SIGTERM'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, bye)\n"
    "print('ready', flush=True)\n"
    "while True: time.sleep(0.05)\n"
)


def test_stop_lets_the_script_save_its_model(cloud: Cloud) -> None:
    running = threading.Event()
    spec = cloud.training(cloud.full_role(), _STOPPABLE)
    handle = start_job(
        spec, lambda status, _: running.set() if status == "Training" else None, lambda _: None, cloud.platform
    )
    assert running.wait(30)
    while "ready" not in cloud.log_lines(GROUP, spec.name):
        assert handle.wait(0.05) is None, "the job ended before it was stopped"
    handle.stop()
    outcome = handle.wait(30)
    assert outcome is not None
    assert (outcome.status, outcome.secondary_status, outcome.failure_reason) == ("Stopped", "Stopped", None)
    assert members(cloud.get(outcome.artifact_uri or ""))["m"] == b"saved on SIGTERM"


def test_timeout_stops_the_job_and_keeps_its_model(cloud: Cloud) -> None:
    spec = cloud.training(cloud.full_role(), _STOPPABLE, max_runtime_seconds=1)
    outcome, statuses = cloud.run(spec)
    assert (outcome.status, outcome.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert statuses[-1] == "Uploading"
    assert outcome.artifact_uri


def test_checkpoints_are_restored_followed_and_deleted(cloud: Cloud) -> None:
    prefix = f"s3://{cloud.bucket}/checkpoints/one"
    cloud.put("checkpoints/one/old", "o")
    cloud.put("checkpoints/one/sub/kept", "k")
    code = (
        "import os\n"
        "base = '/opt/ml/checkpoints'\n"
        "print(sorted(os.listdir(base)))\n"
        "os.remove(f'{base}/old'); open(f'{base}/new', 'w').write('n')\n"
    )
    spec = cloud.training(cloud.full_role(), code, checkpoint=(prefix, ""))
    outcome, _ = cloud.run(spec)
    assert outcome.status == "Completed", outcome.failure_reason
    assert cloud.log_lines(GROUP, spec.name) == ["['old', 'sub']"]
    assert cloud.keys("checkpoints/one/") == ["checkpoints/one/new", "checkpoints/one/sub/kept"]


def test_xgboost_resumes_from_a_checkpoint(cloud: Cloud, channels: list[InputSpec]) -> None:
    prefix = f"s3://{cloud.bucket}/checkpoints/xgboost"
    role = cloud.full_role()
    common: dict[str, Any] = {"image": XGBOOST, "inputs": channels, "checkpoint": (prefix, "/opt/ml/checkpoints")}
    first = cloud.training(role, hyperparameters={**HYPERPARAMETERS, "num_round": "3"}, **common)
    assert cloud.run(first)[0].status == "Completed"
    assert cloud.keys("checkpoints/xgboost/")[-1] == "checkpoints/xgboost/xgboost-checkpoint.2"
    second = cloud.training(role, hyperparameters={**HYPERPARAMETERS, "num_round": "5"}, **common)
    assert cloud.run(second)[0].status == "Completed"
    rounds = [line.split("#011")[0] for line in cloud.log_lines(GROUP, second.name) if "#011" in line]
    assert rounds == ["[3]", "[4]"]
    assert cloud.keys("checkpoints/xgboost/")[-1] == "checkpoints/xgboost/xgboost-checkpoint.4"


def test_jobs_queue_for_the_cores(cloud: Cloud) -> None:
    """Two run, the third waits as Starting until one of them ends; a queued job can be stopped."""
    role = cloud.full_role()
    started: dict[str, threading.Event] = {}

    def begin(spec: JobSpec) -> Any:
        event = started[spec.name] = threading.Event()
        return start_job(
            spec, lambda status, _: event.set() if status == "Training" else None, lambda _: None, cloud.platform
        )

    specs = [cloud.training(role, _STOPPABLE) for _ in range(4)]
    handles = [begin(spec) for spec in specs[:2]]
    for spec in specs[:2]:
        assert started[spec.name].wait(30)
    waiting, never = begin(specs[2]), begin(specs[3])
    never.stop()
    stopped = never.wait(30)
    assert stopped is not None and stopped.status == "Stopped"
    assert not started[specs[3].name].is_set()
    assert not started[specs[2].name].is_set()
    handles[0].stop()
    assert started[specs[2].name].wait(30)
    for handle in (*handles, waiting):
        handle.stop()
        assert handle.wait(30).status == "Stopped"
