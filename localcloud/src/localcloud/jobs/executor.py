"""Run training and processing jobs: S3 in, processes, S3 out, under the job's own role.

Everything a job does to AWS goes over HTTP with its role's credentials, so a missing permission fails the job
here as it would on AWS. Secondary statuses and their order: CreateTrainingJob, SecondaryStatusTransitions. A job has
one process for each of its hosts (`host`, `cluster`); `results` is what it comes to.
"""

import logging
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from localcloud.jobs import (
    cluster,
    environment,
    images,
    layout,
    metric_files,
    metrics,
    private_python,
    results,
    runner_environments,
)
from localcloud.jobs.aws import RoleClients
from localcloud.jobs.host import Host
from localcloud.jobs.platform import Platform, RoleUnusable, server
from localcloud.jobs.sandbox import SandboxedProcess
from localcloud.jobs.spec import InputSpec, JobOutcome, JobSpec, OutputSpec
from localcloud.jobs.transfer import Transfer, TransferFailed

__all__ = ["InputSpec", "JobHandle", "JobOutcome", "JobSpec", "OutputSpec", "start_job"]

StatusCallback = Callable[[str, str], None]
DoneCallback = Callable[[JobOutcome], None]

logger = logging.getLogger("localcloud.jobs")

#: real seconds between two looks at what a running job should do
_LOOK = 0.2
_slots = threading.BoundedSemaphore(environment.slots())


class _Failed(Exception):
    """The job ends as Failed; the text is its FailureReason."""


class _Stopped(Exception):
    """StopTrainingJob or StopProcessingJob came before the process started."""


