"""Kinds of SageMaker job behind one face: name, start, look at, stop, list. Tuning jobs have a module of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class JobState:
    """One look at a job. ``status`` is InProgress, Completed, Failed, Stopping or Stopped.

    ``best`` is the training job of a tuning job whose artifact this is, ``objective`` what it reached, in words.
    """

    name: str
    status: str
    detail: str = ""
    reason: str = ""
    artifact: str = ""
    best: str = ""
    objective: str = ""

    @property
    def busy(self) -> bool:
        """Whether it still runs, or is on its way to a stop."""
        return self.status in {"InProgress", "Stopping"}


class Jobs(ABC):
    """The jobs of one kind. ``word`` names the kind in messages, ``log_group`` is where SageMaker logs them."""

    word: str
    log_group: str

    def __init__(self, sagemaker: Any) -> None:
        """Take a client of SageMaker."""
        self.sagemaker = sagemaker

    def prefix(self, properties: dict[str, Any]) -> str:
        """Return what the names of all jobs of the workload begin with, in every stack that ever held it."""
        return str(properties["JobPrefix"])

    def base(self, properties: dict[str, Any], fingerprint: str) -> str:
        """Return what the names of the fingerprint's jobs in this stack begin with; nothing or a dash follows."""
        return f"{properties['JobPrefix']}-{fingerprint[:8]}-{properties['StackPart']}"

    def name(self, properties: dict[str, Any], attempt: int) -> str:
        """Return the name of the fingerprint's n-th job in this stack, at most 63 characters by the rules of names."""
        base = self.base(properties, properties["Fingerprint"])
        return base if attempt == 1 else f"{base}-{attempt}"

    def of_the_stack(self, properties: dict[str, Any], name: str) -> bool:
        """Say whether a job with the workload's prefix is one of this stack's."""
        return f"-{properties['StackPart']}" in name

    def suspect(self, state: JobState) -> JobState:
        """Return the job whose log tells why this one did not complete: itself. Raises ClientError."""
        return state

    @abstractmethod
    def create(self, name: str, request: dict[str, Any]) -> None:
        """Start a job. Raises ClientError."""

    @abstractmethod
    def look(self, name: str) -> JobState:
        """Describe the job. Raises ClientError, also when there is none."""

    @abstractmethod
    def stop(self, name: str) -> None:
        """Ask the job to stop. Raises ClientError."""

    @abstractmethod
    def names(self, part: str, status: str) -> list[str]:
        """Return the names of jobs that contain the text and have the status."""

    def find(self, name: str) -> JobState | None:
        """Describe the job, None when there is none."""
        try:
            return self.look(name)
        except ClientError as error:
            if is_not_found(error):
                return None
            raise

    def busy(self, prefix: str) -> list[str]:
        """Return the names of the jobs with the prefix that run or are being stopped."""
        found = [*self.names(prefix, "InProgress"), *self.names(prefix, "Stopping")]
        return sorted({name for name in found if name.startswith(prefix)})

    def stop_if_running(self, name: str) -> None:
        """Stop the job; that it ended by itself in the meantime is as good."""
        try:
            self.stop(name)
        except ClientError as error:
            if code_of(error) not in {"ValidationException", "ResourceNotFound"}:
                raise
            state = self.find(name)
            if state is not None and state.status == "InProgress":
                raise


class TrainingJobs(Jobs):
    """Training jobs; their artifact is the model archive's address."""

    word = "Training job"
    log_group = "/aws/sagemaker/TrainingJobs"

    def create(self, name: str, request: dict[str, Any]) -> None:
        """See Jobs."""
        self.sagemaker.create_training_job(TrainingJobName=name, **request)

    def look(self, name: str) -> JobState:
        """See Jobs."""
        reply = self.sagemaker.describe_training_job(TrainingJobName=name)
        return JobState(
            name,
            reply["TrainingJobStatus"],
            reply.get("SecondaryStatus", ""),
            reply.get("FailureReason", ""),
            reply.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        )

    def stop(self, name: str) -> None:
        """See Jobs."""
        self.sagemaker.stop_training_job(TrainingJobName=name)

    def names(self, part: str, status: str) -> list[str]:
        """See Jobs."""
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=part, StatusEquals=status)
        return [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]


class ProcessingJobs(Jobs):
    """Processing jobs."""

    word = "Processing job"
    log_group = "/aws/sagemaker/ProcessingJobs"

    def create(self, name: str, request: dict[str, Any]) -> None:
        """See Jobs."""
        self.sagemaker.create_processing_job(ProcessingJobName=name, **request)

    def look(self, name: str) -> JobState:
        """See Jobs."""
        reply = self.sagemaker.describe_processing_job(ProcessingJobName=name)
        return JobState(
            name, reply["ProcessingJobStatus"], reply.get("ExitMessage", ""), reply.get("FailureReason", "")
        )

    def stop(self, name: str) -> None:
        """See Jobs."""
        self.sagemaker.stop_processing_job(ProcessingJobName=name)

    def names(self, part: str, status: str) -> list[str]:
        """See Jobs."""
        pages = self.sagemaker.get_paginator("list_processing_jobs").paginate(NameContains=part, StatusEquals=status)
        return [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]


def is_not_found(error: ClientError) -> bool:
    """Say whether the job does not exist.

    Tuning jobs have a code for this (facts on teardown, 1.13). For the others SageMaker has one code for this and for
    much else, so the text decides.
    """
    text = text_of(error).lower()
    if code_of(error) == "ResourceNotFound":
        return True
    return code_of(error) == "ValidationException" and ("not found" in text or "could not find" in text)
