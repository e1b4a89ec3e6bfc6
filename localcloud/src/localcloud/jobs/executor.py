"""Run training and processing jobs: S3 in, process, S3 out, under the job's own role."""

from collections.abc import Callable

from localcloud.jobs.spec import InputSpec, JobOutcome, JobSpec, OutputSpec

__all__ = ["InputSpec", "JobHandle", "JobOutcome", "JobSpec", "OutputSpec", "start_job"]

StatusCallback = Callable[[str, str], None]
DoneCallback = Callable[[JobOutcome], None]


class JobHandle:
    """A job that is queued, running or finished."""

    def stop(self) -> None:
        """Ask the job to stop; returns at once, `on_done` follows with status Stopped."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> JobOutcome | None:
        """Block until the outcome is known; None when `timeout` seconds pass first."""
        raise NotImplementedError


def start_job(spec: JobSpec, on_status: StatusCallback, on_done: DoneCallback) -> JobHandle:
    """Start a job on its own thread.

    `on_status(secondary status, message)` is called on that thread: Starting, Downloading, Training
    (Processing for a processing job), Uploading, then `on_done(outcome)` exactly once.
    """
    raise NotImplementedError