class JobHandle:
    """A job that is queued, running or finished."""

    def __init__(self, spec: JobSpec, on_status: StatusCallback, on_done: DoneCallback, platform: Platform) -> None:
        self._spec = spec
        self._on_status = on_status
        self._on_done = on_done
        self._platform = platform
        self._stopping = threading.Event()
        self._interruption = _Interruption()
        self._finished = threading.Event()
        self._outcome: JobOutcome | None = None
        self._notes: list[str] = []
        self._told: list[str] = []  # before there is a log to write it to
        self._thread = threading.Thread(target=self._run, name=f"job-{spec.name}", daemon=True)

    def stop(self) -> None:
        """Ask the job to stop; returns at once, `on_done` follows with status Stopped."""
        self._stopping.set()

    def interrupt(self, line: str | None = None) -> None:
        """Take a spot job's instances away, now or when it prints a line in which this expression is found.

        `on_done` follows with status Interrupted, unless the job ends before.
        """
        self._interruption.expect(line)

    def wait(self, timeout: float | None = None) -> JobOutcome | None:
        """Block until the outcome is known; None when `timeout` seconds pass first."""
        self._finished.wait(timeout)
        return self._outcome

    def begin(self) -> None:
        """Start the job's thread; called once, by start_job."""
        self._thread.start()

    def _run(self) -> None:
        self._on_status("Starting", "Preparing the instances for training")
        while not _slots.acquire(timeout=0.2):
            if self._stopping.is_set():
                return self._end(JobOutcome("Stopped", secondary_status="Stopped"))
        began = time.monotonic()
        try:
            outcome = self._attempt()
        except (_Failed, RoleUnusable, images.UnknownImage, images.ImagePullDenied) as error:
            reason = str(error) if isinstance(error, _Failed) else f"ClientError: {error}"
            outcome = JobOutcome("Failed", failure_reason=reason, secondary_status="Failed")
        except _Stopped:
            outcome = JobOutcome("Stopped", secondary_status="Stopped")
        except Exception as error:  # a job must end whatever happens here; AWS calls its own faults this as well
            logger.exception("job %s", self._spec.name)
            outcome = JobOutcome("Failed", failure_reason=f"InternalServerError: {error}", secondary_status="Failed")
        finally:
            _slots.release()
        outcome.seconds_running = time.monotonic() - began
        return self._end(outcome)

    def _end(self, outcome: JobOutcome) -> None:
        outcome.notes = self._notes
        if outcome.failure_reason is not None:
            outcome.failure_reason = outcome.failure_reason[: results.REASON_LENGTH]
        self._outcome = outcome
        try:
            self._on_done(outcome)
        finally:
            self._finished.set()

    def _attempt(self) -> JobOutcome:
        spec = self._spec
        runner = images.resolve(spec.image)
        command = self._command(runner)
        credentials = self._platform.role_credentials(spec.role_arn)
        images.check_pull(spec.image, spec.role_arn, self._platform)
        self._make_environment(runner)
        clients = RoleClients(credentials, spec.region, self._platform.endpoint_url())
        transfer = Transfer(clients, spec.role_arn)
        variables = environment.build(
            runner,
            spec.environment,
            region=spec.region,
            credentials=None if spec.network_isolation else credentials,
            endpoint_url=None if spec.network_isolation else self._platform.endpoint_url(),
            facts=self._facts(),
        )
        hosts_file = cluster.hosts_file(spec.instance_count, spec.network_isolation)
        hosts = [Host(spec, number, name, hosts_file) for number, name in enumerate(cluster.names(spec.instance_count))]
        try:
            for host in hosts:
                private_python.create(host.directory, runner.python)
            self._download(transfer, hosts)
            verb, message = (
                ("Training", "Training image download completed. Training in progress.")
                if spec.kind == "training"
                else ("Processing", "Processing in progress.")
            )
            self._check_stop()
            self._on_status(verb, message)
            scanner = metrics.MetricScanner(spec.metric_definitions or runner.metric_definitions)
            self._interruption.then = scanner
            programs = [host.program(command, variables, runner.visible) for host in hosts]
            started = cluster.start([(host.directory, each) for host, each in zip(hosts, programs, strict=True)])
            self._interruption.processes = started
            for host, process in zip(hosts, started, strict=True):
                host.attach(process, clients, self._interruption, self._platform.now, self._told)
            cut_short, failed = self._watch(hosts)
            self._notes += [f"logs: {host.logs_denied}" for host in hosts if host.logs_denied]
            self._publish(clients, scanner)
            self._deliver(clients, hosts)
            outcome = results.conclude(runner, hosts, cut_short, failed)
            outcome.metrics = scanner.values
            self._upload(transfer, hosts, outcome)
            return outcome
        finally:
            for host in hosts:
                host.remove()

    def _make_environment(self, runner: images.Runner) -> None:
        """What pulling a large image is on AWS: the first job that needs an environment makes it."""
        try:
            runner_environments.ensure(runner.environment, self._say, self._stopping.is_set)
        except runner_environments.RunnerUnavailable as error:
            self._check_stop()
            raise _Failed(f"InternalServerError: [localcloud] {error}") from error

    def _say(self, line: str) -> None:
        logger.info("job %s: %s", self._spec.name, line)
        self._told.append(f"[localcloud] {line}")

    def _command(self, runner: images.Runner) -> list[str]:
        """ContainerEntrypoint and ContainerArguments replace the image's own, exactly as in Docker."""
        spec = self._spec
        if spec.entrypoint:
            return [*spec.entrypoint, *spec.arguments]
        own = runner.train_command if spec.kind == "training" else runner.process_command
        if own:
            return [*own, *spec.arguments]
        raise _Failed(
            f"ClientError: the image {spec.image} has no program of its own here: ContainerEntrypoint is required"
        )

    def _facts(self) -> dict[str, str]:
        if self._spec.kind == "training":
            return {"TRAINING_JOB_NAME": self._spec.name, "TRAINING_JOB_ARN": self._spec.arn}
        return {}

    def _check_stop(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _download(self, transfer: Transfer, hosts: Sequence[Host]) -> None:
        self._on_status("Downloading", "Downloading input data")
        try:
            for host in hosts:
                host.download(transfer, self._check_stop)
        except layout.BadLayout as error:
            raise _Failed(f"ClientError: {error}") from error
        except TransferFailed as error:
            prefix = "Data download failed:" if self._spec.kind == "training" else ""
            raise _Failed(f"ClientError: {prefix}{error}") from error

    def _watch(self, hosts: Sequence[Host]) -> tuple[str | None, Host | None]:
        """Until no host runs: (why all were ended before they were done, the host that failed first).

        A host that fails takes the others along: they are told to stop ([I] a cluster is of no use without one).
        """
        began = time.monotonic()
        running = list(hosts)
        cut_short: str | None = None
        failed: Host | None = None
        while running:
            try:
                running[0].process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                cut_short = self._reason_to_end(time.monotonic() - began)
            if self._interruption.due:  # also when it ended before anybody looked
                cut_short = cut_short or "Interrupted"
            for host in [each for each in running if not each.process.running]:
                host.code = host.process.wait()
                host.finish()
                running.remove(host)
                failed = failed or (host if host.code else None)
            if running and (cut_short or failed):
                _end(running)
                break
        return cut_short, failed

    def _reason_to_end(self, seconds: float) -> str | None:
        spec = self._spec
        if self._stopping.is_set():
            return "Stopped"
        if seconds > spec.max_runtime_seconds:
            return "MaxRuntimeExceeded"
        if spec.max_wait_seconds is not None and seconds > spec.max_wait_seconds:
            return "MaxWaitTimeExceeded"
        return None

    def _publish(self, clients: RoleClients, scanner: metrics.MetricScanner) -> None:
        refused = metrics.publish(clients.cloudwatch, self._spec.name, scanner.values)
        if refused:
            self._notes.append(refused)

    def _deliver(self, clients: RoleClients, hosts: Sequence[Host]) -> None:
        """The metrics that a processing job left in files."""
        if self._spec.kind == "processing":
            folders = [host.directory.ml for host in hosts]
            refused = metric_files.deliver(clients.cloudwatch, folders, metric_files.namespace(self._spec.environment))
            if refused:
                logger.warning("job %s: %s", self._spec.name, refused)
                self._notes.append(refused)

    def _upload(self, transfer: Transfer, hosts: Sequence[Host], outcome: JobOutcome) -> None:
        """Results of a job that was not a failure (a stopped training job keeps what it saved); failures here are
        failures of the job."""
        training = self._spec.kind == "training"
        try:
            for host in hosts:
                host.save_checkpoints()
            if outcome.status == "Interrupted":
                return
            if training and outcome.status != "Failed":
                self._on_status("Uploading", "Uploading generated training model")
                results.upload_training(transfer, self._spec, hosts, outcome)
            elif not training:
                results.upload_processing(transfer, self._spec, hosts, outcome.status == "Completed")
        except TransferFailed as error:
            if outcome.status != "Failed":
                prefix = "Artifact upload failed:" if training else "Failed to upload output. "
                outcome.status, outcome.secondary_status = "Failed", "Failed"
                outcome.failure_reason = f"ClientError: {prefix}{error}"


class _Interruption:
    """Listens to all that a job prints, for the line at which its instances are to be taken away."""

    def __init__(self) -> None:
        self._due = threading.Event()
        self._line: re.Pattern[str] | None = None
        self.then: metrics.MetricScanner | None = None
        """Who else listens."""
        self.processes: Sequence[SandboxedProcess] = ()
        """What runs on the instances; told to stop in the moment that the line is read, not when somebody looks."""

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return self._due.is_set()

    def expect(self, line: str | None) -> None:
        """Now, or at the next line in which this expression is found."""
        self._line = re.compile(line) if line is not None else None
        if line is None:
            self._due.set()

    def feed(self, line: str, now: float) -> None:
        """One line of any host."""
        if self._line and not self.due and self._line.search(line):
            self._due.set()
            for process in self.processes:
                process.terminate()
        if self.then:
            self.then.feed(line, now)


def _end(hosts: Sequence[Host]) -> None:
    """SIGTERM to all, the grace period for all at once, SIGKILL to whoever is left."""
    deadline = time.monotonic() + environment.stop_grace()
    for host in hosts:
        host.process.terminate()
    for host in hosts:
        host.code = host.process.stop(max(deadline - time.monotonic(), 0))
        host.finish()


def start_job(
    spec: JobSpec, on_status: StatusCallback, on_done: DoneCallback, platform: Platform | None = None
) -> JobHandle:
    """Start a job on its own thread.

    `on_status(secondary status, message)` is called on that thread: Starting, Downloading, Training
    (Processing for a processing job), Uploading; the last secondary status is in the outcome that
    `on_done(outcome)` gets exactly once. `platform` is the server that runs this, unless a test brings another.
    """
    handle = JobHandle(spec, on_status, on_done, platform or server())
    handle.begin()
    return handle
