"""The virtual environments that runners live in: which there are, and making one at first use.

`classic` holds XGBoost and scikit-learn and is made when the project is installed; `pytorch` is a gigabyte and is
made by whoever needs it first: `localcloud runners --install`, a job or an endpoint. A folder is made under another
name and renamed when it is whole, so nobody ever sees half of one; a kill in between costs what was unpacked, not
what was downloaded. The marker in it holds a digest of what it was made from: changed requirements make it again.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcloud.settings import pip_environment

logger = logging.getLogger("localcloud.runners")

Say = Callable[[str], None]
#: what pip says that is worth a line of progress
_TOLD = ("Downloading ", "Processing ", "Using cached ", "Installing collected packages", "Building ")
#: real seconds after which silence is broken, and between two looks at a lock that somebody else holds
_HEARTBEAT, _POLL = 15.0, 0.5
_MARKER = ".installed"


class RunnerUnavailable(Exception):
    """The environment could not be made; the text says why, with pip's last lines."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment and what it is made from."""

    name: str
    requirements: str
    """A file of `localcloud/runners` in which every package has its hash."""
    unhashed: tuple[str, ...] = ()
    """Packages by exact version, installed without dependencies: `requirements` has those."""
    index: str | None = None
    """Where else to look for `unhashed` when the configured package index does not have them."""
    warm: str = ""
    """Modules whose import compiles what jobs import: they cannot write there, and most of it they never need."""
    size: str = ""
    """What it takes on disk, for a person."""

    @property
    def folder(self) -> Path:
        """Where it is, or will be."""
        return interpreters_dir() / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def ready(self) -> bool:
        """Whether it is there, whole and made from today's requirements.

        An empty marker is `make install`'s, which watches the requirements by itself.
        """
        try:
            marker = (self.folder / _MARKER).read_text().strip()
        except OSError:
            return False
        return marker in ("", self.digest())

    def digest(self) -> str:
        """Of everything that decides what is in it."""
        content = (programs_dir() / self.requirements).read_bytes()
        made_from = [content, *(each.encode() for each in self.unhashed), sys.version.encode()]
        return hashlib.sha256(b"\0".join(made_from)).hexdigest()


ENVIRONMENTS = {
    each.name: each
    for each in (
        Environment("classic", "requirements.txt", size="400 MB"),
        # the build without CUDA, which is gigabytes larger. Its version is no release on PyPI: where the machine's
        # package index does not have it, PyTorch's own has. pip verifies no hash of it.
        Environment(
            "pytorch",
            "pytorch.txt",
            unhashed=("torch==2.13.0+cpu",),
            index="https://download.pytorch.org/whl/cpu",
            warm="numpy, pandas, sklearn, PIL.Image, torch, boto3",
            size="1.2 GB",
        ),
    )
}


def programs_dir() -> Path:
    """The runner programs and the requirements of their environments: `localcloud/runners` of the checkout."""
    return Path(__file__).resolve().parents[3] / "runners"


def interpreters_dir() -> Path:
    """The environments: $LOCALCLOUD_RUNNERS, else `runners` beside this virtual environment."""
    return Path(os.environ.get("LOCALCLOUD_RUNNERS") or Path(sys.prefix).parent / "runners").resolve()


def ensure(name: str, say: Say = logger.info, cancelled: Callable[[], bool] = lambda: False) -> Path:
    """The interpreter of an environment, which is made when it is missing.

    `say` gets lines of progress, on this thread; `cancelled` is asked a few times a second. Raises RunnerUnavailable.
    """
    environment = ENVIRONMENTS[name]
    if environment.ready:
        return environment.python
    interpreters_dir().mkdir(parents=True, exist_ok=True)
    with _alone(environment, say, cancelled) as lock:
        if not environment.ready:  # else whoever had the lock has made it
            _make(environment, say, cancelled, lock)
    return environment.python


@contextmanager
def _alone(environment: Environment, say: Say, cancelled: Callable[[], bool]) -> Iterator[int]:
    """Hold the lock of this environment: its descriptor.

    pip inherits it, so the lock is free when the last process that writes there is gone, however they end.
    """
    with (interpreters_dir() / f".{environment.name}.lock").open("w") as handle:
        waiting = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    say(f"runner environment {environment.name}: somebody is making it; waiting")
                waiting = True
                _check(cancelled)
                time.sleep(_POLL)
        yield handle.fileno()


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise RunnerUnavailable("stopped while its runner environment was being made")


