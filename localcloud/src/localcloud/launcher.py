"""Starting, finding and stopping the server process of a state directory."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from localcloud import processes
from localcloud.server import WATCHDOG_SECONDS
from localcloud.settings import HOST, StateDir, server_environment

#: seconds a start may take before it counts as failed (it takes about one)
START_SECONDS = 30.0
#: seconds a server that runs already may leave its health check unanswered: a busy or suspended one keeps its state
ANSWER_SECONDS = 30.0

#: every request to a server goes straight to loopback, whatever proxy the caller's environment or system names
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LauncherError(Exception):
    """The server could not be started; the text says why."""


@dataclass(frozen=True)
class Running:
    """A live server."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"


def find(state: StateDir) -> Running | None:
    """The server of this state directory when its recorded process is still that process."""
    pid = _living(state)
    if pid is None or not state.port_file.exists():
        return None
    return Running(pid, int(state.port_file.read_text()))


def start(state: StateDir, port: int = 0) -> tuple[Running, bool]:
    """Start a detached server unless one runs; (server, whether it was started now). Raises LauncherError.

    A server that runs and does not answer at once is asked again, never replaced: everything it holds is in its
    memory. It is asked without the lock, so that a stop need not wait for this.
    """
    state.root.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        with _locked(state):
            pid = _living(state)
            if pid is None:
                _sweep(state)
                return _launch(state, port), True
            running = find(state)
        if running and healthy(running):
            return running, False
        if time.monotonic() >= deadline:
            raise LauncherError(f"localcloud (pid {pid}) does not answer; `localcloud stop` ends it")
        time.sleep(0.1)


def stop(state: StateDir) -> bool:
    """End the server and everything it started; False when nothing ran. Never takes longer than ~8 seconds."""
    state.root.mkdir(parents=True, exist_ok=True)
    with _locked(state):
        running = find(state)
        if running is None:
            _sweep(state)
            return False
        living = processes.table()
        server = {living[running.pid]} if running.pid in living else set()
        victims = processes.descendants(running.pid, living)
        os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + WATCHDOG_SECONDS + 1
        while (alive := find(state)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if alive:
            victims |= processes.descendants(running.pid, processes.table())
            os.kill(running.pid, signal.SIGKILL)
        processes.kill(victims)
        processes.await_end(victims | server, seconds=1)
        _sweep(state)
        return True


def _launch(state: StateDir, port: int) -> Running:
    """Start a detached server and wait until it answers. Raises LauncherError."""
    listener = listen(state, port)
    prepare(state)
    if state.log_file.exists():  # the last run's log stays readable, no log grows for ever
        state.log_file.replace(state.log_file.with_suffix(".log.previous"))
    command = [sys.executable, "-m", "localcloud", "_serve", "--state", str(state.root), "--fd", str(listener.fileno())]
    with state.log_file.open("ab") as log:
        child = subprocess.Popen(
            command,
            env=server_environment(state, listener.getsockname()[1]),
            cwd=state.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    running = Running(child.pid, listener.getsockname()[1])
    listener.close()
    record(state, running)
    _wait_until_healthy(state, running, child)
    return running


def listen(state: StateDir, port: int) -> socket.socket:
    """A listening loopback socket: on ``port``, else the remembered one when free, else any free one."""
    remembered = int(state.port_file.read_text()) if state.port_file.exists() else 0
    for candidate in [port] if port else [remembered, 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
        except OSError as error:
            listener.close()
            if candidate and candidate == port:
                raise LauncherError(f"port {port} is not free: {error}") from error
            continue
        listener.listen(128)
        return listener
    raise LauncherError("no free loopback port")


def prepare(state: StateDir) -> None:
    """Fresh private scratch space."""
    for folder in (state.tmp, state.home):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)


def record(state: StateDir, running: Running) -> None:
    """Write the pid and port files."""
    process = processes.find(running.pid)
    state.pid_file.write_text(f"{running.pid}\n{process.started if process else ''}\n")
    state.port_file.write_text(f"{running.port}\n")


def healthy(running: Running) -> bool:
    """Whether it answers its health check within a second."""
    return health(running).get("status") == "running"


def health(running: Running) -> dict[str, Any]:
    """What it says of itself, nothing when it does not answer within a second."""
    try:
        document: dict[str, Any] = json.loads(ask(running, "GET", "health", timeout=1))
        return document
    except (OSError, ValueError, http.client.HTTPException):
        return {}


def ask(running: Running, method: str, name: str, timeout: float) -> bytes:
    """The body of its answer to one ``/_localcloud/`` request, sent through no proxy; OSError when there is none."""
    request = urllib.request.Request(f"{running.endpoint}/_localcloud/{name}", method=method)
    with _DIRECT.open(request, timeout=timeout) as reply:
        body: bytes = reply.read()
        return body


def _wait_until_healthy(state: StateDir, running: Running, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            tail = state.log_file.read_text(errors="replace").splitlines()[-15:]
            state.pid_file.unlink(missing_ok=True)
            raise LauncherError("localcloud ended while starting:\n" + "\n".join(tail))
        if healthy(running):
            return
        time.sleep(0.02)
    child.kill()
    raise LauncherError(f"localcloud did not answer within {START_SECONDS:.0f} s; see {state.log_file}")


def _living(state: StateDir) -> int | None:
    """The recorded pid while it is still the recorded process: same pid, same start time."""
    recorded = _recorded(state)
    if recorded is None:
        return None
    pid, started = recorded
    process = processes.find(pid)
    return pid if process and process.started == started else None


def _recorded(state: StateDir) -> tuple[int, str] | None:
    try:
        pid, started = state.pid_file.read_text().split("\n")[:2]
        return int(pid), started
    except (OSError, ValueError):
        return None


def _sweep(state: StateDir) -> None:
    """Remove what a server that ended uncleanly left: orphans of its process group, scratch space, pid file."""
    recorded = _recorded(state)
    if recorded:
        living = processes.table()
        leader = living.get(recorded[0])
        # A group id is not reused while the group has members: if its leader is another process now, the group is
        # gone; if it has no leader, the members are orphans of ours.
        if leader is None or leader.started == recorded[1]:
            processes.kill(processes.descendants(recorded[0], living) | ({leader} if leader else set()))
    shutil.rmtree(state.tmp, ignore_errors=True)
    shutil.rmtree(state.home, ignore_errors=True)
    state.pid_file.unlink(missing_ok=True)


@contextmanager
def _locked(state: StateDir) -> Iterator[None]:
    """One start or stop at a time."""
    with (state.root / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
