"""Transitions of Studio's records: a status, a timer that carries it on, and nothing after a reset."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from localcloud.clock import Kind
from localcloud.sagemaker import errors
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.ports import NetworkFailed
from localcloud.sagemaker.store import Table
from localcloud.sagemaker.studio.records import StudioRecord

logger = logging.getLogger("localcloud.sagemaker")

S = TypeVar("S", bound=StudioRecord)
T = TypeVar("T")
#: statuses that end by themselves: no update and no delete until then ([I] the code, see ``require_settled``)
IN_PROGRESS = ("Pending", "Updating", "Deleting")


class States:
    """Moves records of one kind."""

    def __init__(self, core: Core) -> None:
        """Works on the clock and the store of ``core``."""
        self._core = core

    def change(self, record: StudioRecord, status: str, failure: str | None = None) -> None:
        """Enter a status. Hold the lock."""
        record.status, record.failure = status, failure
        record.modified = self._core.clock.now()
        self._core.store.changed.notify_all()

    def later(
        self, table: Table[S], record: S, seconds: float, step: Callable[[S], object], kind: Kind = "settle"
    ) -> None:
        """Run ``step`` on the clock, under the lock, unless the record is gone or has another timer by then."""

        def due() -> None:
            with self._core.store.lock:
                if record.timer is timer and table.get(record.scope, record.name) is record:
                    step(record)

        with self._core.store.lock:
            if record.timer:
                record.timer.cancel()
            timer = self._core.clock.call_later(seconds, due, kind=kind)
            record.timer = timer

    def in_background(
        self,
        table: Table[S],
        record: S,
        work: Callable[[S], T],
        done: Callable[[S, T], object],
        failed: Callable[[S, str], object],
    ) -> None:
        """Do ``work`` on a thread, without the lock; then, under it, ``done`` with the result or ``failed`` with why.

        ``work`` is for what takes real time: EFS, EC2, a script. Nothing follows when the record is gone by then.
        """

        def go() -> None:
            step: Callable[[], object]
            try:
                step = partial(done, record, work(record))
            except NetworkFailed as reason:
                step = partial(failed, record, str(reason))
            except errors.ServiceError as reason:
                step = partial(failed, record, reason.message)
            # a defect of localcloud must end the transition, or it would go on for ever
            except Exception as error:
                logger.exception("%s", record.arn)
                step = partial(failed, record, f"[localcloud] {type(error).__name__}: {error}")
            with self._core.store.lock:
                if table.get(record.scope, record.name) is record:
                    step()

        self._core.in_background(go)


def require_settled(record: StudioRecord, kind: str, verb: str) -> None:
    """Raises ResourceInUse while a transition goes on ([I]: the code is modelled for update and delete)."""
    if record.status in IN_PROGRESS:
        raise errors.resource_in_use(f"Unable to {verb} {kind} [{record.arn}] in status {record.status}.")


def failure_text(record: StudioRecord) -> str | None:
    """FailureReason, at most 1,024 characters."""
    return record.failure[:1024] if record.failure else None