def _make(environment: Environment, say: Say, cancelled: Callable[[], bool], lock: int) -> None:
    began = time.monotonic()
    say(f"runner environment {environment.name}: making it, once ({environment.size} on disk, some minutes)")
    part = interpreters_dir() / f".{environment.name}.part"
    shutil.rmtree(part, ignore_errors=True)  # of a maker that was killed: pip may have left half a package
    pip = _Pip(environment, part, say, cancelled, lock)
    pip.run([sys.executable, "-m", "venv", str(part)])
    pip.install("--require-hashes", "-r", str(programs_dir() / environment.requirements))
    for package in environment.unhashed:
        try:
            pip.install("--no-deps", package)
        except RunnerUnavailable:
            if environment.index is None:
                raise
            say(f"runner environment {environment.name}: {package} is not there; looking at {environment.index}")
            pip.install("--no-deps", "--extra-index-url", environment.index, package)
    pip.run([str(part / "bin" / "python"), "-m", "pip", "check"])
    if environment.warm:
        pip.run([str(part / "bin" / "python"), "-c", f"import {environment.warm}"])
    _relocate(part, environment.folder)
    (part / _MARKER).write_text(environment.digest() + "\n")
    shutil.rmtree(environment.folder, ignore_errors=True)
    part.rename(environment.folder)
    shutil.rmtree(pip.cache, ignore_errors=True)
    say(f"runner environment {environment.name}: ready after {time.monotonic() - began:.0f} s")


def _relocate(part: Path, folder: Path) -> None:
    """The scripts name their interpreter by its path, which is about to change."""
    before, after = str(part).encode(), str(folder).encode()
    for script in (part / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            if before in content:
                script.write_bytes(content.replace(before, after))


class _Pip:
    """Runs what makes one environment, with its progress and its errors."""

    def __init__(
        self, environment: Environment, part: Path, say: Say, cancelled: Callable[[], bool], lock: int
    ) -> None:
        self._lock = lock
        self._name = environment.name
        self._part = part
        self._say = say
        self._cancelled = cancelled
        #: of this environment alone, and kept when something goes wrong: the next try downloads what is missing
        self.cache = interpreters_dir() / f".{environment.name}.cache"

    def install(self, *arguments: str) -> None:
        """`pip install ...`. Raises RunnerUnavailable."""
        options = ["--disable-pip-version-check", "--no-input", "--no-compile", "--progress-bar", "off"]
        options += ["--cache-dir", str(self.cache)]
        self.run([str(self._part / "bin" / "python"), "-m", "pip", "install", *options, *arguments])

    def run(self, command: Sequence[str]) -> None:
        """Run a command to its end. Raises RunnerUnavailable with its last lines when it fails."""
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        process = subprocess.Popen(
            list(command),
            env=pip_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=[self._lock],
            start_new_session=True,  # with all that it starts, it is ended as one
        )
        reader = threading.Thread(target=_pump, args=(process, lines), daemon=True)
        reader.start()
        tail: deque[str] = deque(maxlen=6)
        try:
            self._follow(lines, tail)
        except BaseException:  # stopped or interrupted: nothing goes on without whoever wanted it
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            code = process.wait()
            reader.join()
        if code:
            last = "\n".join(tail)
            raise RunnerUnavailable(f"the runner environment {self._name} could not be made. The last lines:\n{last}")

    def _follow(self, lines: "queue.SimpleQueue[str | None]", tail: "deque[str]") -> None:
        """Pass on what is worth telling until the output ends."""
        began = told = time.monotonic()
        while True:
            _check(self._cancelled)
            try:
                line = lines.get(timeout=_POLL)
            except queue.Empty:
                if time.monotonic() - told > _HEARTBEAT:
                    told = time.monotonic()
                    self._say(f"runner environment {self._name}: {told - began:.0f} s, {self._megabytes()} MB so far")
                continue
            if line is None:
                return
            if line:
                tail.append(line)
            if line.startswith(_TOLD):
                told = time.monotonic()
                self._say(f"runner environment {self._name}: {line[:120]}")

    def _megabytes(self) -> int:
        size = 0
        for root in (self._part, self.cache):
            for folder, _, files in os.walk(root):  # which passes over folders that pip takes away meanwhile
                for name in files:
                    with contextlib.suppress(OSError):  # as above
                        size += Path(folder, name).lstat().st_size
        return size >> 20


def _pump(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    if process.stdout is not None:
        with process.stdout as output:
            for line in output:
                lines.put(line.strip())
    lines.put(None)
