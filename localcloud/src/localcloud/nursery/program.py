"""The nursery process: imports boto3, then forks a worker for each request on the socket it was given.

It runs on the interpreter of functions, so it imports nothing of localcloud. A request is JSON with four descriptors:
the worker's stdin, stdout and stderr, and a socket on which its pid (with a pidfd) and at the end its exit code are
reported. No session, client or credentials exist here, and no code of a user runs: what a fork inherits is modules, and
what botocore's files say of the services.
"""

from __future__ import annotations

import sys

# this program's own folder, before anything is imported from it by mistake
sys.path.pop(0)

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

#: linux/prctl.h
_PR_SET_PDEATHSIG = 1

#: whose models are parsed before the first fork: the services that functions most often call
_SERVICES = (
    "application-autoscaling",
    "budgets",
    "cloudformation",
    "cloudwatch",
    "ec2",
    "efs",
    "iam",
    "logs",
    "s3",
    "sagemaker",
    "scheduler",
    "sns",
    "sts",
)

_prctl = ctypes.CDLL(None).prctl


class _Absent:
    """The last finder of sys.meta_path: notes what was looked for in vain, which a function may bring."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, *_: Any) -> None:
        """Nothing is found here."""
        self.names.add(name)


def preload() -> set[str]:
    """Import what functions import; the top-level names that were imported, and that were not there."""
    absent = _Absent()
    sys.meta_path.append(absent)
    import urllib.request

    import boto3
    import boto3.s3.inject  # what the first S3 client imports

    parse_models()
    del boto3, urllib
    sys.meta_path.remove(absent)
    return {name.split(".")[0] for name in {*sys.modules, *absent.names}} - {"__main__"}


def parse_models() -> None:
    """Have botocore parse a file once: its models of SageMaker and EC2 are most of what a first client costs.

    A file is found by its path, so a function with models of its own (AWS_DATA_PATH) gets those.
    """
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import JSONFileLoader, create_loader

    parse = JSONFileLoader.load_file
    parsed: dict[str, Any] = {}

    def load_file(loader: JSONFileLoader, path: str) -> Any:
        if (found := parsed.get(path)) is None:
            found = parse(loader, path)
            if found is not None:
                parsed[path] = found
        return found

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign,assignment] # there is no other hook
    loader = create_loader()
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    for service in _SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            with suppress(UnknownServiceError):  # not every service pages
                loader.load_service_model(service, kind)


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork until the server is gone. Returns twice: None in the nursery at the end, the job in each fork."""
    reports: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> pid and where its end is reported
    poller = select.poll()
    poller.register(requests, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor in reports:
                poller.unregister(descriptor)
                pid, report = reports.pop(descriptor)
                _, status = os.waitpid(pid, 0)
                os.close(descriptor)
                with report, suppress(OSError):  # nobody may want to know any more
                    report.send(str(os.waitstatus_to_exitcode(status)).encode())
                continue
            message, given, _, _ = socket.recv_fds(requests, 1 << 18, 4)
            if not message:
                for living in reports:
                    signal.pidfd_send_signal(living, signal.SIGKILL)
                return None
            if len(given) < 4:  # no descriptors left here; the server sees its sockets closed and starts it itself
                _close(given)
                continue
            report = socket.socket(fileno=given.pop())
            worker = _fork()
            if worker == 0:
                report.close()
                requests.close()
                _close([*reports])
                for _, other in reports.values():
                    other.close()
                return {**json.loads(message), "stdio": given}
            _close(given)
            pidfd = _announce(worker, report) if worker else None
            if worker is None or pidfd is None:
                report.close()
            else:
                reports[pidfd] = (worker, report)
                poller.register(pidfd, select.POLLIN)


def _fork() -> int | None:
    """``os.fork``; None when the machine has no process left. A fork ends with the nursery, even a killed one."""
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        return None
    if pid == 0:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != nursery:  # it died before the line above
            os._exit(1)
    return pid


def _announce(pid: int, report: socket.socket) -> int | None:
    """Tell the server of the new worker; its pidfd, or None when that failed and the worker is gone again."""
    try:
        pidfd = os.pidfd_open(pid)
        socket.send_fds(report, [str(pid).encode()], [pidfd])
        return pidfd
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return None


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def become(script: str, folder: str, env: dict[str, str], stdio: list[int]) -> None:
    """Make this fork what ``python script`` would be in ``folder`` with ``env``, up to the script's first line."""
    for number, descriptor in enumerate(stdio):
        os.dup2(descriptor, number)
    _close(stdio)
    sys.stdin = sys.__stdin__ = _stream(sys.stdin, 0, "r")  # type: ignore[misc] # typeshed calls it final
    sys.stdout = sys.__stdout__ = _stream(sys.stdout, 1, "w")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(sys.stderr, 2, "w", buffering=1)  # type: ignore[misc]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))


def _stream(like: Any, descriptor: int, mode: str, buffering: int = -1) -> Any:
    """A standard stream as the interpreter made it, without what the nursery's knows of its file."""
    return os.fdopen(descriptor, mode, buffering, encoding=like.encoding, errors=like.errors, closefd=False)


def main() -> None:
    """Import, say what was imported, serve; in a fork, be the worker until it ends as any program ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the foreground is the server's, which ends this one
    requests = socket.socket(fileno=int(sys.argv[1]))
    imported = preload()
    os.close(os.pidfd_open(os.getpid()))  # a kernel without it ends this here, before anything was promised
    gc.collect()
    gc.freeze()  # the forks' collections leave these pages shared
    requests.send(json.dumps(sorted(imported)).encode())
    job = serve(requests)
    if job is not None:
        become(**job)
        runpy.run_path(job["script"], run_name="__main__")


if __name__ == "__main__":
    main()
