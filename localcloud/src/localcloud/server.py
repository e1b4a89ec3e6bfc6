"""The server process: MiniStack with our services, types and repairs behind one loopback socket."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from localcloud import admin, processes
from localcloud.settings import StateDir

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: seconds a stop may take before the process ends itself: a waiting custom resource would hold it for an hour
WATCHDOG_SECONDS = 5.0


def install() -> None:
    """Check MiniStack, then add repairs, CloudFormation types and services to it. Raises ContractBroken."""
    from localcloud.adapter import contract

    contract.require()
    from localcloud import faults
    from localcloud.adapter import iam_record, repairs, service_models, sessions

    service_models.share()
    faults.install()
    repairs.install()
    iam_record.install()
    sessions.install()
    from localcloud import cloudformation

    cloudformation.install()
    from localcloud import budgets, scheduler

    scheduler.install()
    budgets.install()
    if importlib.util.find_spec("localcloud.sagemaker") is not None:
        from localcloud import sagemaker

        sagemaker.install()


def run(listener: socket.socket, state: StateDir) -> None:
    """Serve on ``listener`` until SIGTERM or SIGINT, then end everything this process started."""
    # MiniStack patches hypercorn when it is imported, so install() comes first
    install()
    # what is imported stays, and a deployment makes millions of objects: at Python's own thresholds a tenth of the time
    # goes into looking for garbage
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from localcloud import front, hangups

    hangups.install()
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = front.IDLE_SECONDS
    config.accesslog = None
    config.errorlog = "-"
    config.graceful_timeout = 1

    async def main() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            stopping.set()
            watchdog = threading.Timer(WATCHDOG_SECONDS, _end, [state])
            watchdog.daemon = True
            watchdog.start()

        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop)
        await serve(_application, config, shutdown_trigger=stopping.wait)
        # here and not after asyncio.run(): that would wait for tasks which wait for custom resources
        _end(state)

    with asyncio.Runner(loop_factory=lambda: front.Loop(listener)) as runner:
        runner.run(main())


def _end(state: StateDir) -> None:
    """Kill what is left of workers, jobs and model servers, remove the scratch space, and be gone."""
    own = os.getpid()
    living = processes.table()
    below = processes.descendants(own, living) if living[own].group == own else _children_only(own, living)
    processes.kill(below)
    shutil.rmtree(state.tmp, ignore_errors=True)
    shutil.rmtree(state.home, ignore_errors=True)
    state.pid_file.unlink(missing_ok=True)
    # not sys.exit: interpreter shutdown joins executor threads
    os._exit(0)


def _children_only(pid: int, living: dict[int, processes.Process]) -> set[processes.Process]:
    """Descendants without the group: in the foreground the group belongs to the caller's shell job."""
    ungrouped = {p.pid: processes.Process(p.pid, p.parent, 0, p.started) for p in living.values()}
    return processes.descendants(pid, ungrouped)


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    """Admin endpoints here, everything else to MiniStack."""
    from ministack import app

    from localcloud.faults import gate

    if scope["type"] == "http":
        if scope["path"].startswith(admin.PREFIX):
            await _admin(scope, receive, send)
            return
        # Loopback HTTP stands in for TLS: policies that deny aws:SecureTransport=false must not fire.
        headers = [pair for pair in scope["headers"] if pair[0].lower() != b"x-forwarded-proto"]
        scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await gate.pass_through(app.app, scope, receive, send)
        return
    await app.app(scope, receive, send)


async def _admin(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if scope["path"] == f"{admin.PREFIX}reset" and scope["method"] == "POST":
        admin.reset()
        status, document = await _reset_ministack(), {"reset": True}
        admin.reset()  # what the running requests added while MiniStack was wiped
    else:
        status, document = await asyncio.to_thread(admin.answer, scope["method"], scope["path"], body)
    payload = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


async def _reset_ministack() -> int:
    """MiniStack's own reset, through its own endpoint so that it waits for requests in flight."""
    from ministack import app

    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/_ministack/reset",
        "raw_path": b"/_ministack/reset",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 0),
        "scheme": "http",
    }
    await app.app(scope, receive, send)
    return statuses[0]
