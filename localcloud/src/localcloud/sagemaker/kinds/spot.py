"""Spot interruptions on demand: which training jobs lose their instances, and when.

    POST /_localcloud/training-job {"name": "bank-1", "interrupt": true, "line": "\\\\[20\\\\]", "seconds": 600}

``name`` is a spot job, or ``*`` for whichever is next. It is interrupted once: at once when it trains, else when it
does; with ``line`` when it logs a line in which that expression is found. ``seconds`` of virtual time pass until there
are instances again. The order of statuses is [DG] model-managed-spot-training-status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

from localcloud.sagemaker import durations
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.jobs import JobRecord
from localcloud.sagemaker.ports import InterruptibleJob
from localcloud.sagemaker.store import Table

ANY_JOB = "*"
_MEMBERS = {"name", "interrupt", "line", "seconds"}


@dataclass(frozen=True)
class Interruption:
    """One that is to come."""

    name: str
    #: regular expression; None: as soon as it trains
    line: str | None
    #: virtual seconds without spot instances
    seconds: float


class Interruptions:
    """What has been ordered for the training jobs of one server."""

    def __init__(self, core: Core, table: Table[JobRecord]) -> None:
        """None; ``table`` holds the jobs."""
        self._core = core
        self._table = table
        self._pending: list[Interruption] = []
        self._running: WeakKeyDictionary[JobRecord, InterruptibleJob] = WeakKeyDictionary()

    def order(self, event: Mapping[str, Any]) -> None:
        """One more. Raises ValueError or KeyError for what cannot be."""
        wanted = _read(event)
        with self._core.store.lock:
            found = [job for job in self._table.all() if job.name == wanted.name and not job.over]
            if any(not _spot(job) for job in found):
                raise ValueError(f"training job {wanted.name!r} does not run on spot instances")
            if len(found) != 1 or not found[0].launched or found[0] not in self._running:
                self._pending.append(wanted)
                return
            self._take_away(wanted, found[0])

    def pending(self) -> dict[str, Any]:
        """What no job has met yet."""
        with self._core.store.lock:
            return {"pending": [asdict(each) for each in self._pending]}

    def started(self, record: JobRecord, job: InterruptibleJob) -> None:
        """An attempt of a job runs: it meets what is pending for it."""
        with self._core.store.lock:
            self._running[record] = job
            meant = (each for each in self._pending if each.name in (record.name, ANY_JOB))
            wanted = next(meant, None) if _spot(record) else None
            if wanted:
                self._pending.remove(wanted)
                self._take_away(wanted, record)

    def reset(self) -> None:
        """Forget them."""
        with self._core.store.lock:
            self._pending.clear()
            self._running.clear()

    def _take_away(self, wanted: Interruption, record: JobRecord) -> None:
        record.attempts.capacity = wanted.seconds
        self._running[record].interrupt(wanted.line)


def _spot(record: JobRecord) -> bool:
    return bool(record.request.get("EnableManagedSpotTraining"))


def _read(event: Mapping[str, Any]) -> Interruption:
    unknown = sorted(set(event) - _MEMBERS)
    if unknown:
        raise ValueError(f"there is no {unknown[0]!r}; there are {', '.join(sorted(_MEMBERS))}")
    if event["interrupt"] is not True:
        raise ValueError("interrupt must be true")
    name, line, seconds = event["name"], event.get("line"), float(event.get("seconds", durations.SPOT_CAPACITY))
    if not isinstance(name, str) or not name:
        raise ValueError("name is the name of a training job, or * for the next spot job")
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    if line is not None:
        try:
            re.compile(line)
        except (re.error, TypeError) as error:
            raise ValueError(f"line {line!r} is no regular expression: {error}") from None
    return Interruption(name, line, seconds)
