"""What a job comes to: its outcome from exit codes and files, and its results in S3."""

from collections.abc import Sequence
from pathlib import Path

from localcloud.jobs import transfer
from localcloud.jobs.host import Host
from localcloud.jobs.images import Runner
from localcloud.jobs.spec import JobOutcome, JobSpec, JobStatus
from localcloud.jobs.transfer import S3Uri, Transfer

#: longest FailureReason, characters, and longest ExitMessage, bytes (API reference)
REASON_LENGTH = 1024
#: why a job was ended before its program was done -> how it ends
CUT_SHORT: dict[str, JobStatus] = {
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "MaxWaitTimeExceeded": "Stopped",
    "Interrupted": "Interrupted",
}


def conclude(runner: Runner, hosts: Sequence[Host], cut_short: str | None, failed: Host | None) -> JobOutcome:
    """What the exit codes and the files that the hosts left say; ``failed`` is the first host that did."""
    kind = hosts[0].spec.kind
    outcome = JobOutcome("Completed", secondary_status="Completed", exit_code=(failed or hosts[0]).code)
    if kind == "processing":
        try:
            outcome.exit_message = _message(hosts)
        except UnicodeDecodeError:
            reason = "AlgorithmError: /opt/ml/output/message is not UTF-8"
            return JobOutcome("Failed", failure_reason=reason, secondary_status="Failed", exit_code=outcome.exit_code)
    if cut_short:
        outcome.status, outcome.secondary_status = CUT_SHORT[cut_short], cut_short
    elif failed:
        failure = failed.directory.ml / "output" / "failure"
        text = failure.read_text(errors="replace") if failure.is_file() else ""
        if not text and kind == "processing":
            text = "See job logs for more information"
        blame = "ClientError" if failed.code == runner.customer_error_exit_code else "AlgorithmError"
        outcome.status, outcome.secondary_status = "Failed", "Failed"
        end = f", exit code: {failed.code}"
        outcome.failure_reason = f"{blame}: {text}"[: REASON_LENGTH - len(end)] + end
    return outcome


def _message(hosts: Sequence[Host]) -> str | None:
    """ExitMessage: what the hosts wrote, one after the other, cut ([B] DescribeProcessingJob)."""
    files = [host.directory.ml / "output" / "message" for host in hosts]
    found = [file.read_bytes().decode() for file in files if file.is_file()]
    return "".join(found).encode()[:REASON_LENGTH].decode(errors="ignore") if found else None


def upload_training(to: Transfer, spec: JobSpec, hosts: Sequence[Host], outcome: JobOutcome) -> None:
    """Model and other output of all hosts, as one archive each or as plain files. Raises TransferFailed."""
    base = S3Uri.parse(spec.output_s3).child(f"{spec.name}/output")
    outcome.artifact_uri = _upload(to, spec, base, "model", [host.directory.ml / "model" for host in hosts])
    outcome.output_uri = _upload(to, spec, base, "output", [host.directory.ml / "output" / "data" for host in hosts])


def _upload(to: Transfer, spec: JobSpec, base: S3Uri, name: str, folders: list[Path]) -> str | None:
    """Where it is now; None when there is nothing."""
    found = transfer.merged(folders)
    if not found:
        return None
    if not spec.compress_output:
        folder = base.child(f"{name}/")
        to.upload_files(found, folder)
        return str(folder)
    archive = folders[0].parent / f".{name}.tar.gz"
    transfer.make_archive(found, archive)
    target = base.child(f"{name}.tar.gz")
    to.upload(archive, target)
    return str(target)


def upload_processing(to: Transfer, spec: JobSpec, hosts: Sequence[Host], completed: bool) -> None:
    """Every output of every host; of two objects with one key that of the host with the lower number stays.

    Raises TransferFailed.
    """
    for target in spec.outputs:
        if completed or target.upload_mode == "Continuous":
            found = transfer.merged(host.directory.path(target.local_path) for host in hosts)
            to.upload_files(found, S3Uri.parse(target.s3_uri))
