"""Waits for schedules on the virtual clock, makes their calls, and repeats the failed ones.

A timer of a schedule never makes time jump; it fires when time passes. Defaults of the retry policy: 185 attempts
within 24 hours (scheduler/latest/APIReference/API_RetryPolicy.html). AWS names no waits between them: here they start
at a minute and double up to an hour. It does not say either which errors are final: here all are repeated.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.clock import Clock, Timer
from localcloud.scheduler.records import Schedule
from localcloud.self_calls import CallFailed

logger = logging.getLogger("localcloud.scheduler")

_MAX_ATTEMPTS, _MAX_AGE = 185, 86400.0
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0
#: real seconds for which the clock waits for a call, so that a quick one is done when ``advance`` returns
_CALL_SECONDS = 5.0


@dataclass(frozen=True)
class Run:
    """One invocation of a target; ``attempt`` counts from 1, ``scheduled`` is the virtual time it was due."""

    schedule: Schedule
    scheduled: float
    attempt: int = 1


#: makes the call. Raises CallFailed.
Deliver = Callable[[Run], None]
#: writes to the dead-letter queue why a run was given up. Raises CallFailed.
Bury = Callable[[Run, CallFailed], None]


class Runner:
    """The timers of all schedules."""

    def __init__(self, clock: Clock, deliver: Deliver, bury: Bury) -> None:
        """Nothing to run."""
        self._clock = clock
        self._deliver = deliver
        self._bury = bury
        self._timers: dict[str, Timer] = {}
        self._lock = threading.Lock()
        #: whether a schedule is still what its timer was made for, and what to do after its last run
        self.is_current: Callable[[Schedule], bool] = lambda _: True
        self.completed: Callable[[Schedule], None] = lambda _: None

    def arm(self, schedule: Schedule, after: float | None = None) -> None:
        """Wait for the next run, instead of what was waited for before."""
        enabled = schedule.settings.get("State", "ENABLED") == "ENABLED"
        moment = self._clock.now() if after is None else after
        due = schedule.due(moment) if enabled else None
        if enabled and after is None and schedule.created == schedule.modified:
            due = schedule.due(moment - 0.001)  # a new rate without a start runs at once
        with self._lock:
            self._drop(schedule.arn)
            if due is not None:
                fire = self._clock.call_at(due, lambda: self._fire(schedule, due), kind="calendar")
                self._timers[schedule.arn] = fire

    def disarm(self, arn: str) -> None:
        """Forget a schedule. A run that is being repeated ends too."""
        with self._lock:
            self._drop(arn)

    def _drop(self, arn: str) -> None:
        timer = self._timers.pop(arn, None)
        if timer:
            timer.cancel()

    def _fire(self, schedule: Schedule, due: float) -> None:
        if self.is_current(schedule):
            self.arm(schedule, after=due)
            self._attempt(Run(schedule, due))

    def _attempt(self, run: Run) -> None:
        """On the clock's thread: a call that takes long goes on without it."""
        if not self.is_current(run.schedule):
            return
        thread = threading.Thread(target=self._call, args=[run], name="localcloud-schedule", daemon=True)
        thread.start()
        thread.join(_CALL_SECONDS)

    def _call(self, run: Run) -> None:
        schedule = run.schedule
        try:
            self._deliver(run)
        except CallFailed as error:
            logger.warning("schedule %s, attempt %d: %s", schedule.arn, run.attempt, error)
            if self._repeat(run):
                return
            self._give_up(run, error)
        if schedule.due(run.scheduled) is None:
            self.completed(schedule)

    def _repeat(self, run: Run) -> bool:
        policy = run.schedule.settings["Target"].get("RetryPolicy") or {}
        wait = min(_FIRST_WAIT * 2 ** (run.attempt - 1), _LONGEST_WAIT)
        age = self._clock.now() + wait - run.scheduled
        if run.attempt > int(policy.get("MaximumRetryAttempts", _MAX_ATTEMPTS)):
            return False
        if age > float(policy.get("MaximumEventAgeInSeconds", _MAX_AGE)):
            return False
        following = Run(run.schedule, run.scheduled, run.attempt + 1)
        self._clock.call_later(wait, lambda: self._attempt(following), kind="calendar")
        return True

    def _give_up(self, run: Run, error: CallFailed) -> None:
        try:
            self._bury(run, error)
        except CallFailed as failure:
            logger.warning("schedule %s, dead-letter queue: %s", run.schedule.arn, failure)
