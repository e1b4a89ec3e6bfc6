"""The hosts of one job: what they are called, where they find each other, and how they start together.

Each is a process with a sandbox of its own; ``algo-k`` is its host name, and an address of the loopback interface in
the private /etc/hosts of all. Under network isolation they share one network that nobody else is in and that has no way
out, so any port is free. Without it they meet on the machine's loopback interface, at addresses that no other job of
this server has. In both cases a server that several hosts have on one port must listen on its own name: 0.0.0.0 is
taken by the first.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from localcloud.jobs.sandbox import (
    HOSTS,
    JobDirectory,
    Mode,
    Program,
    SandboxedProcess,
    SandboxError,
    capabilities,
    spawn,
)

#: the interface that has those addresses ([K] AWS: eth0)
INTERFACE = "lo"
_numbers = itertools.count()


def names(count: int) -> list[str]:
    """algo-1, algo-2, ..."""
    return [f"algo-{number}" for number in range(1, count + 1)]


def hosts_file(count: int, isolated: bool) -> str:
    """What every host of a new job sees as /etc/hosts."""
    if count == 1:
        return HOSTS
    alone = isolated and capabilities().network_isolation
    network = "127.0.0" if alone else f"127.{1 + os.getpid() % 254}.{next(_numbers) % 256}"
    lines = [f"{network}.{number}\t{name}" for number, name in enumerate(names(count), start=1)]
    return "\n".join(["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost", *lines, ""])


def start(hosts: Sequence[tuple[JobDirectory, Program]]) -> list[SandboxedProcess]:
    """Start every host in the strongest sandbox this machine offers. Raises SandboxError, and then none runs."""
    able = capabilities()
    isolated = able.network_isolation and all(program.network_isolation for _, program in hosts)
    started: list[SandboxedProcess] = []
    try:
        if isolated and len(hosts) > 1:
            first = spawn(able.mode, True, *hosts[0], hold=True)
            started.append(first)
            with _shared_by(first, able.mode) as namespaces:
                for host in hosts[1:]:
                    started.append(spawn(able.mode, True, *host, join=namespaces))
            first.control.send(b"G")
        else:
            for host in hosts:
                started.append(spawn(able.mode, isolated, *host))
    except (OSError, SandboxError):
        for process in started:
            process.close()
        raise
    return started


@contextmanager
def _shared_by(first: SandboxedProcess, mode: Mode) -> Iterator[list[int]]:
    """Descriptors of the namespaces that the other hosts enter. Raises SandboxError when the first made none."""
    if first.control.recv(1) != b"R":
        raise SandboxError(first.output.read().decode(errors="replace").strip())
    kinds = ["user", "net"] if mode == "user-namespace" else ["net"]
    with ExitStack() as opened:
        paths = [Path(f"/proc/{first.popen.pid}/ns/{kind}") for kind in kinds]
        yield [opened.enter_context(path.open("rb")).fileno() for path in paths]
