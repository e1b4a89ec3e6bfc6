"""Run training and processing jobs: S3 in, process, S3 out, under the job's own role.

Everything a job does to AWS goes over HTTP with its role's credentials, so a missing permission fails the job
here as it would on AWS. Secondary statuses and their order: CreateTrainingJob, SecondaryStatusTransitions.
"""

import logging
import subprocess
import threading
import time
from collections.abc import Callable

from localcloud.jobs import environment, images, layout, metrics, sandbox
from localcloud.jobs.aws import RoleClients
from localcloud.jobs.checkpoints import CheckpointSync
from localcloud.jobs.log_shipper import LogShipper
from localcloud.jobs.output import OutputReader
from localcloud.jobs.platform import Platform, RoleUnusable, server
from localcloud.jobs.spec import InputSpec, JobOutcome, JobSpec, OutputSpec
from localcloud.jobs.transfer import S3Uri, Transfer, TransferFailed, make_archive

__all__ = ["InputSpec", "JobHandle", "JobOutcome", "JobSpec", "OutputSpec", "start_job"]

StatusCallback = Callable[[str, str], None]
DoneCallback = Callable[[JobOutcome], None]

logger = logging.getLogger("localcloud.jobs")

#: longest FailureReason, characters, and longest ExitMessage, bytes (API reference)
_REASON_LENGTH = 1024
_GROUPS = {"training": "/aws/sagemaker/TrainingJobs", "processing": "/aws/sagemaker/ProcessingJobs"}
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
        self._finished = threading.Event()
        self._outcome: JobOutcome | None = None
        self._notes: list[str] = []
        self._thread = threading.Thread(target=self._run, name=f"job-{spec.name}", daemon=True)

    def stop(self) -> None:
        """Ask the job to stop; returns at once, `on_done` follows with status Stopped."""
        self._stopping.set()

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
            outcome.failure_reason = outcome.failure_reason[:_REASON_LENGTH]
        self._outcome = outcome
        try:
            self._on_done(outcome)
        finally:
            self._finished.set()

    def _attempt(self) -> JobOutcome:
        spec = self._spec
        if spec.instance_count != 1:
            raise _Failed(f"ClientError: localcloud runs jobs on one instance, not {spec.instance_count}")
        runner = images.resolve(spec.image)
        command = self._command(runner)
        credentials = self._platform.role_credentials(spec.role_arn)
        images.check_pull(spec.image, spec.role_arn, self._platform)
        clients = RoleClients(credentials, spec.region, self._platform.endpoint_url())
        transfer = Transfer(clients, spec.role_arn)
        directory = sandbox.JobDirectory.create(spec.name)
        try:
            checkpoints = self._download(transfer, directory)
            program = sandbox.Program(
                command,
                environment.build(
                    runner,
                    spec.environment,
                    region=spec.region,
                    credentials=None if spec.network_isolation else credentials,
                    endpoint_url=None if spec.network_isolation else self._platform.endpoint_url(),
                    facts=self._facts(),
                ),
                visible=runner.visible,
                network_isolation=spec.network_isolation,
            )
            verb, message = (
                ("Training", "Training image download completed. Training in progress.")
                if spec.kind == "training"
                else ("Processing", "Processing in progress.")
            )
            self._check_stop()
            self._on_status(verb, message)
            scanner = metrics.MetricScanner(spec.metric_definitions or runner.metric_definitions)
            code, cut_short = self._execute(directory, program, clients, scanner, checkpoints)
            self._publish(clients, scanner)
            outcome = self._conclude(runner, directory, code, cut_short)
            outcome.metrics, outcome.exit_code = scanner.values, code
            self._upload(transfer, directory, checkpoints, outcome)
            return outcome
        finally:
            directory.remove()

    def _command(self, runner: images.Runner) -> list[str]:
        """ContainerEntrypoint and ContainerArguments replace the image's own, exactly as in Docker."""
        spec = self._spec
        if spec.entrypoint:
            return [*spec.entrypoint, *spec.arguments]
        if spec.kind == "training" and runner.train_command:
            return [*runner.train_command, *spec.arguments]
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

    def _download(self, transfer: Transfer, directory: sandbox.JobDirectory) -> CheckpointSync | None:
        spec = self._spec
        self._on_status("Downloading", "Downloading input data")
        checkpoints = None
        try:
            layout.prepare(spec, directory)
            for source in spec.inputs:
                self._check_stop()
                path = layout.input_path(spec, source.name, source.local_path)
                transfer.download_input(source, directory.path(path))
            local = layout.checkpoint_path(spec)
            if spec.checkpoint and local:
                checkpoints = CheckpointSync(transfer, spec.checkpoint[0], directory.path(local))
                checkpoints.restore()
        except layout.BadLayout as error:
            raise _Failed(f"ClientError: {error}") from error
        except TransferFailed as error:
            prefix = "Data download failed:" if spec.kind == "training" else ""
            raise _Failed(f"ClientError: {prefix}{error}") from error
        return checkpoints

    def _execute(
        self,
        directory: sandbox.JobDirectory,
        program: sandbox.Program,
        clients: RoleClients,
        scanner: metrics.MetricScanner,
        checkpoints: CheckpointSync | None,
    ) -> tuple[int, str | None]:
        """(exit code, None | Stopped | MaxRuntimeExceeded)."""
        spec = self._spec
        now = self._platform.now
        shipper = LogShipper(clients.logs, _GROUPS[spec.kind], f"{spec.name}/{layout.HOST}-{int(now())}", now)
        process = sandbox.start(directory, program)
        reader = OutputReader(process.output, shipper, scanner, now)
        if checkpoints:
            checkpoints.start()
        deadline = time.monotonic() + spec.max_runtime_seconds
        cut_short = None
        try:
            while True:
                try:
                    code = process.wait(0.2)
                    break
                except subprocess.TimeoutExpired:
                    if self._stopping.is_set():
                        cut_short = "Stopped"
                    elif time.monotonic() > deadline:
                        cut_short = "MaxRuntimeExceeded"
                    if cut_short:
                        code = process.stop(environment.stop_grace())
                        break
            reader.finish()
        finally:
            process.close()
        if shipper.denied:
            self._notes.append(f"logs: {shipper.denied}")
        return code, cut_short

    def _publish(self, clients: RoleClients, scanner: metrics.MetricScanner) -> None:
        refused = metrics.publish(clients.cloudwatch, self._spec.name, scanner.values)
        if refused:
            self._notes.append(refused)

    def _conclude(
        self, runner: images.Runner, directory: sandbox.JobDirectory, code: int, cut_short: str | None
    ) -> JobOutcome:
        """What the exit code and the files that the job left say."""
        output = directory.ml / "output"
        outcome = JobOutcome("Completed", secondary_status="Completed")
        message = output / "message"
        if self._spec.kind == "processing" and message.is_file():
            try:
                whole = message.read_bytes().decode()
                outcome.exit_message = whole.encode()[:_REASON_LENGTH].decode(errors="ignore")
            except UnicodeDecodeError:
                return JobOutcome(
                    "Failed",
                    failure_reason="AlgorithmError: /opt/ml/output/message is not UTF-8",
                    secondary_status="Failed",
                )
        if cut_short:
            outcome.status, outcome.secondary_status = "Stopped", cut_short
        elif code != 0:
            failure = output / "failure"
            text = failure.read_text(errors="replace") if failure.is_file() else ""
            if not text and self._spec.kind == "processing":
                text = "See job logs for more information"
            blame = "ClientError" if code == runner.customer_error_exit_code else "AlgorithmError"
            outcome.status, outcome.secondary_status = "Failed", "Failed"
            end = f", exit code: {code}"
            outcome.failure_reason = f"{blame}: {text}"[: _REASON_LENGTH - len(end)] + end
        return outcome

    def _upload(
        self,
        transfer: Transfer,
        directory: sandbox.JobDirectory,
        checkpoints: CheckpointSync | None,
        outcome: JobOutcome,
    ) -> None:
        """Results of a job that was not a failure (a stopped training job keeps what it saved); failures here are
        failures of the job."""
        try:
            if checkpoints:
                checkpoints.finish()
            if self._spec.kind == "training" and outcome.status != "Failed":
                self._on_status("Uploading", "Uploading generated training model")
                self._upload_training(transfer, directory, outcome)
            elif self._spec.kind == "processing":
                for target in self._spec.outputs:
                    if outcome.status == "Completed" or target.upload_mode == "Continuous":
                        transfer.upload_directory(directory.path(target.local_path), target.s3_uri)
        except TransferFailed as error:
            if outcome.status != "Failed":
                prefix = "Artifact upload failed:" if self._spec.kind == "training" else "Failed to upload output. "
                outcome.status, outcome.secondary_status = "Failed", "Failed"
                outcome.failure_reason = f"ClientError: {prefix}{error}"

    def _upload_training(self, transfer: Transfer, directory: sandbox.JobDirectory, outcome: JobOutcome) -> None:
        base = S3Uri.parse(self._spec.output_s3).child(f"{self._spec.name}/output")
        for name, folder in (("model", directory.ml / "model"), ("output", directory.ml / "output" / "data")):
            archive = directory.root / f"{name}.tar.gz"
            if make_archive(folder, archive):
                target = base.child(archive.name)
                transfer.upload(archive, target)
                if name == "model":
                    outcome.artifact_uri = str(target)
                else:
                    outcome.output_uri = str(target)


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
