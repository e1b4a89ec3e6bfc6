"""The ``localcloud`` command."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import sys
from collections.abc import Sequence

from localcloud import launcher, runners_command
from localcloud.settings import CLIENT_UNSET, StateDir, client_environment, server_environment


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; exit code 0 done, 1 failed, 3 ``status`` of a localcloud that does not run."""
    arguments = _parser().parse_args(argv)
    state = StateDir.resolve(arguments.state)
    try:
        return int(globals()[f"_{arguments.command.lstrip('_')}"](arguments, state))
    except launcher.LauncherError as error:
        print(f"localcloud: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localcloud", description="An AWS that fits in a laptop.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "start": "start the server (does nothing when it runs already)",
        "stop": "stop the server and everything it started",
        "status": "say whether it runs",
        "env": "print the shell commands that point AWS tools at it",
        "reset": "forget every resource, without restarting",
        "runners": "list what jobs and endpoints run on, or make it before they need it",
        "_serve": argparse.SUPPRESS,
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--state", metavar="DIR", help="state directory (default: .localcloud/run)")
        if name in ("start", "status"):
            command.add_argument("--json", action="store_true", help="print one JSON document")
        if name == "start":
            command.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
            command.add_argument("--foreground", action="store_true", help="stay attached until Ctrl-C")
        if name == "runners":
            runners_command.add_arguments(command)
        if name == "_serve":
            command.add_argument("--fd", type=int, required=True)
    return parser


def _start(arguments: argparse.Namespace, state: StateDir) -> int:
    if arguments.foreground:
        return _foreground(arguments, state)
    running, started = launcher.start(state, arguments.port)
    sandbox = launcher.health(running).get("sandbox", {})
    if arguments.json:
        document = {"endpoint": running.endpoint, "pid": running.pid, "started": started, "state": str(state.root)}
        print(json.dumps({**document, "sandbox": sandbox}))
    else:
        print(f"localcloud {'started' if started else 'is running already'}: {running.endpoint}")
        for lost in sandbox.get("lost", ()):
            print(f"  without: {lost}")
    return 0


def _foreground(arguments: argparse.Namespace, state: StateDir) -> int:
    """Become the server: the listening socket and the clean environment survive the exec."""
    running = launcher.find(state)
    if running:
        raise launcher.LauncherError(f"is running already: {running.endpoint}")
    state.root.mkdir(parents=True, exist_ok=True)
    listener = launcher.listen(state, arguments.port)
    launcher.prepare(state)
    port = listener.getsockname()[1]
    launcher.record(state, launcher.Running(os.getpid(), port))
    print(f"localcloud: http://127.0.0.1:{port}", flush=True)
    os.set_inheritable(listener.fileno(), True)
    command = [sys.executable, "-m", "localcloud", "_serve", "--state", str(state.root), "--fd", str(listener.fileno())]
    os.execve(sys.executable, command, server_environment(state, port))  # noqa: S606 - our own interpreter


def _serve(arguments: argparse.Namespace, state: StateDir) -> int:
    from localcloud import server

    server.run(socket.socket(fileno=arguments.fd), state)
    return 0


def _stop(_: argparse.Namespace, state: StateDir) -> int:
    print("localcloud stopped" if launcher.stop(state) else "localcloud was not running")
    return 0


def _status(arguments: argparse.Namespace, state: StateDir) -> int:
    running = launcher.find(state)
    well = bool(running) and launcher.healthy(running) if running else False
    if arguments.json:
        print(
            json.dumps(
                {
                    "running": bool(running),
                    "healthy": well,
                    "endpoint": running.endpoint if running else None,
                    "pid": running.pid if running else None,
                    "state": str(state.root),
                }
            )
        )
    elif running:
        print(f"localcloud is {'running' if well else 'not answering'}: {running.endpoint} (pid {running.pid})")
    else:
        print("localcloud is not running")
    return 0 if well else 3


def _env(_: argparse.Namespace, state: StateDir) -> int:
    running = launcher.find(state)
    if running is None:
        raise launcher.LauncherError("is not running; start it first")
    print("unset " + " ".join(CLIENT_UNSET))
    for name, value in client_environment(running.port).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _runners(arguments: argparse.Namespace, _: StateDir) -> int:
    return runners_command.run(arguments)


def _reset(_: argparse.Namespace, state: StateDir) -> int:
    running = launcher.find(state)
    if running is None:
        raise launcher.LauncherError("is not running")
    launcher.ask(running, "POST", "reset", timeout=30)
    print("localcloud is empty")
    return 0
