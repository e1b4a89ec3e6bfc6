"""Evaluates alarms: each one when it is put, all of them once a virtual minute while there is data in their range.

Between two alarms that see nothing the evaluator sleeps, so that a month of virtual time costs nothing; any data point
wakes it. Its timers never make time jump.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from localcloud.adapter import alarms as cloudwatch
from localcloud.adapter.alarms import MetricAlarm, Points
from localcloud.alarms import evaluation
from localcloud.clock import Clock
from localcloud.sagemaker.ports import Scope

logger = logging.getLogger("localcloud.alarms")

_MINUTE = 60.0
#: data of a minute has arrived this long after it [K]
_DELAY = 5.0


@dataclass(frozen=True)
class Raised:
    """An alarm that is in ALARM, as its actions are told."""

    account: str
    region: str
    name: str
    threshold: float
    #: EvaluationPeriods
    periods: int
    #: what it saw last, the newest last; None where data is missing
    values: tuple[float | None, ...]


#: (ARN of the action, alarm) -> None
Action = Callable[[str, Raised], None]


class Evaluator:
    """One for a server. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        """Evaluates on ``clock``."""
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0
        self._actions: list[tuple[str, Action]] = []
        self._sources: list[Callable[[], None]] = []

    def take_over(self) -> None:
        """Be the evaluation of the server's CloudWatch."""
        cloudwatch.take_over(self._put, self.wake, self._clock.now)

    def on_action(self, prefix: str, action: Action) -> None:
        """Call ``action`` when an alarm with an action of this ARN prefix raises, and every minute while it stays so.

        That is how alarms drive Auto Scaling ([CW] alarms-and-actions); notifications are sent at changes alone.
        """
        self._actions.append((prefix, action))

    def add_source(self, flush: Callable[[], None]) -> None:
        """``flush`` delivers data points that somebody keeps back for a moment; called before each evaluation."""
        self._sources.append(flush)

    def wake(self) -> None:
        """There may be something to see at the end of this minute."""
        with self._lock:
            now = self._clock.now()
            if self._due >= now:
                return
            self._due = (now - _DELAY) // _MINUTE * _MINUTE + _MINUTE + _DELAY
            self._clock.call_at(self._due, self._minute, kind="calendar")

    def states(self, account: str, region: str, names: Iterable[str]) -> Mapping[str, str | None]:
        """The states of these alarms, evaluated now; None where there is no such alarm. Not on the event loop."""
        self._flush()
        return cloudwatch.on_loop(lambda: {name: self._state(account, region, name) for name in names})

    def state(self, scope: Scope, name: str) -> str | None:
        """The state of an alarm as it was evaluated last; None when there is no such alarm."""
        alarm = cloudwatch.find_alarm(scope.account, scope.region, name)
        return alarm.state if alarm else None

    def reset(self) -> None:
        """The clock has forgotten every timer."""
        with self._lock:
            self._due = 0.0

    def _put(self, alarm: MetricAlarm) -> None:
        self._evaluate(alarm)
        self.wake()

    def _state(self, account: str, region: str, name: str) -> str | None:
        alarm = cloudwatch.find_alarm(account, region, name)
        if alarm is None:
            return cloudwatch.composite_state(account, region, name)
        self._evaluate(alarm)
        return alarm.state

    def _minute(self) -> None:
        with self._lock:
            self._due = 0.0
        self._flush()
        raised, awake = cloudwatch.on_loop(self._round)
        if awake:
            self.wake()
        for arn, alarm in raised:
            for prefix, action in self._actions:
                if arn.startswith(prefix):
                    try:
                        action(arn, alarm)
                    # one action that fails must not keep the others from theirs
                    except Exception:
                        logger.exception("action %s of alarm %s failed", arn, alarm.name)

    def _round(self) -> tuple[Sequence[tuple[str, Raised]], bool]:
        """Evaluate all; the actions of those in ALARM, and whether a further round could see anything."""
        raised: list[tuple[str, Raised]] = []
        awake = False
        for alarm in cloudwatch.metric_alarms():
            values = self._evaluate(alarm)
            awake = awake or any(value is not None for value in values) or self._later(alarm)
            members = alarm.members
            if alarm.state == "ALARM" and members.get("ActionsEnabled", True):
                limit, periods = float(members["Threshold"]), int(members["EvaluationPeriods"])
                told = Raised(alarm.account, alarm.region, alarm.name, limit, periods, tuple(values))
                raised += [(str(arn), told) for arn in members.get("AlarmActions") or ()]
        return raised, awake

    def _evaluate(self, alarm: MetricAlarm) -> list[float | None]:
        """Bring one alarm up to date; what it saw. On the event loop."""
        members = alarm.members
        if not members.get("MetricName") or not evaluation.supported(members):
            return []
        period = float(members["Period"])
        step = min(period, _MINUTE)
        end = self._clock.now() // step * step
        points = Points(alarm)
        count = evaluation.periods(members)
        values = [points.value(end - back * period, end - (back - 1) * period) for back in range(count, 0, -1)]
        found = evaluation.verdict(members, values)
        if found.state is not None and found.state != alarm.state:
            cloudwatch.set_state(alarm, found.state, found.reason)
        return values

    def _later(self, alarm: MetricAlarm) -> bool:
        """Whether there is data that is not evaluated yet: of the period that goes on."""
        return Points(alarm).since(self._clock.now() // _MINUTE * _MINUTE)

    def _flush(self) -> None:
        for flush in self._sources:
            with contextlib.suppress(RuntimeError):  # the server is ending
                flush()
