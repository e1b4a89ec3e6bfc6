"""The server processes that stand for a variant's instances, and which of them takes a request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from localcloud.sagemaker.ports import Reply, Server, StartFailed, Unreachable

#: a request may take 60 s; a server that is taken away is given that long for its last answers
DRAIN_SECONDS = 60.0


def process_limit() -> int:
    """How many processes a variant gets at most, whatever its instance count ($LOCALCLOUD_VARIANT_PROCESSES)."""
    return max(1, int(os.environ.get("LOCALCLOUD_VARIANT_PROCESSES", "4")))


def processes_for(instances: int) -> int:
    """How many processes stand for so many instances."""
    return min(instances, process_limit())


@dataclass(eq=False)
class _Instance:
    server: Server
    in_flight: int = 0


class Instances:
    """The running servers of one variant. Safe from any thread."""

    def __init__(self) -> None:
        """None yet."""
        self._running: list[_Instance] = []
        self._turn = 0
        self._idle = threading.Condition()

    def __len__(self) -> int:
        """How many processes run."""
        return len(self._running)

    def add(self, servers: Sequence[Server]) -> None:
        """Let servers that are healthy take requests."""
        with self._idle:
            self._running.extend(_Instance(server) for server in servers)

    def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
        """One request, to the servers in turn; ``limit`` as ``ports.Server``. Raises Unreachable."""
        with self._idle:
            if not self._running:
                raise Unreachable("the container has ended")
            self._turn += 1
            instance = self._running[self._turn % len(self._running)]
            instance.in_flight += 1
        try:
            return instance.server.invoke(body, headers, limit)
        finally:
            with self._idle:
                instance.in_flight -= 1
                if instance.in_flight == 0:
                    self._idle.notify_all()

    def shrink(self, processes: int) -> Callable[[], None]:
        """Give no more requests to all but so many; what is returned waits for their answers and ends them."""
        with self._idle:
            leaving, self._running = self._running[processes:], self._running[:processes]
        return lambda: self._end(leaving)

    def stop(self) -> None:
        """End every server now."""
        with self._idle:
            leaving, self._running = self._running, []
        each([instance.server.stop for instance in leaving])

    def _end(self, leaving: Sequence[_Instance]) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        with self._idle:
            while any(instance.in_flight for instance in leaving) and time.monotonic() < deadline:
                self._idle.wait(deadline - time.monotonic())
        each([instance.server.stop for instance in leaving])


def start(starters: Sequence[Callable[[], Server]]) -> list[Server]:
    """Start servers side by side and wait until all are healthy. Raises StartFailed with none left running."""
    servers: list[Server] = []
    failures: list[StartFailed] = []

    def run(starter: Callable[[], Server]) -> None:
        try:
            servers.append(starter())
        except StartFailed as reason:
            failures.append(reason)

    each([partial(run, starter) for starter in starters])
    if failures:
        each([server.stop for server in servers])
        raise failures[0]
    return servers


def each(work: Sequence[Callable[[], object]]) -> None:
    """Do all of it at the same time, and wait; raises what one of them raises."""
    if len(work) < 2:
        for one in work:
            one()
        return
    with ThreadPoolExecutor(len(work), "variant-servers") as threads:
        for done in [threads.submit(one) for one in work]:
            done.result()
