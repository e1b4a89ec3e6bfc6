"""Several sandboxes as the hosts of one job: names, a shared network, a joint start and end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.jobs import cluster, sandbox
from localcloud.jobs.sandbox import JobDirectory, Program, SandboxError

MODES = ["user-namespace", "mount-namespace"]
needs_isolation = pytest.mark.skipif(not sandbox.capabilities().network_isolation, reason="no network namespaces here")
#: every host listens on the same port of its own name and asks the next one for its name
_RING = """
import socket, sys, time
me, other = sys.argv[1:]
with socket.create_server((me, 7777)) as server:
    deadline = time.monotonic() + 20
    while True:
        try:
            asking = socket.create_connection((other, 7777), 1)
            break
        except OSError:
            assert time.monotonic() < deadline, "the other host does not answer"
            time.sleep(0.01)
    asked, _ = server.accept()
    asked.sendall(socket.gethostname().encode()); asked.close()
    print(asking.recv(100).decode())
"""


@pytest.fixture(
    params=["user-namespace", pytest.param("mount-namespace", marks=pytest.mark.exhaustive), "not isolated"]
)
def isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    if request.param in MODES:
        monkeypatch.setenv("LOCALCLOUD_SANDBOX", request.param)
    sandbox.capabilities.cache_clear()
    able = sandbox.capabilities()
    if request.param in MODES and (able.mode, able.network_isolation) != (request.param, True):
        pytest.skip(f"not here: {able.reason}")
    if able.mode == "none":
        pytest.skip("host names need namespaces")
    yield request.param in MODES
    monkeypatch.undo()
    sandbox.capabilities.cache_clear()


def started(count: int, isolated: bool, program: Any) -> tuple[list[JobDirectory], list[Any]]:
    hosts = cluster.hosts_file(count, isolated)
    directories = [JobDirectory.create("cluster", hosts) for _ in range(count)]
    names = cluster.names(count)
    pairs = [(directory, program(names, k)) for k, directory in enumerate(directories)]
    return directories, cluster.start(pairs)


def test_hosts_meet_under_their_names(isolated: bool) -> None:
    def program(names: list[str], k: int) -> Program:
        command = ["python3", "-c", _RING, names[k], names[(k + 1) % 3]]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        return Program(command, environment, network_isolation=isolated, hostname=names[k])

    # two jobs at a time use the same port
    jobs = [started(3, isolated, program) for _ in range(2)]
    for directories, processes in jobs:
        output = [process.output.read().decode().strip() for process in processes]
        codes = [process.wait(20) for process in processes]
        for process, directory in zip(processes, directories, strict=True):
            process.close()
            directory.remove()
        assert codes == [0, 0, 0], output
        assert output == ["algo-2", "algo-3", "algo-1"]


def test_the_first_host_waits_for_the_others(isolated: bool) -> None:
    """It ends at once, and yet the second was able to enter its network."""
    directories, processes = started(2, isolated, lambda _, __: Program(["/bin/true"], {}, network_isolation=isolated))
    assert [process.wait(20) for process in processes] == [0, 0]
    for process, directory in zip(processes, directories, strict=True):
        process.close()
        directory.remove()


def test_when_one_cannot_start_none_runs(isolated: bool) -> None:
    directories = [JobDirectory.create("cluster", cluster.hosts_file(2, isolated)) for _ in range(2)]
    program = Program(["/bin/sleep", "60"], {"PATH": "/bin"}, network_isolation=isolated)
    directories[0].remove()
    if isolated:
        with pytest.raises(SandboxError, match="No such file"):
            cluster.start([(directory, program) for directory in directories])
    else:  # nobody waits for it: it reports in its output, and ends
        processes = cluster.start([(directory, program) for directory in directories])
        assert processes[0].wait(20) == 125
        for process in processes:
            process.close()
    directories[1].remove()


def test_addresses_of_jobs_that_share_the_machines_network_differ() -> None:
    one, other = cluster.hosts_file(2, isolated=False), cluster.hosts_file(2, isolated=False)
    assert one != other
    assert cluster.hosts_file(1, isolated=False) == sandbox.HOSTS


@needs_isolation
def test_addresses_of_jobs_that_are_alone_are_the_plain_ones() -> None:
    assert cluster.hosts_file(2, isolated=True) == cluster.hosts_file(2, isolated=True)
    assert "127.0.0.2\talgo-2" in cluster.hosts_file(2, isolated=True)
