"""Tuning jobs: many training jobs, of which the best one's archive is the result."""

from __future__ import annotations

from typing import Any

from job_kinds import Jobs, JobState, TrainingJobs

STACK_DIGITS = 5
"""How much of the stack's text fits: a tuning job's name has 32 characters, so that those of its training jobs, which
SageMaker derives from it, have room."""


class TuningJobs(Jobs):
    """Tuning jobs, named ``sc-<environment 6>-<workload 4>-<fingerprint 8>-<stack 5>-<attempt 2>``."""

    word = "Tuning job"
    log_group = TrainingJobs.log_group

    def prefix(self, properties: dict[str, Any]) -> str:
        """See Jobs."""
        return str(properties["TuningPrefix"])

    def base(self, properties: dict[str, Any], fingerprint: str) -> str:
        """See Jobs."""
        return f"{properties['TuningPrefix']}-{fingerprint[:8]}-{properties['StackPart'][:STACK_DIGITS]}"

    def name(self, properties: dict[str, Any], attempt: int) -> str:
        """See Jobs."""
        return f"{self.base(properties, properties['Fingerprint'])}-{attempt:02d}"

    def of_the_stack(self, properties: dict[str, Any], name: str) -> bool:
        """See Jobs."""
        return f"-{properties['StackPart'][:STACK_DIGITS]}-" in name

    def create(self, name: str, request: dict[str, Any]) -> None:
        """See Jobs."""
        self.sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **request)

    def look(self, name: str) -> JobState:
        """See Jobs. One that completed without any usable training job has failed, too."""
        reply = self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        status, best = reply["HyperParameterTuningJobStatus"], reply.get("BestTrainingJob", {})
        found, detail = best.get("TrainingJobName", ""), _progress(reply)
        reason = reply.get("FailureReason", "")
        if status != "Completed":
            return JobState(name, status, detail, reason, best=found, objective=_objective(best))
        if not found:
            return JobState(name, "Failed", detail, reason or "no training job reported the objective")
        artifact = TrainingJobs(self.sagemaker).look(found).artifact
        return JobState(name, status, detail, reason, artifact, found, _objective(best))

    def suspect(self, state: JobState) -> JobState:
        """Return the first training job that failed, else the tuning job itself."""
        reply = self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=state.name,
            StatusEquals="Failed",
            SortBy="CreationTime",
            SortOrder="Ascending",
            MaxResults=1,
        )
        for job in reply["TrainingJobSummaries"]:
            return JobState(job["TrainingJobName"], job["TrainingJobStatus"], reason=job.get("FailureReason", ""))
        return state

    def stop(self, name: str) -> None:
        """See Jobs. Its training jobs stop with it, and no more of them start (facts on teardown, 1.13)."""
        self.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def names(self, part: str, status: str) -> list[str]:
        """See Jobs."""
        pages = self.sagemaker.get_paginator("list_hyper_parameter_tuning_jobs").paginate(
            NameContains=part, StatusEquals=status
        )
        return [
            job["HyperParameterTuningJobName"] for page in pages for job in page["HyperParameterTuningJobSummaries"]
        ]


def _progress(reply: dict[str, Any]) -> str:
    """Return how far it is, in words: ``4 of 9 training jobs completed, 3 in progress; best so far ...``."""
    counts = reply.get("TrainingJobStatusCounters", {})
    most = reply["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs", "?")
    failed = counts.get("NonRetryableError", 0)
    text = f"{counts.get('Completed', 0)} of {most} training jobs completed"
    for number, words in ((counts.get("InProgress", 0), "in progress"), (failed, "failed")):
        text += f", {number} {words}" if number else ""
    best = reply.get("BestTrainingJob", {})
    return f"{text}; best so far {_objective(best)} ({best['TrainingJobName']})" if best else text


def _objective(best: dict[str, Any]) -> str:
    """Return what the best training job reached: ``validation:auc = 0.93``."""
    metric = best.get("FinalHyperParameterTuningJobObjectiveMetric")
    return f"{metric['MetricName']} = {metric['Value']:.6g}" if metric else ""
