"""One host of a job: its directory, its data, its process, what it prints and its checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from localcloud.jobs import layout
from localcloud.jobs.aws import RoleClients
from localcloud.jobs.checkpoints import CheckpointSync
from localcloud.jobs.log_shipper import LogShipper
from localcloud.jobs.output import Listener, OutputReader
from localcloud.jobs.sandbox import JobDirectory, Program, SandboxedProcess
from localcloud.jobs.spec import JobSpec
from localcloud.jobs.transfer import Transfer

_GROUPS = {"training": "/aws/sagemaker/TrainingJobs", "processing": "/aws/sagemaker/ProcessingJobs"}


class Host:
    """Use: ``download``, ``program`` and ``attach`` (``cluster.start`` between the two), ``finish``, ``remove``."""

    def __init__(self, spec: JobSpec, number: int, name: str, hosts_file: str) -> None:
        """``number`` counts from 0. Makes the directory."""
        self.spec = spec
        self.number = number
        self.name = name
        self.directory = JobDirectory.create(spec.name, hosts_file)
        self.code: int | None = None
        """The exit code; None until it ended."""
        self.logs_denied: str | None = None
        """Why its logs are lost."""
        self._checkpoints: CheckpointSync | None = None
        self._process: SandboxedProcess | None = None
        self._reader: OutputReader | None = None
        self._shipper: LogShipper | None = None

    def download(self, transfer: Transfer, check_stop: Callable[[], None]) -> None:
        """Configuration, data, and the checkpoints of an earlier run. Raises BadLayout, TransferFailed."""
        spec = self.spec
        layout.prepare(spec, self.directory, self.name)
        for source in spec.inputs:
            check_stop()
            path = layout.input_path(spec, source.name, source.local_path)
            transfer.download_input(source, self.directory.path(path), (self.number, spec.instance_count))
        local = layout.checkpoint_path(spec)
        if spec.checkpoint and local:
            self._checkpoints = CheckpointSync(transfer, spec.checkpoint[0], self.directory.path(local))
            self._checkpoints.restore()

    def program(self, command: list[str], environment: Mapping[str, str], visible: Sequence[Path]) -> Program:
        """What runs on it."""
        return Program(
            command,
            environment,
            visible=visible,
            read_only=layout.read_only(self.spec),
            network_isolation=self.spec.network_isolation,
            hostname=self.name,
        )

    def attach(
        self,
        process: SandboxedProcess,
        clients: RoleClients,
        listener: Listener,
        now: Callable[[], float],
        told: Sequence[str] = (),
    ) -> None:
        """Its process has started: read what it prints and follow its checkpoints.

        ``told`` are the first lines of its log: what happened before there was one.
        """
        self._process = process
        stream = f"{self.spec.name}/{self.name}-{int(now())}"
        self._shipper = LogShipper(clients.logs, _GROUPS[self.spec.kind], stream, now)
        for line in told:
            self._shipper.write(line)
        self._reader = OutputReader(process.output, self._shipper, listener, now)
        if self._checkpoints:
            self._checkpoints.start()

    @property
    def process(self) -> SandboxedProcess:
        """The process; only after ``attach``."""
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._process

    def finish(self) -> None:
        """The process has ended: read and ship the rest of what it printed."""
        if self._reader and self._shipper:
            self._reader.finish()
            self.logs_denied = self._shipper.denied

    def save_checkpoints(self) -> None:
        """Upload the last changes. Raises TransferFailed, also for an earlier upload that failed."""
        if self._checkpoints:
            self._checkpoints.finish()

    def remove(self) -> None:
        """End what still runs and delete everything."""
        with ExitStack() as stack:
            stack.callback(self.directory.remove)
            if self._checkpoints:
                stack.callback(self._checkpoints.abandon)
            if self._process:
                stack.callback(self._process.close)
