"""Lifecycle scripts really run: as the role, in their machine's home, with a limit, and their output is in Logs."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.jobs.lifecycle_script import LifecycleScript, ScriptOutcome, run
from localcloud.jobs.machines import Machines
from tests.localcloud.jobs.cloud import LOGS, REGION, ROOT, Cloud

pytestmark = pytest.mark.localcloud

GROUP = "/aws/sagemaker/studio"


@pytest.fixture(autouse=True)
def _python(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in the product's environment, whose neighbour is not the functions' interpreter."""
    monkeypatch.setenv("LOCALCLOUD_FUNCTIONS_PYTHON", str(ROOT / ".localcloud" / "functions" / "bin" / "python"))


@pytest.fixture
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.clear()


def stream() -> str:
    return f"machine-{uuid.uuid4().hex[:8]}/LifecycleConfigOnStart"


def execute(cloud: Cloud, machines: Machines, text: str, **members: Any) -> ScriptOutcome:
    members.setdefault("role_arn", cloud.full_role())
    members.setdefault("log_stream", stream())
    cancelled = members.pop("cancelled", None)
    script = LifecycleScript(text, region=REGION, log_group=GROUP, **members)
    return run(script, machines.of("machine"), cancelled, cloud.platform)


def test_it_acts_as_the_role_and_its_output_is_in_logs(cloud: Cloud, machines: Machines) -> None:
    name = stream()
    code = f"import boto3; boto3.client('s3').put_object(Bucket='{cloud.bucket}', Key='from-script', Body=b'here')"
    outcome = execute(cloud, machines, f'set -e\npython3 -c "{code}"\necho done >&2\n', log_stream=name)
    assert outcome.succeeded, outcome
    assert cloud.get(f"s3://{cloud.bucket}/from-script") == b"here"
    assert cloud.log_lines(GROUP, name) == ["done"]


def test_what_the_role_may_not_do_fails_it(cloud: Cloud, machines: Machines) -> None:
    code = "import boto3; boto3.client('sqs').list_queues()"
    outcome = execute(cloud, machines, f'python3 -c "{code}"\n', role_arn=cloud.role(LOGS))
    assert (outcome.exit_code, outcome.problem) == (1, "it ended with exit code 1")
    assert "AccessDenied" in outcome.tail


def test_the_home_is_kept_until_the_machine_is_forgotten(cloud: Cloud, machines: Machines) -> None:
    assert execute(cloud, machines, 'echo one > "$HOME/file"').succeeded
    assert execute(cloud, machines, 'test "$(cat ~/file)" = one').succeeded
    root = machines.of("machine").root
    machines.forget("machine")
    assert not root.exists()
    assert not execute(cloud, machines, 'test -e "$HOME/file"').succeeded


def test_two_machines_see_nothing_of_each_other(cloud: Cloud, machines: Machines) -> None:
    assert execute(cloud, machines, 'echo secret > "$HOME/file"').succeeded
    script = LifecycleScript('! test -e "$HOME/file"', cloud.full_role(), REGION, GROUP, stream())
    assert run(script, machines.of("another"), None, cloud.platform).succeeded


def test_it_knows_which_machine_it_runs_on(cloud: Cloud, machines: Machines) -> None:
    text = "python3 -c \"import json; print(json.load(open('/opt/ml/metadata/resource-metadata.json'))['DomainId'])\""
    outcome = execute(cloud, machines, text, metadata={"DomainId": "d-1"})
    assert outcome.tail.endswith("d-1"), outcome


def test_variables_of_the_caller_win(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, 'echo "$AWS_REGION $MINE"', environment={"AWS_REGION": "there", "MINE": "x"})
    assert outcome.tail == "there x"


def test_it_has_a_limit_and_leaves_nothing_running(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, "sleep 600 & echo $! > $HOME/pid; sleep 600", limit_seconds=0.5)
    assert (outcome.exit_code, outcome.problem) == (None, "it ran for more than 0 seconds")
    pid = (machines.of("machine").tmp / "home" / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()


def test_it_can_be_cancelled(cloud: Cloud, machines: Machines) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert execute(cloud, machines, "sleep 600", cancelled=cancelled).problem == "it was cancelled"


def test_a_role_that_may_not_log_costs_the_logs_only(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, "echo hello", role_arn=cloud.role(*cloud.data))
    assert outcome.succeeded
    assert "AccessDenied" in outcome.notes[0]


def test_a_role_that_cannot_be_assumed_fails_it(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, "echo hello", role_arn="arn:aws:iam::000000000000:role/nobody")
    assert outcome.exit_code is None
    assert outcome.problem


def test_a_home_by_its_own_name(cloud: Cloud, machines: Machines) -> None:
    host = sorted(path.name for path in Path("/home").iterdir())
    text = 'test "$HOME" = /home/ec2-user && cd && echo mine > /home/ec2-user/file && test "$(cat ~/file)" = mine'
    assert execute(cloud, machines, text, home="/home/ec2-user").succeeded
    assert (machines.of("machine").home / "file").read_text() == "mine\n"
    assert sorted(path.name for path in Path("/home").iterdir()) == host, "the host's is not touched"


LOOP = 'nohup sh -c "while sleep 0.05; do date >> /tmp/beats; done" >/dev/null 2>&1 &\n'


def test_what_keeps_running_goes_on_until_it_is_ended(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, f"{LOOP}echo started\n", keeps_running=True)
    assert outcome.succeeded
    assert outcome.left
    machines.keep("machine", outcome.left)
    beats = machines.of("machine").tmp / "beats"
    before = size_of(beats)
    wait_for(lambda: size_of(beats) > before)
    machines.end("machine")
    after = size_of(beats)
    time.sleep(0.3)
    assert size_of(beats) == after


def test_a_script_that_fails_leaves_nothing_running(cloud: Cloud, machines: Machines) -> None:
    outcome = execute(cloud, machines, f"{LOOP}exit 3\n", keeps_running=True)
    assert (outcome.exit_code, outcome.problem, outcome.left) == (3, "it ended with exit code 3", None)


def test_another_machine_has_the_volume_and_nothing_else(cloud: Cloud, machines: Machines) -> None:
    text = "mkdir -p ~/SageMaker && echo kept > ~/SageMaker/file && echo lost > ~/other"
    assert execute(cloud, machines, text).succeeded
    machines.renew("machine", "SageMaker")
    assert execute(cloud, machines, 'test "$(cat ~/SageMaker/file)" = kept && ! test -e ~/other').succeeded


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in 10 s"
        time.sleep(0.02)
