"""Run a program as if in a container: private /opt/ml, /tmp and /etc/hosts, a fresh environment, one kill switch.

No root, no Docker: a user namespace and a mount namespace give each process its own view (works for root and
for an ordinary user). It keeps jobs from seeing each other and the host from changing where they are expected
to write; it is not a security boundary. Where the kernel refuses namespaces (Docker's default seccomp profile,
AppArmor's restriction on Ubuntu 24.04) jobs run without, and `capabilities()` says what that loses.
"""

import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Literal

logger = logging.getLogger("localcloud.sandbox")

Mode = Literal["user-namespace", "mount-namespace", "none"]
BASE = "/opt/ml"
#: $HOME of a program, in its own /tmp
HOME = "/tmp/home"  # noqa: S108 - as above
LAUNCHER = Path(__file__).with_name("launch.py")
#: the host's own: AWS names the one host of a job algo-1
HOSTS = "127.0.0.1\tlocalhost algo-1\n::1\tlocalhost ip6-localhost\n"

_LOST_WITHOUT = (
    "a literal /opt/ml in a script is the host's: only the command, its arguments and the environment are rewritten"
    " (SAGEMAKER_BASE_DIR and SM_* name the job's directory)",
    "the folder /tmp is shared with the host and with other jobs (TMPDIR is private)",
    "the host names algo-1, algo-2 ... do not resolve, so several hosts do not find each other",
    "the model directory of a server is not read-only",
)
_LOST_NETWORK = "EnableNetworkIsolation does not cut the network (the job still gets no AWS credentials)"


class SandboxError(Exception):
    """The process could not be started."""


@dataclass(frozen=True)
class Capabilities:
    """What this machine lets a sandbox do."""

    mode: Mode
    network_isolation: bool
    lost: tuple[str, ...]
    """What differs from a container here; empty when nothing that jobs rely on does."""
    reason: str
    """Why a stronger mode is not used; empty when the strongest is."""


@dataclass(frozen=True)
class JobDirectory:
    """The host side of one sandbox: `ml` appears as /opt/ml, `tmp` as /tmp."""

    root: Path

    @classmethod
    def create(cls, prefix: str, hosts: str = HOSTS) -> "JobDirectory":
        """A new directory under TMPDIR that only this user can enter; ``hosts`` is what it sees as /etc/hosts."""
        root = Path(tempfile.mkdtemp(prefix=f"{prefix[:40]}-"))
        directory = cls(root)
        for path in (directory.ml, directory.home):
            path.mkdir(parents=True)
        directory.hosts.write_text(hosts)
        return directory

    @property
    def ml(self) -> Path:
        """What the program sees as /opt/ml."""
        return self.root / "ml"

    @property
    def tmp(self) -> Path:
        """What the program sees as /tmp; it holds the home directory."""
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        """What the program sees as /tmp/home, its $HOME."""
        return self.tmp / "home"

    @property
    def hosts(self) -> Path:
        """What the program sees as /etc/hosts."""
        return self.root / "hosts"

    def path(self, inside: str) -> Path:
        """The host path of an absolute path under /opt/ml. Raises ValueError for any other path."""
        path = os.path.normpath(inside)
        if path != BASE and not path.startswith(BASE + "/"):
            raise ValueError(f"{inside} is not under {BASE}")
        return self.ml / path[len(BASE) :].lstrip("/")

    def remove(self) -> None:
        """Delete it all; directories that the program made unreadable included."""
        for folder, names, _ in os.walk(self.root):  # top down: a folder is opened up before it is entered
            for name in names:
                path = Path(folder) / name
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(self.root)


@dataclass(frozen=True)
class Program:
    """What to run."""

    command: Sequence[str]
    environment: Mapping[str, str]
    visible: Sequence[Path] = ()
    """Directories that hold the program itself; they stay visible even when they are under /tmp."""
    read_only: Sequence[str] = ()
    """Directories under /opt/ml that the program may not change."""
    network_isolation: bool = False
    homes: Sequence[str] = ()
    """Where the home directory is seen too, instead of the host's: /home/ec2-user."""
    hostname: str = ""
    """Its own host name; empty: the machine's."""


