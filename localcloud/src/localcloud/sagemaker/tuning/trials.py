"""A tuning job's record, its trials, and what they have come to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localcloud.sagemaker.kinds.jobs import JobRecord
from localcloud.sagemaker.store import WorkRecord
from localcloud.sagemaker.tuning.search import Search

ObjectiveStatus = Literal["Pending", "Succeeded", "Failed"]
_REASON = 1024


@dataclass(eq=False)
class Trial:
    """One training job of a tuning job; ``job`` is None until it has been made."""

    number: int
    name: str
    tuned: dict[str, str]
    job: JobRecord | None = None


@dataclass(eq=False, kw_only=True)
class TuningRecord(WorkRecord):
    """A tuning job."""

    search: Search
    limit: int
    parallel: int
    objective: dict[str, str]
    trials: list[Trial] = field(default_factory=list)
    ended: float | None = None
    failure: str | None = None

    @property
    def failure_reason(self) -> str | None:
        """Why it failed."""
        return self.failure[:_REASON] if self.failure else None

    @property
    def running(self) -> list[Trial]:
        """The trials that are not over."""
        return [trial for trial in self.trials if trial.job is None or not trial.job.over]

    @property
    def finished(self) -> list[JobRecord]:
        """The training jobs that are over."""
        return [trial.job for trial in self.trials if trial.job and trial.job.over]

    def value(self, job: JobRecord) -> float | None:
        """The objective metric of a trial: the last one logged ([DG]); None without one."""
        if job.outcome is None or not job.over:
            return None
        found = [value for name, value, _ in job.outcome.metrics if name == self.objective["MetricName"]]
        return found[-1] if found and math.isfinite(found[-1]) else None

    def objective_status(self, job: JobRecord) -> ObjectiveStatus:
        """Pending while it runs; Failed when no value was logged."""
        if not job.over:
            return "Pending"
        return "Failed" if self.value(job) is None else "Succeeded"

    @property
    def best(self) -> JobRecord | None:
        """The trial with the best value so far, the first of equals."""
        valued = [(value, job) for job in self.finished if (value := self.value(job)) is not None]
        if not valued:
            return None
        choose = max if self.objective["Type"] == "Maximize" else min
        return choose(valued, key=lambda pair: pair[0])[1]

    @property
    def told(self) -> list[tuple[dict[str, str], float]]:
        """What is known: the hyperparameters and the value of every trial that has one, in the order they began."""
        known = [(trial.tuned, self.value(trial.job)) for trial in self.trials if trial.job]
        return [(tuned, value) for tuned, value in known if value is not None]

    def trial_of(self, job: JobRecord) -> Trial:
        """The trial that a training job is."""
        return next(trial for trial in self.trials if trial.job is job)

    def counters(self) -> dict[str, Mapping[str, int]]:
        """TrainingJobStatusCounters and ObjectiveStatusCounters."""
        jobs = [trial.job for trial in self.trials if trial.job]
        statuses = Counter(job.status for job in jobs)
        objectives = Counter(self.objective_status(job) for job in jobs)
        return {
            "TrainingJobStatusCounters": {
                "Completed": statuses["Completed"],
                "InProgress": statuses["InProgress"] + statuses["Stopping"],
                "RetryableError": 0,
                "NonRetryableError": statuses["Failed"],
                "Stopped": statuses["Stopped"],
            },
            "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
        }

    def summary(self, job: JobRecord) -> dict[str, Any]:
        """A HyperParameterTrainingJobSummary."""
        value = self.value(job)
        final = None if value is None else {**self.objective, "Value": value}
        return {
            "TrainingJobDefinitionName": self.request["TrainingJobDefinition"].get("DefinitionName"),
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "TuningJobName": self.name,
            "CreationTime": job.created,
            "TrainingStartTime": job.started,
            "TrainingEndTime": job.ended,
            "TrainingJobStatus": job.status,
            "TunedHyperParameters": self.trial_of(job).tuned,
            "FailureReason": job.failure_reason,
            "FinalHyperParameterTuningJobObjectiveMetric": final,
            "ObjectiveStatus": self.objective_status(job),
        }
