"""Warm pools: the instances of a training job that stay after it, billed, for the next job that is alike.

    the job ends (Completed, Stopped, or Failed by its own fault) -> Available -> Terminated (time is up, or told to)
                                                                               -> Reused by a matching job: InUse there

As documented ([DG] train-warm-pools). A pool that the account's quota for warm pools does not allow is Terminated at
once. Time for a pool is a date in the calendar: it never makes virtual time jump.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from localcloud.sagemaker import durations, errors, quotas
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.jobs import JobRecord
from localcloud.sagemaker.ports import Timer
from localcloud.sagemaker.store import Table

Status = Literal["InUse", "Available", "Reused", "Terminated"]

#: what two jobs must have alike ([DG] train-warm-pools-matching-criteria, as far as these members are honoured here)
_RESOURCES = ("InstanceCount", "InstanceType", "VolumeSizeInGB")
_MEMBERS = ("RoleArn", "EnableNetworkIsolation")
#: failures that leave the cluster healthy: "an algorithm or client error" ([DG])
_OWN_FAULT: Final = ("AlgorithmError", "ClientError")


@dataclass(eq=False)
class WarmPool:
    """The pool of one job."""

    status: Status
    #: virtual time at which it became Available
    since: float | None = None
    #: seconds that it was Available
    retained: int = 0
    reused_by: str | None = None
    timer: Timer | None = None


class WarmPools:
    """The pools of all training jobs."""

    def __init__(self, core: Core, table: Table[JobRecord]) -> None:
        """No pools yet; ``table`` holds the jobs."""
        self._core = core
        self._table = table
        self._pools: dict[JobRecord, WarmPool] = {}

    def enter(self, record: JobRecord, takes: Mapping[str, float]) -> float:
        """Take a matching pool, else new instances; virtual seconds until they are up. Hold the lock.

        Raises ResourceLimitExceeded.
        """
        donor = next((job for job in self._available(record) if _alike(job, record)), None)
        if donor is None:
            self._core.take(record, takes)
            return durations.JOB_STARTING
        given, donor.uses = donor.uses, {}
        try:
            self._core.take(record, takes)
        except errors.ServiceError:
            donor.uses = given
            raise
        self._close(donor, "Reused")
        self._pools[donor].reused_by = record.name
        self._pools[record] = WarmPool("InUse")
        return durations.JOB_WARM_START

    def ended(self, record: JobRecord, takes: Mapping[str, float]) -> None:
        """The job is over: keep its instances when it asked for that."""
        asked = keep_alive(record)
        with self._core.store.lock:
            if self._table.get(record.scope, record.name) is not record:
                return  # reset
            used = record in self._pools
            if not asked or record.started is None:
                if used:
                    self._pools[record].status = "Terminated"
                return
            pool = self._pools[record] = WarmPool("Available")
            warm = quotas.instances(record.instance_type, "training warm pool")
            try:
                if record.status == "Failed" and not (record.failure_reason or "").startswith(_OWN_FAULT):
                    raise errors.validation("the cluster may not be healthy")
                self._core.take(record, {**takes, warm: record.instance_count})
            except errors.ServiceError:
                pool.status = "Terminated"
                return
            pool.since = self._core.clock.now()
            rate = f"{record.instance_type} training"
            self._core.meter.start(_arn(record), "training-warm-pool", "hour", rate, record.tags, record.instance_count)
            self._until(record, pool, asked)

    def update(self, record: JobRecord, seconds: int) -> None:
        """Another time to live, counted from the job's end; 0 ends the pool. Hold the lock.

        Raises ValidationException unless the pool is Available ([DG]: only then; text [K]).
        """
        pool = self._pools.get(record)
        if pool is None or pool.status != "Available" or pool.since is None:
            raise errors.validation(
                f"Training job {record.name} has no warm pool in status Available: KeepAlivePeriodInSeconds can be "
                "updated only then."
            )
        record.request["ResourceConfig"] = {**record.request["ResourceConfig"], "KeepAlivePeriodInSeconds": seconds}
        if pool.timer:
            pool.timer.cancel()
        if pool.since + seconds <= self._core.clock.now():
            self._close(record, "Terminated")
        else:
            self._until(record, pool, seconds)

    def require_none(self, record: JobRecord) -> None:
        """Raises ResourceInUse while the job retains an Available pool ([B] DeleteTrainingJob; text by analogy)."""
        if self.status(record) == "Available":
            raise errors.resource_in_use(
                f"Could not delete training job {record.name} because it retains a managed warm pool in status "
                "Available."
            )

    def status(self, record: JobRecord) -> Status | None:
        """The pool's status; None for a job that never had one. Hold the lock."""
        pool = self._pools.get(record)
        return pool.status if pool else None

    def describe(self, record: JobRecord) -> dict[str, Any] | None:
        """WarmPoolStatus of the replies. Hold the lock."""
        pool = self._pools.get(record)
        if pool is None:
            return None
        retained = pool.retained
        if pool.status == "Available" and pool.since is not None:
            retained = int(self._core.clock.now() - pool.since)
        return {
            "Status": pool.status,
            "ResourceRetainedBillableTimeInSeconds": None if pool.status == "InUse" else retained,
            "ReusedByJob": pool.reused_by,
        }

    def reset(self) -> None:
        """Forget every pool."""
        with self._core.store.lock:
            for pool in self._pools.values():
                if pool.timer:
                    pool.timer.cancel()
            self._pools.clear()

    def _available(self, record: JobRecord) -> Iterable[JobRecord]:
        return (job for job, pool in self._pools.items() if pool.status == "Available" and job.scope == record.scope)

    def _until(self, record: JobRecord, pool: WarmPool, seconds: int) -> None:
        end = partial(self._expire, record, pool)
        pool.timer = self._core.clock.call_at((pool.since or 0.0) + seconds, end, kind="calendar")

    def _expire(self, record: JobRecord, pool: WarmPool) -> None:
        with self._core.store.lock:
            if self._pools.get(record) is pool and pool.status == "Available":
                self._close(record, "Terminated")

    def _close(self, record: JobRecord, status: Status) -> None:
        """The pool is Available no more: neither billed nor counted for this job. Hold the lock."""
        pool = self._pools[record]
        pool.retained = int(self._core.clock.now() - (pool.since or self._core.clock.now()))
        pool.status = status
        if pool.timer:
            pool.timer.cancel()
        record.uses = {}
        self._core.meter.stop(_arn(record))
        self._core.store.changed.notify_all()


def keep_alive(record: JobRecord) -> int:
    """KeepAlivePeriodInSeconds of the request, 0 without."""
    return int(record.request["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0))


def _alike(one: JobRecord, other: JobRecord) -> bool:
    first, second = one.request, other.request
    return (
        not second.get("EnableManagedSpotTraining")
        and all(first["ResourceConfig"].get(name) == second["ResourceConfig"].get(name) for name in _RESOURCES)
        and all(first.get(name, False) == second.get(name, False) for name in _MEMBERS)
    )


def _arn(record: JobRecord) -> str:
    return f"{record.arn}/warm-pool"
