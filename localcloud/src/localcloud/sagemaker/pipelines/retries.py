"""Whether a step that failed is tried again, and when: the kind of its failure, and the first policy that names it."""

from __future__ import annotations

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.pipelines.definition import Step
from localcloud.sagemaker.pipelines.policies import (
    AUTOMATIC,
    CAPACITY,
    JOB_FAULT,
    LIMIT,
    SERVICE_FAULT,
    THROTTLING,
    RetryPolicy,
)
from localcloud.sagemaker.pipelines.records import StepRun
from localcloud.sagemaker.store import WorkRecord


def of_call(refused: ServiceError) -> str | None:
    """The kind of a refused call; None: one that is never repeated."""
    if refused.code.startswith("Throttling"):
        return THROTTLING
    if refused.code == "ResourceLimitExceeded":
        return LIMIT
    return SERVICE_FAULT if refused.status >= 500 else None


def of_job(step: Step, record: WorkRecord) -> str | None:
    """The kind of a job's failure; None: one that is never repeated."""
    reason = (record.failure_reason or "") if record.status == "Failed" else ""
    if reason.startswith("InternalServerError"):
        # tuning jobs repeat their training jobs themselves ([DG])
        return None if step.type == "Tuning" else JOB_FAULT
    return CAPACITY if reason.startswith("CapacityError") else None


def wait(step: Step, run: StepRun, kind: str | None, now: float) -> float | None:
    """Virtual seconds until the step is tried again after a failure of this kind; None: it is not."""
    policy = _policy(step, kind)
    if policy is None or kind is None:
        return None
    seconds = policy.wait(run.repeated.get(kind, 0), now - run.created)
    if seconds is not None:
        for each in policy.exceptions:  # all kinds of one policy count together
            run.repeated[each] = run.repeated.get(each, 0) + 1
    return seconds


def _policy(step: Step, kind: str | None) -> RetryPolicy | None:
    own = next((policy for policy in step.retries if kind in policy.exceptions), None)
    return own or (AUTOMATIC if kind in AUTOMATIC.exceptions else None)
