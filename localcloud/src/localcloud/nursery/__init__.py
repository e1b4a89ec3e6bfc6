"""Python Lambda workers start as forks of a process that has boto3 imported already: the nursery.

Importing boto3 is most of a cold start (0.4 s of CPU), and it is the same for every function. The nursery
(``program``) is one child of the server with a worker's environment and none of a function's. It runs no code of a
user, so two forks share nothing that one of them could have changed. Whatever a fork could not give a function as a
fresh interpreter does makes ``fork`` answer None, and the caller starts an interpreter: packages of the function's own
that are imported already, variables that an interpreter reads when it starts, another system than Linux.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

logger = logging.getLogger("localcloud.nursery")

#: seconds a nursery may take to import boto3, and to fork; longer, and the worker is started without it
_START_SECONDS, _FORK_SECONDS = 60.0, 20.0
#: beginnings of the variables that the interpreter, the loader and libc read once, when a process starts
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "OPENSSL_", "MALLOC_", "GLIBC_")


class Forked:
    """A worker that the nursery forked: what ``subprocess.Popen`` (text, line-buffered) is to its user."""

    def __init__(self, pid: int, pidfd: int, report: socket.socket, pipes: tuple[int, int, int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = os.fdopen(pipes[0], "w", buffering=1)
        self.stdout = os.fdopen(pipes[1])
        self.stderr = os.fdopen(pipes[2])
        self._pidfd = pidfd
        self._report = report
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, pidfd)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal, or None while it runs."""
        with self._lock:
            if self.returncode is None and _readable(self._report, 0):
                # nothing said means the nursery was killed, and its workers with it
                self.returncode = int(self._report.recv(64) or -signal.SIGKILL)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended; subprocess.TimeoutExpired after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired([f"worker {self.pid}"], timeout or 0)
            _readable(self._report, left)
        return code

    def send_signal(self, number: int) -> None:
        """Signal it unless it has ended; a pidfd names this process for ever, so no other one can be hit."""
        if self.poll() is None:
            try:
                signal.pidfd_send_signal(self._pidfd, number)
            except ProcessLookupError:  # it ended just now
                return

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Starts the nursery process with the first worker, and another when one died; forks workers from it."""

    def __init__(self, python: Callable[[], Path], environment: Callable[[], dict[str, str]]) -> None:
        self._python, self._environment = python, environment
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._useless = not sys.platform.startswith("linux")

    def fork(self, script: str, folder: str, env: Mapping[str, str]) -> Forked | None:
        """A worker that runs ``script`` in ``folder`` with ``env`` and nothing else; None: start an interpreter."""
        running = self._started()
        if running is None or not running.gives(folder, env):
            return None
        try:
            return running.fork({"script": script, "folder": folder, "env": dict(env)})
        except (OSError, ValueError) as error:
            logger.warning("the nursery (pid %s) did not fork a worker: %s", running.process.pid, error)
            with self._lock:
                if self._running is running and not running.alive():
                    self._running = None
            return None

    def _started(self) -> _Running | None:
        with self._lock:
            if self._running is not None and not self._running.alive():
                self._running = None
            if self._running is None and not self._useless:
                try:
                    self._running = _Running(self._python(), self._environment())
                except (OSError, ValueError) as error:
                    # it would not be better the next time, and every try costs what it is to save
                    logger.warning("no nursery, python functions start without it: %s", error)
                    self._useless = True
            return self._running


class _Running:
    """One nursery process. It ends when ``_requests`` is closed: with this object or with the server."""

    def __init__(self, python: Path, environment: dict[str, str]) -> None:
        self._environment = environment
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            program = str(Path(__file__).with_name("program.py"))
            self.process = subprocess.Popen(
                [str(python), program, str(theirs.fileno())],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        try:
            self._requests.settimeout(_START_SECONDS)
            self._imported = frozenset(json.loads(self._requests.recv(1 << 18)))
        except (OSError, ValueError):
            self.process.kill()
            self.process.wait()
            raise

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def gives(self, folder: str, env: Mapping[str, str]) -> bool:
        """Whether a fork is to this function what a fresh interpreter is."""
        return _read_at_start(env) == _read_at_start(self._environment) and not self._imported & bundled(folder, env)

    def fork(self, job: Mapping[str, object]) -> Forked:
        """One worker. Raises OSError or ValueError when it did not answer."""
        stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        report, theirs = socket.socketpair()
        kept = (stdin[1], stdout[0], stderr[0])
        given = (stdin[0], stdout[1], stderr[1])
        try:
            try:
                with theirs:
                    socket.send_fds(self._requests, [json.dumps(job).encode()], [*given, theirs.fileno()])
            finally:
                for descriptor in given:
                    os.close(descriptor)
            report.settimeout(_FORK_SECONDS)
            pid, pidfds, _, _ = socket.recv_fds(report, 64, 1, socket.MSG_CMSG_CLOEXEC)
            if not pidfds:
                raise OSError("it closed the connection")
            return Forked(int(pid), pidfds[0], report, kept)
        except (OSError, ValueError):
            report.close()
            for descriptor in kept:
                os.close(descriptor)
            raise


def bundled(folder: str, env: Mapping[str, str]) -> set[str]:
    """Top-level names that the function's code and its layers bring, and that go before those of the runtime.

    MiniStack's worker program puts ``_LAMBDA_LAYERS_DIRS``, their ``python`` and its site-packages into sys.path.
    """
    roots = [Path(folder)]
    for layer in filter(None, env.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep)):
        python = Path(layer) / "python"
        roots += [Path(layer), python, *python.glob("lib/*/site-packages")]
    return {entry.name.split(".")[0] for root in roots if root.is_dir() for entry in root.iterdir()}


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}


def _readable(connection: socket.socket, seconds: float | None) -> bool:
    """Whether something, or the end, is there to be read within ``seconds``. Not select(): it ends at 1024 files."""
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(None if seconds is None else max(0, seconds) * 1000))
