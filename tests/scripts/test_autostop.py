"""The loop that stops an idle notebook instance, beside a server that speaks Jupyter's API over TLS."""

from __future__ import annotations

import importlib.util
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.synthesis import ROOT

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC).timestamp()
IDLE = 3600.0
PROGRAM = ROOT / "assets" / "lifecycle" / "autostop.py"


@dataclass
class Jupyter:
    """What the server answers; ``down`` for one that does not answer at all."""

    url: str = ""
    kernels: list[dict[str, Any]] = field(default_factory=list)
    terminals: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def kernel(self, minutes_ago: float, state: str = "idle") -> None:
        """Have a kernel that was last used then."""
        self.kernels = [{"id": "k", "execution_state": state, "last_activity": at(minutes_ago), "connections": 1}]


def at(minutes_ago: float) -> str:
    """A time as Jupyter Server writes it."""
    return datetime.fromtimestamp(NOW - 60 * minutes_ago, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, as a notebook instance has."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=notebook"
    subprocess.run(
        ["openssl", "req", *options.split(), "-keyout", str(file), "-out", f"{file}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def jupyter(certificate: Path) -> Iterator[Jupyter]:
    said = Jupyter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {f"/api/{name}": getattr(said, name) for name in ("kernels", "sessions", "terminals")}
            self.send_response(503 if said.down else 200 if self.path in known else 404)
            self.end_headers()
            self.wfile.write(json.dumps(known.get(self.path)).encode())

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    said.url = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield said
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Watch:
    """The program as a module, what it has stopped, and what the clock shows."""

    module: ModuleType
    stops: list[float] = field(default_factory=list)
    now: float = NOW

    def look(self, used: float) -> float:
        """Look once, knowing that it was used then."""
        found: float = self.module.watch(used)
        return found


@pytest.fixture
def watch(jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setenv("SANDCASTLE_JUPYTER", jupyter.url)
    monkeypatch.setenv("SANDCASTLE_IDLE_MINUTES", "60")
    spec = importlib.util.spec_from_file_location("autostop", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = Watch(module)
    monkeypatch.setattr(module.time, "time", lambda: made.now)
    monkeypatch.setattr(module, "stop", lambda: made.stops.append(made.now))
    return made


class Finished(Exception):
    """Ends a loop that never ends by itself."""


def test_an_instance_that_nobody_opened_stops_when_it_was_up_for_the_idle_time(watch: Watch) -> None:
    used = watch.look(NOW - IDLE + 1)
    assert watch.stops == []
    watch.now += 1
    assert watch.look(used) == used
    assert watch.stops == [NOW + 1]


@pytest.mark.parametrize(("minutes_ago", "stopped"), [(61, True), (59, False), (0, False)])
def test_a_kernel_that_waits_counts_from_its_last_activity(
    watch: Watch, jupyter: Jupyter, minutes_ago: float, stopped: bool
) -> None:
    jupyter.kernel(minutes_ago)
    watch.look(NOW - 3 * IDLE)
    assert bool(watch.stops) is stopped


def test_a_kernel_that_computes_is_in_use_however_long_it_says_nothing(watch: Watch, jupyter: Jupyter) -> None:
    jupyter.kernel(600, "busy")
    assert watch.look(NOW - 3 * IDLE) == NOW
    assert watch.stops == []


def test_a_kernel_that_never_got_started_keeps_nothing_running(watch: Watch, jupyter: Jupyter) -> None:
    jupyter.kernel(61, "starting")
    watch.look(NOW - 3 * IDLE)
    assert watch.stops == [NOW]


def test_a_kernel_of_a_session_counts_too(watch: Watch, jupyter: Jupyter) -> None:
    jupyter.sessions = [{"path": "a.ipynb", "kernel": {"execution_state": "busy", "last_activity": at(600)}}]
    watch.look(NOW - 3 * IDLE)
    jupyter.sessions = [{"path": "a.ipynb", "kernel": None}]
    assert watch.stops == []


@pytest.mark.parametrize(("minutes_ago", "stopped"), [(61, True), (59, False)])
def test_a_terminal_counts_from_its_last_activity(
    watch: Watch, jupyter: Jupyter, minutes_ago: float, stopped: bool
) -> None:
    jupyter.kernel(600)
    jupyter.terminals = [{"name": "1", "last_activity": at(600)}, {"name": "2", "last_activity": at(minutes_ago)}]
    watch.look(NOW - 3 * IDLE)
    assert bool(watch.stops) is stopped


def test_a_terminal_of_an_old_jupyter_does_not_tell_and_keeps_nothing_running(watch: Watch, jupyter: Jupyter) -> None:
    jupyter.terminals = [{"name": "1"}]
    watch.look(NOW - 3 * IDLE)
    assert watch.stops == [NOW]


def test_use_is_remembered_when_the_kernel_is_gone(watch: Watch, jupyter: Jupyter) -> None:
    jupyter.kernel(10)
    used = watch.look(NOW - 3 * IDLE)
    assert used == NOW - 600
    jupyter.kernels = []
    assert watch.look(used) == used
    assert watch.stops == []


def test_while_jupyter_does_not_answer_nothing_is_stopped(
    watch: Watch, jupyter: Jupyter, capsys: pytest.CaptureFixture[str]
) -> None:
    jupyter.down = True
    assert watch.look(NOW - 3 * IDLE) == NOW - 3 * IDLE
    assert watch.stops == []
    assert "503" in capsys.readouterr().out
    jupyter.down = False
    watch.look(NOW - 3 * IDLE)
    assert watch.stops == [NOW]


@pytest.mark.parametrize("nonsense", [{"last_activity": "yesterday"}, {"last_activity": 7}, "no kernel"])
def test_an_answer_that_makes_no_sense_is_survived(watch: Watch, jupyter: Jupyter, nonsense: Any) -> None:
    jupyter.kernels = [nonsense]
    assert watch.look(NOW - 3 * IDLE) == NOW - 3 * IDLE
    assert watch.stops == []


def test_a_stop_that_is_refused_is_tried_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr(watch.module, "stop", refuse)
        used = watch.look(NOW - 3 * IDLE)
    watch.look(used)
    assert watch.stops == [NOW]


def test_the_loop_looks_again_and_again_from_its_start_on(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pause(seconds: float) -> None:
        watch.now += seconds
        if watch.now > NOW + IDLE + 1:
            raise Finished

    monkeypatch.setattr(watch.module.time, "sleep", pause)
    with pytest.raises(Finished):
        watch.module.main()
    assert watch.stops == [NOW + IDLE]
    assert capsys.readouterr().out.startswith("this instance stops after 60 idle minutes\n")


def test_it_stops_the_instance_that_it_runs_on(jupyter: Jupyter, tmp_path: Path) -> None:
    """As a process of its own, with the real client, against a SageMaker that notes what it is asked."""
    asked: list[tuple[str, Any]] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.headers["X-Amz-Target"], json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")
            done.set()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    metadata = tmp_path / "resource-metadata.json"
    metadata.write_text(json.dumps({"ResourceName": "sandcastle-local--notebook-5f0c2a10-a1b2"}))
    environ = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "SANDCASTLE_JUPYTER": jupyter.url,
        "SANDCASTLE_IDLE_MINUTES": "0",
        "SANDCASTLE_METADATA": str(metadata),
        "SANDCASTLE_REGION": "us-east-1",
    }
    text = PROGRAM.read_text()
    loop = subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, env=environ, text=True)
    try:
        assert loop.stdin
        loop.stdin.write(text)
        loop.stdin.close()
        assert done.wait(60)
    finally:
        loop.kill()
        loop.wait()
        server.shutdown()
        server.server_close()
    expected = {"NotebookInstanceName": "sandcastle-local--notebook-5f0c2a10-a1b2"}
    assert asked[0] == ("SageMaker.StopNotebookInstance", expected)
