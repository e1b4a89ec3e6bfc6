"""Run a lifecycle configuration: a shell script that a person's machine runs when it starts.

Studio apps and notebook instances use the same mechanism: bash runs the decoded script in the sandbox of a job, as
the execution role, and its output goes to CloudWatch Logs. What the machine keeps between two starts is a
``JobDirectory``: its home (``$HOME``), its /tmp and its /opt/ml, with /opt/ml/metadata/resource-metadata.json as on
AWS. ``machines.Machines`` keeps one per machine.

    machines = Machines()
    outcome = run(LifecycleScript(text, role_arn, region, group, stream, metadata={...}), machines.of(arn))
    machines.forget(arn)   # the space or the notebook instance was deleted

A script has 5 minutes of real time (a jump of the virtual clock does not end it). Everything that it left running
is ended with it, unless it ``keeps_running``: then its outcome holds what goes on until somebody ends it.
"""

import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.jobs import environment, sandbox
from localcloud.jobs.aws import RoleClients
from localcloud.jobs.log_shipper import LogShipper
from localcloud.jobs.output import OutputReader
from localcloud.jobs.platform import Platform, RoleUnusable, server
from localcloud.settings import functions_python

#: seconds that AWS gives a script (documented for Studio and for notebook instances alike)
LIMIT_SECONDS = 300.0
#: runs a script, says how it ended, and stays with what it started
_STAY = 'bash "$1"; echo $? >"$2"; exec sleep infinity'
#: how often a running script is looked at, seconds
_POLL = 0.1


@dataclass(frozen=True)
class LifecycleScript:
    """One run of one script."""

    text: str
    """The decoded script."""
    role_arn: str
    """The machine's execution role."""
    region: str
    log_group: str
    log_stream: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to (and winning over) the credentials, the endpoint, PATH and HOME."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What /opt/ml/metadata/resource-metadata.json holds: ResourceArn, ResourceName, DomainId..."""
    limit_seconds: float = LIMIT_SECONDS
    session: Mapping[str, str] = field(default_factory=dict)
    """Condition keys of the role's session, for whoever makes the credentials."""
    keeps_running: bool = False
    """What it starts in the background goes on after it, until its machine ends; else it is ended with it."""
    home: str = ""
    """Where the home directory is seen too: /home/ec2-user. Empty: nowhere else."""


@dataclass(frozen=True)
class ScriptOutcome:
    """How a run ended."""

    exit_code: int | None
    """None: it did not end by itself, or never began."""
    problem: str = ""
    """Why it counts as failed, in a sentence; empty when it did not."""
    tail: str = ""
    """The last lines that it printed."""
    left: "Left | None" = None
    """What goes on running after it, of a script that may leave something."""
    notes: tuple[str, ...] = ()
    """What went missing without failing it: logs that the role may not write."""

    @property
    def succeeded(self) -> bool:
        """It ended by itself, in time, with exit code 0."""
        return not self.problem


@dataclass
class Left:
    """What a script left running on its machine: it goes on until it is ended."""

    process: sandbox.SandboxedProcess
    reader: OutputReader

    def end(self) -> None:
        """Kill it all; what it printed is in the log. Safe to call twice."""
        self.process.kill()
        self.process.close()
        self.reader.finish()


def run(
    script: LifecycleScript,
    directory: sandbox.JobDirectory,
    cancelled: threading.Event | None = None,
    platform: Platform | None = None,
    credentials: Mapping[str, str] | None = None,
) -> ScriptOutcome:
    """Run a script to its end; blocks for up to its limit. Never raises for what the script or its role does.

    ``cancelled`` ends it early (a reset). ``platform`` is the server that runs this, unless a test brings another;
    ``credentials`` are the role's own unless the caller has made others.
    """
    here = platform or server()
    bash = shutil.which("bash")
    if bash is None:
        return ScriptOutcome(None, "[localcloud] lifecycle scripts need bash, which this machine does not have")
    try:
        acting = credentials or here.role_credentials(script.role_arn)
    except RoleUnusable as error:
        return ScriptOutcome(None, str(error))
    _write_metadata(directory, script)
    # a name of its own: bash reads a script while it runs it, and a machine may start two at a time
    with tempfile.NamedTemporaryFile("w", dir=directory.ml, prefix="lifecycle-", suffix=".sh", delete=False) as file:
        file.write(_text(script, directory))
    inside, ending = f"{sandbox.BASE}/{Path(file.name).name}", Path(f"{file.name}.ending")
    logs = RoleClients(acting, script.region, here.endpoint_url()).logs
    shipper = LogShipper(logs, script.log_group, script.log_stream, here.now)
    program = sandbox.Program(
        [bash, "-c", _STAY, "machine", inside, f"{inside}.ending"] if script.keeps_running else [bash, inside],
        _environment(script, acting, here.endpoint_url()),
        visible=_python_directories(),
        homes=[script.home] if script.home else [],
    )
    process = sandbox.start(directory, program)
    reader = OutputReader(process.output, shipper, None, here.now)
    left: Left | None = Left(process, reader)
    try:
        code, problem = _wait(process, ending, script.limit_seconds, cancelled or threading.Event())
        if problem or not script.keeps_running:
            left = None
            process.kill()
            reader.finish()
    except BaseException:
        left = None
        raise
    finally:
        if left is None:
            process.close()
        Path(file.name).unlink(missing_ok=True)
        ending.unlink(missing_ok=True)
    notes = (f"logs: {shipper.denied}",) if shipper.denied else ()
    return ScriptOutcome(code, problem, reader.tail(5), left, notes)


def _wait(
    process: sandbox.SandboxedProcess, ending: Path, limit: float, cancelled: threading.Event
) -> tuple[int | None, str]:
    """(exit code, what is wrong with it), once the process has ended or the script has written its ending."""
    deadline = time.monotonic() + limit
    while True:
        try:
            code: int | None = process.wait(_POLL)
        except subprocess.TimeoutExpired:
            code = _ending(ending)
        if code is not None:
            return code, f"it ended with exit code {code}" if code else ""
        if time.monotonic() > deadline or cancelled.is_set():
            process.kill()
            process.wait()
            return None, "it was cancelled" if cancelled.is_set() else f"it ran for more than {limit:.0f} seconds"


def _ending(file: Path) -> int | None:
    """The exit code that a script which stays has written; None: not yet."""
    written = file.read_text().strip() if file.exists() else ""
    return int(written) if written else None


def _text(script: LifecycleScript, directory: sandbox.JobDirectory) -> str:
    """The script; where there is no private view, with the home directory's real place instead of its own name."""
    if script.home and sandbox.capabilities().mode == "none":
        return script.text.replace(script.home, str(directory.home))
    return script.text


def _write_metadata(directory: sandbox.JobDirectory, script: LifecycleScript) -> None:
    folder = directory.ml / "metadata"
    folder.mkdir(exist_ok=True)
    (folder / "resource-metadata.json").write_text(json.dumps(dict(script.metadata)))


def _environment(script: LifecycleScript, credentials: Mapping[str, str], endpoint_url: str) -> dict[str, str]:
    return {
        **environment.base(functions_python()),
        **environment.aws(script.region, credentials, endpoint_url),
        **({"HOME": script.home} if script.home else {}),
        **script.environment,
    }


def _python_directories() -> list[Path]:
    """What the interpreter on PATH is made of; it stays visible when it lives under /tmp."""
    python = functions_python()
    return [python.parent.parent.resolve(), python.resolve().parent.parent]