@dataclass
class SandboxedProcess:
    """A running program; the object owns the process: dropping the control socket kills it."""

    popen: subprocess.Popen[bytes]
    control: socket.socket
    isolated: bool
    _closed: bool = field(default=False, init=False)
    _asking: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def output(self) -> IO[bytes]:
        """stdout and stderr of the program and of all that it starts."""
        assert self.popen.stdout is not None  # noqa: S101 - a fact for the type checker: start() always pipes it
        return self.popen.stdout

    @property
    def running(self) -> bool:
        """True until the entrypoint ended."""
        return self.popen.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code (128 + signal when killed). Raises subprocess.TimeoutExpired after `timeout` seconds."""
        return self.popen.wait(timeout)

    def terminate(self) -> None:
        """SIGTERM to the entrypoint and to nothing else, as `docker stop` begins."""
        self._send(b"T")

    def kill(self) -> None:
        """SIGKILL to the entrypoint and to all that it started."""
        self._send(b"K")

    def stop(self, grace: float) -> int:
        """SIGTERM, up to `grace` seconds, SIGKILL; returns the exit code."""
        self.terminate()
        try:
            return self.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait()

    def connect(self, port: int) -> socket.socket:
        """A TCP connection to 127.0.0.1:`port` as seen from inside. Raises OSError."""
        if not self.isolated:
            return socket.create_connection(("127.0.0.1", port), timeout=2)
        with self._asking:
            self.control.send(b"C%d" % port)
            message, fds, _flags, _address = socket.recv_fds(self.control, 256, 1)
        if not fds:
            raise ConnectionRefusedError(message[1:].decode() or "the process is gone")
        return socket.socket(fileno=fds[0])

    def close(self) -> None:
        """Kill what is left and free the descriptors."""
        if not self._closed:
            self._closed = True
            self.control.close()
            self.popen.wait()
            self.output.close()

    def _send(self, message: bytes) -> None:
        try:
            self.control.send(message)
        except OSError:  # it ended on its own in the meantime
            logger.debug("message %r after the end of process %s", message, self.popen.pid)


def start(directory: JobDirectory, program: Program) -> SandboxedProcess:
    """Start a program in the strongest sandbox this machine offers. Raises SandboxError."""
    able = capabilities()
    return spawn(able.mode, program.network_isolation and able.network_isolation, directory, program)


def spawn(
    mode: Mode,
    isolated: bool,
    directory: JobDirectory,
    program: Program,
    *,
    hold: bool = False,
    join: Sequence[int] = (),
) -> SandboxedProcess:
    """Start a program in this mode; ``hold`` and ``join`` as in `launch`. Raises SandboxError."""
    if mode == "none":
        program = _rewritten(directory, program)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    document = {
        "mode": mode,
        "control": theirs.fileno(),
        "ml": str(directory.ml),
        "tmp": str(directory.tmp),
        "hosts": str(directory.hosts),
        "home": str(directory.home),
        "homes": list(program.homes),
        "cwd": str(directory.tmp) if mode == "none" else "/tmp",  # noqa: S108 - the job's own /tmp
        "visible": [str(path) for path in program.visible],
        "read_only": list(program.read_only),
        "network_isolation": isolated,
        "hostname": program.hostname,
        "hold": hold,
        "join": list(join),
        "command": list(program.command),
        "environment": dict(program.environment),
    }
    try:
        popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            pass_fds=[theirs.fileno(), *join],
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise SandboxError(f"cannot start a process: {error}") from error
    finally:
        theirs.close()
    assert popen.stdin is not None  # noqa: S101 - a fact for the type checker: it is a pipe
    with popen.stdin as stdin:  # the environment holds credentials, so it travels by pipe and not as an argument
        stdin.write(json.dumps(document).encode())
    return SandboxedProcess(popen, ours, isolated)


def _rewritten(directory: JobDirectory, program: Program) -> Program:
    """Without namespaces: replace /opt/ml by the job's directory wherever a path is handed to the program."""
    ml = str(directory.ml)

    def here(text: str) -> str:
        return re.sub(rf"{BASE}(?=/|$|[^\w.-])", ml, text)

    environment = {name: here(value) for name, value in program.environment.items()}
    environment["HOME"] = str(directory.home)
    if "PATH" in environment:
        environment["PATH"] = environment["PATH"].replace(HOME, str(directory.home))
    environment["TMPDIR"] = str(directory.tmp)
    for name, value in {
        "SAGEMAKER_BASE_DIR": ml,
        "SM_MODEL_DIR": f"{ml}/model",
        "SM_INPUT_DIR": f"{ml}/input",
        "SM_INPUT_CONFIG_DIR": f"{ml}/input/config",
        "SM_OUTPUT_DIR": f"{ml}/output",
        "SM_OUTPUT_DATA_DIR": f"{ml}/output/data",
    }.items():
        environment.setdefault(name, value)
    data = directory.ml / "input" / "data"
    for channel in sorted(data.iterdir()) if data.is_dir() else ():
        environment.setdefault(f"SM_CHANNEL_{channel.name.upper()}", str(channel))
    command = [here(part) for part in program.command]
    return Program(command, environment, network_isolation=program.network_isolation)


@cache
def capabilities() -> Capabilities:
    """Find out once, by trying, what sandbox works here; LOCALCLOUD_SANDBOX=none|user-namespace|... forces one."""
    forced = os.environ.get("LOCALCLOUD_SANDBOX", "auto")
    candidates: list[Mode] = ["user-namespace", "mount-namespace"] if os.getuid() == 0 else ["user-namespace"]
    reasons = []
    for mode in candidates:
        if forced not in ("auto", mode):
            continue
        problem = _try(mode, isolated=True)
        if problem is None:
            return Capabilities(mode, True, (), "")
        network_problem, problem = problem, _try(mode, isolated=False)
        if problem is None:
            logger.warning("sandbox: %s. %s", _LOST_NETWORK, network_problem)
            return Capabilities(mode, False, (_LOST_NETWORK,), network_problem)
        reasons.append(f"{mode}: {problem}")
    reason = "; ".join(reasons) or f"LOCALCLOUD_SANDBOX={forced}"
    lost = (*_LOST_WITHOUT, _LOST_NETWORK)
    logger.warning("sandbox: no namespaces (%s). Lost: %s", reason, "; ".join(lost))
    return Capabilities("none", False, lost, reason)


def _try(mode: Mode, isolated: bool) -> str | None:
    """Run a small program in this mode; None when it saw its own /opt/ml, else what went wrong."""
    directory = JobDirectory.create("probe")
    try:
        (directory.ml / "seen").touch()
        command = ["/bin/sh", "-c", "test -e /opt/ml/seen && echo ok"]
        program = Program(command, {"PATH": os.defpath}, hostname="algo-1")
        process = spawn(mode, isolated, directory, program)
        try:
            output = process.output.read().decode(errors="replace").strip()
        finally:
            process.close()
        return None if output == "ok" else output or "the program did not see its /opt/ml"
    finally:
        directory.remove()
