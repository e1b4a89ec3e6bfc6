"""The sandbox: what a program sees, what it leaves behind, how it ends. In namespaces and without."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.sandbox import JobDirectory, Program, SandboxedProcess

ENVIRONMENT = {"PATH": os.defpath, "HOME": "/tmp/home"}
NOBODY = 65534
needs_namespaces = pytest.mark.skipif(
    sandbox.capabilities().mode == "none", reason=f"no namespaces here: {sandbox.capabilities().reason}"
)


@pytest.fixture
def directory() -> Iterator[JobDirectory]:
    made = JobDirectory.create("test")
    yield made
    made.remove()
    assert not made.root.exists()


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOCALCLOUD_SANDBOX", "none")
    sandbox.capabilities.cache_clear()
    yield
    monkeypatch.undo()
    sandbox.capabilities.cache_clear()


def shell(script: str, **options: object) -> Program:
    return Program(["/bin/sh", "-c", script], ENVIRONMENT, **options)  # type: ignore[arg-type]  # fields by name


def finish(process: SandboxedProcess) -> tuple[int, str]:
    output = process.output.read().decode()
    code = process.wait(20)
    process.close()
    return code, output


def run(directory: JobDirectory, program: Program) -> tuple[int, str]:
    return finish(sandbox.start(directory, program))


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


# --- what it sees -----------------------------------------------------------------------------------------------


@needs_namespaces
def test_private_ml_tmp_and_hosts_and_an_untouched_host(directory: JobDirectory) -> None:
    before = sorted(path.name for path in Path("/opt").iterdir())
    (directory.ml / "given").write_text("from the host")
    code, output = run(
        directory,
        shell(
            "cat /opt/ml/given; echo result > /opt/ml/made; echo scratch > /tmp/scratch; getent hosts algo-1; "
            "ls /opt /tmp; pwd; echo $HOME; ls -d $HOME"
        ),
    )
    assert code == 0, output
    assert output.startswith("from the host")
    assert "127.0.0.1" in output and "algo-1" in output
    assert (directory.ml / "made").read_text() == "result\n"
    assert (directory.tmp / "scratch").read_text() == "scratch\n"
    assert not Path("/tmp/scratch").exists()
    assert sorted(path.name for path in Path("/opt").iterdir()) == before
    for name in before:
        assert name == "ml" or name in output.split(), f"/opt/{name} is not there any more"


@needs_namespaces
def test_two_jobs_at_once_do_not_see_each_other() -> None:
    directories = [JobDirectory.create(f"twin{n}") for n in range(2)]
    script = (
        "echo $WHO > /opt/ml/who; echo $WHO > /tmp/who; until [ -e /opt/ml/go ]; do sleep 0.01; done; "
        "cat /opt/ml/who /tmp/who; ls /opt/ml"
    )
    processes = [
        sandbox.start(each, Program(["/bin/sh", "-c", script], {**ENVIRONMENT, "WHO": str(n)}))
        for n, each in enumerate(directories)
    ]
    for each in directories:
        wait_for((each.tmp / "who").exists, "both wrote their name")
    for each in directories:
        (each.ml / "go").touch()
    outputs = [finish(process)[1].split() for process in processes]
    assert outputs == [["0", "0", "go", "who"], ["1", "1", "go", "who"]]
    for each in directories:
        each.remove()


@needs_namespaces
def test_read_only_directories(directory: JobDirectory) -> None:
    (directory.ml / "model").mkdir()
    (directory.ml / "model" / "weights").write_text("w")
    code, output = run(
        directory, shell("cat /opt/ml/model/weights; touch /opt/ml/model/x", read_only=["/opt/ml/model"])
    )
    assert code != 0
    assert output.startswith("w") and "Read-only" in output


@needs_namespaces
def test_programs_under_tmp_stay_visible(directory: JobDirectory, tmp_path: Path) -> None:
    home = tmp_path.resolve() / "programs"
    home.mkdir()
    (home / "hello").write_text("#!/bin/sh\necho hello\n")
    (home / "hello").chmod(0o755)
    code, output = run(directory, Program([str(home / "hello")], ENVIRONMENT, visible=[home]))
    assert (code, output) == (0, "hello\n")


@needs_namespaces
def test_works_for_an_ordinary_user(tmp_path: Path) -> None:
    """The same launch by a process without privileges."""
    python = sys.executable
    demote: Callable[[], None] | None = None
    if os.getuid() == 0:
        python = "/usr/bin/python3"
        if not Path(python).exists():
            pytest.skip("no interpreter that an ordinary user may run")

        def demote() -> None:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    launcher = tmp_path / "launch.py"
    launcher.write_bytes(sandbox.LAUNCHER.read_bytes())
    job = Path("/tmp") / f"ordinary-{os.getpid()}"
    for path in (job / "ml", job / "tmp" / "home"):
        path.mkdir(parents=True)
        path.chmod(0o777)
    (job / "hosts").write_text(sandbox.HOSTS)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    document = {
        "mode": "user-namespace",
        "control": theirs.fileno(),
        "ml": str(job / "ml"),
        "tmp": str(job / "tmp"),
        "hosts": str(job / "hosts"),
        "home": str(job / "tmp"),
        "homes": [],
        "cwd": "/tmp",
        "visible": [],
        "read_only": [],
        "network_isolation": True,
        "hostname": "algo-1",
        "hold": False,
        "join": [],
        "command": ["/bin/sh", "-c", "id -u; touch /opt/ml/made; touch /tmp/private; getent hosts algo-1"],
        "environment": ENVIRONMENT,
    }
    done = subprocess.run(
        [python, "-I", "-S", "-c", launcher.read_text()],
        input=json.dumps(document).encode(),
        capture_output=True,
        pass_fds=[theirs.fileno()],
        preexec_fn=demote,
        timeout=30,
        check=False,
    )
    ours.close()
    theirs.close()
    made = (job / "ml" / "made").exists()
    sandbox.JobDirectory(job).remove()
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(NOBODY if demote else os.getuid()).encode()
    assert made
    assert not Path("/tmp/private").exists()


def test_environment_is_exactly_what_was_given(directory: JobDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_SECRET", "s3cr3t")
    _, output = run(directory, Program(["/usr/bin/env"], {"ONLY": "this", **ENVIRONMENT}))
    names = {line.split("=")[0] for line in output.splitlines()}
    assert "PLANTED_SECRET" not in names
    assert names >= {"ONLY", "PATH", "HOME"}
    if sandbox.capabilities().mode != "none":
        assert names == {"ONLY", "PATH", "HOME"}


def test_credentials_do_not_show_in_the_process_list(directory: JobDirectory) -> None:
    program = Program(["/bin/sh", "-c", "echo started; exec sleep 60"], {**ENVIRONMENT, "TOKEN": "hush-hush"})
    process = sandbox.start(directory, program)
    assert process.output.readline() == b"started\n"
    assert b"hush-hush" not in Path(f"/proc/{process.popen.pid}/cmdline").read_bytes()
    process.close()


# --- network ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not sandbox.capabilities().network_isolation, reason="no network namespaces here")
def test_network_isolation_cuts_the_way_out_and_leaves_a_way_in(directory: JobDirectory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        code = (
            "import socket\n"
            f"try: socket.create_connection(('127.0.0.1', {port}), 2); print('got out', flush=True)\n"
            "except OSError: print('cut off', flush=True)\n"
            "server = socket.create_server(('127.0.0.1', 8080)); print('ready', flush=True)\n"
            "link, _ = server.accept(); link.sendall(link.recv(64).upper())\n"
        )
        program = Program(
            [sys.executable, "-I", "-S", "-c", code], ENVIRONMENT, [Path(sys.prefix)], network_isolation=True
        )
        process = sandbox.start(directory, program)
        assert process.output.readline() == b"cut off\n"
        assert process.output.readline() == b"ready\n"
        with process.connect(8080) as link:
            link.sendall(b"through")
            assert link.recv(64) == b"THROUGH"
        assert finish(process)[0] == 0


@pytest.mark.skipif(not sandbox.capabilities().network_isolation, reason="no network namespaces here")
def test_nobody_listening_inside_is_a_refused_connection(directory: JobDirectory) -> None:
    process = sandbox.start(directory, shell("echo up; exec sleep 60", network_isolation=True))
    process.output.readline()
    with pytest.raises(ConnectionRefusedError):
        process.connect(8080)
    process.close()


# --- how it ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["/bin/sh", "-c", "exit 0"], 0),
        (["/bin/sh", "-c", "exit 3"], 3),
        (["/bin/sh", "-c", "kill -TERM $$"], 143),
        (["/bin/sh", "-c", "kill -KILL $$"], 137),
        (["no-such-program"], 127),
        (["/etc/hosts"], 126),
    ],
)
def test_exit_codes_are_a_container_engines(directory: JobDirectory, command: list[str], code: int) -> None:
    assert run(directory, Program(command, ENVIRONMENT))[0] == code


def test_terminate_reaches_the_entrypoint_only(directory: JobDirectory) -> None:
    """`docker stop` signals the entrypoint; its children hear of it only from the entrypoint."""
    script = (
        "trap 'echo parent heard; kill $CHILD; wait; exit 7' TERM; "
        "sh -c 'trap \"echo child heard; exit\" TERM; echo child; while :; do sleep 0.05; done' & CHILD=$!; "
        "echo parent; while :; do sleep 0.05; done"
    )
    process = sandbox.start(directory, shell(script))
    assert {process.output.readline() for _ in range(2)} == {b"child\n", b"parent\n"}  # each knows the other
    process.terminate()
    code, output = finish(process)
    assert (code, output) == (7, "parent heard\nchild heard\n")


def test_stop_kills_what_ignores_the_signal(directory: JobDirectory) -> None:
    process = sandbox.start(directory, shell("trap '' TERM; echo up; while :; do sleep 0.05; done"))
    process.output.readline()
    assert process.stop(grace=0.2) == 137
    process.close()


@pytest.mark.parametrize("how", ["it ends", "the server goes away"])
def test_nothing_survives_the_entrypoint(directory: JobDirectory, how: str) -> None:
    """Children in the background and in sessions of their own, whether the entrypoint or the server ends."""
    script = "sleep 600 & echo $!; setsid sh -c 'echo $$; exec sleep 600' & " + (
        "read x < /opt/ml/wait" if how == "it ends" else "wait"
    )
    os.mkfifo(directory.ml / "wait")
    process = sandbox.start(directory, shell(script))
    pids = [int(process.output.readline()) for _ in range(2)]
    assert not any(gone(pid) for pid in pids)
    if how == "it ends":
        with (directory.ml / "wait").open("w") as fifo:
            fifo.write("\n")
        process.wait(20)
    else:
        process.control.close()
    wait_for(lambda: all(gone(pid) for pid in pids), "every process is gone")
    process.close()


def test_nothing_survives_a_server_that_is_killed() -> None:
    """SIGKILL to a process that started a sandbox: no handler of it can run."""
    code = (
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(Path(sandbox.__file__).parents[2])!r})\n"
        "from localcloud.jobs import sandbox\n"
        "made = sandbox.JobDirectory.create('orphan')\n"
        "environment = {'PATH': os.defpath}\n"
        "program = sandbox.Program(['/bin/sh', '-c', 'sleep 600 & echo $!; echo $$; wait'], environment)\n"
        "process = sandbox.start(made, program)\n"
        "print(made.root, process.popen.pid, *(int(process.output.readline()) for _ in range(2)), flush=True)\n"
        "signal.pause()\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    root, *pids = server.stdout.readline().split()
    server.kill()
    server.wait(20)
    server.stdout.close()
    wait_for(lambda: all(gone(int(pid)) for pid in pids), "every process is gone")
    JobDirectory(Path(root)).remove()


# --- without namespaces -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_namespaces")
def test_fallback_says_what_it_loses(caplog: pytest.LogCaptureFixture) -> None:
    found = sandbox.capabilities()
    assert found.mode == "none"
    assert not found.network_isolation
    assert found.reason == "LOCALCLOUD_SANDBOX=none"
    assert any("/opt/ml" in line for line in found.lost)
    assert any("network" in line.lower() for line in found.lost)
    for line in found.lost:
        assert line in caplog.text


@pytest.mark.usefixtures("without_namespaces")
def test_fallback_rewrites_paths_and_names_the_directories(directory: JobDirectory) -> None:
    channel = directory.ml / "input" / "data" / "train"
    channel.mkdir(parents=True)
    (channel / "rows.csv").write_text("1,2\n")
    (directory.ml / "model").mkdir()
    program = Program(
        [
            "/bin/sh",
            "-c",
            "cat /opt/ml/input/data/train/rows.csv $SM_CHANNEL_TRAIN/rows.csv; "
            "echo m > $SM_MODEL_DIR/m; echo $WHERE $SAGEMAKER_BASE_DIR; echo t > $TMPDIR/t; echo /opt/mlx",
        ],
        {**ENVIRONMENT, "WHERE": "/opt/ml/output"},
    )
    code, output = run(directory, program)
    assert code == 0, output
    assert output.splitlines() == ["1,2", "1,2", f"{directory.ml}/output {directory.ml}", "/opt/mlx"]
    assert (directory.ml / "model" / "m").exists()
    assert (directory.tmp / "t").exists()
    assert not Path("/opt/ml/model/m").exists()


@pytest.mark.usefixtures("without_namespaces")
def test_fallback_keeps_the_kill_switch(directory: JobDirectory) -> None:
    process = sandbox.start(directory, shell("sleep 600 & echo $!; wait"))
    pid = int(process.output.readline())
    process.close()
    wait_for(lambda: gone(pid), "the child is gone")


@pytest.mark.parametrize("path", ["/etc/passwd", "/opt/ml/../../etc", "/opt/mlx", "relative"])
def test_paths_outside_the_job_are_refused(directory: JobDirectory, path: str) -> None:
    with pytest.raises(ValueError, match="not under /opt/ml"):
        directory.path(path)
