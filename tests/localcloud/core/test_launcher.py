"""The command: one server per state directory, started fast, always stopped, with nothing of the caller in it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from localcloud import launcher, processes
from localcloud.settings import StateDir
from tests.localcloud.conftest import COMMAND, run_localcloud, started
from tests.localcloud.core.stacks import Stack, eventually, function, provider, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

#: what a caller may have set; none of it may reach the server
CALLER = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "HTTPS_PROXY": "http://proxy.invalid:1",
    "SECRET_OF_MINE": "x",
}


#: a caller's proxy that nothing listens on
DEAD_PROXY = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
NO_EXCEPTIONS = {"NO_PROXY": "", "no_proxy": ""}


def waiting_connections(endpoint: str) -> int:
    """How many connections the server has not accepted yet: the receive queue of its listening socket (Linux)."""
    local = f"0100007F:{int(endpoint.rsplit(':', 1)[1]):04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (fields[1], fields[3]) == (local, "0A"):
            return int(fields[4].split(":")[1], 16)
    raise AssertionError(f"nothing listens on {endpoint}")


def environment_of(pid: int) -> dict[str, str]:
    """The environment a process was started with (Linux)."""
    raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(item.decode().split("=", 1) for item in raw if item)


def test_it_starts_only_once(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        again = json.loads(run_localcloud("start", "--state", str(tmp_path), "--json").stdout)
        assert (again["pid"], again["started"]) == (server.pid, False)


def test_it_listens_on_loopback_only(localcloud: Localcloud) -> None:
    port = int(localcloud.endpoint.rsplit(":", 1)[1])
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {line.split()[1] for line in listening if line.split()[3] == "0A"}
    ours = {address for address in addresses if int(address.split(":")[1], 16) == port}
    assert ours == {f"0100007F:{port:04X}"}


def test_idle_memory_stays_under_400_mb(localcloud: Localcloud) -> None:
    status = Path(f"/proc/{localcloud.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 400 * 1024, f"{resident / 1024:.0f} MB"


def test_nothing_of_the_caller_reaches_the_server(tmp_path: Path) -> None:
    with started(tmp_path, CALLER) as server:
        seen = environment_of(server.pid)
        assert not set(CALLER.items()) & set(seen.items())
        assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "SECRET_OF_MINE"} & set(seen)
        assert seen["HOME"] == str(tmp_path / "home")
        assert seen["TMPDIR"] == str(tmp_path / "tmp")
        assert seen["AUTH"] == "true"


def test_a_restart_reuses_the_port_and_finds_an_empty_cloud(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        first.client("s3").create_bucket(Bucket="once")
    assert not (tmp_path / "tmp").exists()
    assert not (tmp_path / "home").exists()
    with started(tmp_path) as second:
        assert second.endpoint == first.endpoint
        assert second.client("s3").list_buckets()["Buckets"] == []


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_localcloud("start", "--state", str(tmp_path), "--port", port)
    assert done.returncode == 1
    assert f"port {port} is not free" in done.stderr


def test_status_and_stop_of_nothing(tmp_path: Path) -> None:
    status = run_localcloud("status", "--state", str(tmp_path))
    assert (status.returncode, status.stdout) == (3, "localcloud is not running\n")
    stop = run_localcloud("stop", "--state", str(tmp_path))
    assert (stop.returncode, stop.stdout) == (0, "localcloud was not running\n")


def test_stop_ends_a_waiting_custom_resource_and_every_worker(tmp_path: Path) -> None:
    name = unique("waits")
    with started(tmp_path) as server:
        Stack(server, name).create(provider(name, Create="SILENT"), wait=False)
        ssm = server.client("ssm")
        eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Create"])["Parameters"])
        living = processes.table()
        below = processes.descendants(server.pid, living)
        assert below, "the function's worker is a child of the server"
        assert run_localcloud("stop", "--state", str(tmp_path)).returncode == 0
        left = processes.table()
        assert not {p.pid for p in below | {living[server.pid]} if left.get(p.pid) == p}


def test_a_killed_server_is_noticed_and_its_workers_are_swept(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        stack = Stack(server, unique("orphan"))
        sleeper = "import subprocess\ndef handler(e, c): return subprocess.Popen(['sleep', '300']).pid"
        stack.create({"Role": role(), "Function": function(sleeper)})
        reply = server.client("lambda").invoke(FunctionName=stack.physical("Function"))
        orphan = int(reply["Payload"].read())
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: run_localcloud("status", "--state", str(tmp_path)).returncode == 3)
        assert processes.find(orphan)
        again = json.loads(run_localcloud("start", "--state", str(tmp_path), "--json").stdout)
        assert again["started"]
        assert processes.find(orphan) is None


def test_a_start_waits_for_a_server_that_does_not_answer_yet(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        server.client("s3").create_bucket(Bucket="kept")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            command = [str(COMMAND), "start", "--state", str(tmp_path), "--json"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as again:
                # the second attempt: the first was given up unanswered
                eventually(lambda: waiting_connections(server.endpoint) >= 2)
                os.kill(server.pid, signal.SIGCONT)
                facts = json.loads(again.communicate(timeout=30)[0])
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert (facts["pid"], facts["started"]) == (server.pid, False)
        assert [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]] == ["kept"]


@pytest.mark.parametrize("lost", [None, "port"])
def test_a_server_that_never_answers_is_reported_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str | None
) -> None:
    monkeypatch.setattr(launcher, "ANSWER_SECONDS", 0.5)
    with started(tmp_path) as server:
        before = processes.find(server.pid)
        if lost:
            (tmp_path / lost).unlink()
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(launcher.LauncherError) as failed:
                launcher.start(StateDir(tmp_path))
            assert str(failed.value) == f"localcloud (pid {server.pid}) does not answer; `localcloud stop` ends it"
            assert processes.find(server.pid) == before
            assert (tmp_path / "home").is_dir()
        finally:
            # as it is, suspended: what the message promises
            run_localcloud("stop", "--state", str(tmp_path))
        assert processes.find(server.pid) is None


def test_no_request_of_the_command_goes_through_a_proxy(tmp_path: Path) -> None:
    caller = {**DEAD_PROXY, **NO_EXCEPTIONS}
    with started(tmp_path, caller) as server:
        again = run_localcloud("start", "--state", str(tmp_path), "--json", environment=caller)
        assert json.loads(again.stdout)["pid"] == server.pid
        assert run_localcloud("status", "--state", str(tmp_path), environment=caller).returncode == 0
        assert run_localcloud("reset", "--state", str(tmp_path), environment=caller).returncode == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"NO_PROXY": "", "no_proxy": ""}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a.corp, localhost", "no_proxy": "b.corp"}, "127.0.0.1,localhost,a.corp,b.corp"),
        ({"NO_PROXY": "", "no_proxy": "*"}, "*"),
    ],
)
def test_env_excepts_this_host_from_the_callers_proxy(
    localcloud: Localcloud, given: dict[str, str], expected: str
) -> None:
    printed = run_localcloud("env", "--state", str(localcloud.state), environment=given).stdout
    shell = f'{printed}\necho "$NO_PROXY $no_proxy"'
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout == f"{expected} {expected}\n"


def test_a_foreign_process_with_the_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as foreign:
        (tmp_path / "pid").write_text(f"{foreign.pid}\nnot-its-start-time\n")
        (tmp_path / "port").write_text("1\n")
        assert run_localcloud("status", "--state", str(tmp_path)).returncode == 3
        assert run_localcloud("stop", "--state", str(tmp_path)).stdout == "localcloud was not running\n"
        assert foreign.poll() is None
        foreign.kill()


def test_env_points_every_client_here_and_nowhere_else(localcloud: Localcloud) -> None:
    printed = run_localcloud("env", "--state", str(localcloud.state)).stdout
    program = (
        "import boto3;"
        "print(boto3.client('sts').get_caller_identity()['Arn']);"
        "s3 = boto3.client('s3'); s3.create_bucket(Bucket='from-env'); print(s3.meta.endpoint_url)"
    )
    import sys

    shell = f'{printed}\nexec "{sys.executable}" -c "{program}"'
    done = subprocess.run(
        ["/bin/sh", "-c", shell],
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL_STS": "http://elsewhere.invalid", **CALLER, **DEAD_PROXY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["arn:aws:iam::000000000000:root", localcloud.endpoint], done.stderr


def test_reset_empties_it(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="gone-soon")
        assert run_localcloud("reset", "--state", str(tmp_path)).returncode == 0
        assert s3.list_buckets()["Buckets"] == []
        assert [call["action"] for call in server.admin("GET", "calls")] == ["s3:ListAllMyBuckets"]


def test_ctrl_c_ends_a_foreground_server(tmp_path: Path) -> None:
    with subprocess.Popen(
        [str(COMMAND), "start", "--foreground", "--state", str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        endpoint = server.stdout.readline().split()[1]
        sts = boto3.client(
            "sts",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        assert sts.get_caller_identity()["Account"] == "000000000000"
        server.send_signal(signal.SIGINT)
        assert server.wait(7) == 0
    assert not (tmp_path / "pid").exists()
