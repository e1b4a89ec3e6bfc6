"""How time passes while traffic is sent: on AWS one waits for it, localcloud's can be moved.

A pace says what time it is, passes time until a moment, and how many seconds of requests are sent at a stroke.
"""

from __future__ import annotations

import json
import time
import urllib.request
from abc import ABC, abstractmethod

from operations.console import Console
from operations.target import Target
from operations.traffic.stopping import Stop

_HOUR = 3600.0
_LOOK = 0.1
"""Real seconds between two looks at whether localcloud is at rest."""
_PATIENCE = 180.0
"""Real seconds that jobs of an hour may take before traffic goes on without them."""


class Pace(ABC):
    """Passes time in a target."""

    stroke: float
    """Seconds of requests that are sent one after the other without a look at the time."""
    whole: bool
    """Whether all answers must be there before time goes on."""
    rounds: float
    """Seconds after which labels are delivered."""

    def __init__(self, target: Target, stop: Stop) -> None:
        """Of this target; whoever stops need not wait for time to pass."""
        self._target = target
        self._stop = stop

    def now(self) -> float:
        """Return the time there, in seconds since 1970."""
        return self._target.now().timestamp()

    @abstractmethod
    def reach(self, moment: float) -> None:
        """Pass time until the moment, or until somebody stops."""


class RealTime(Pace):
    """One second takes a second."""

    stroke = 0.1
    whole = False
    rounds = 300.0

    def reach(self, moment: float) -> None:
        """Wait."""
        self._stop.wait(moment - self.now())


class MovedTime(Pace):
    """localcloud's clock is put forward; at each full hour what the hour has started comes to its end first."""

    stroke = 300.0
    whole = True
    rounds = _HOUR

    def __init__(self, target: Target, stop: Stop, console: Console) -> None:
        """Whoever watches is told when an hour's jobs take too long."""
        super().__init__(target, stop)
        self._console = console

    def reach(self, moment: float) -> None:
        """Put the clock forward, hour by hour."""
        while not self._stop and (now := self.now()) < moment:
            hour = (now // _HOUR + 1) * _HOUR
            self._forward(min(moment, hour) - now)
            if hour <= moment:
                self._rest()

    def _forward(self, seconds: float) -> None:
        body = json.dumps({"advance_seconds": max(0.0, seconds)}).encode()
        with urllib.request.urlopen(f"{self._url}/clock", data=body, timeout=_PATIENCE):
            pass

    def _rest(self) -> None:
        """Wait until nothing is on its way, and no job runs that a schedule has started."""
        end = time.monotonic() + _PATIENCE
        quiet = 0
        while quiet < 2 and not self._stop.wait(_LOOK):  # twice: between two jobs of one run there is a moment
            quiet = 0 if self._busy() else quiet + 1
            if time.monotonic() > end:
                self._console.warn(f"Jobs of this hour still run after {_PATIENCE:.0f} s; going on without them.")
                return

    def _busy(self) -> bool:
        with urllib.request.urlopen(f"{self._url}/clock", timeout=_PATIENCE) as reply:
            if json.load(reply)["pending_settle"]:
                return True
        sagemaker = self._target.client("sagemaker")
        if sagemaker.list_processing_jobs(StatusEquals="InProgress", MaxResults=1)["ProcessingJobSummaries"]:
            return True
        return any(
            sagemaker.list_monitoring_executions(StatusEquals=status, MaxResults=1)["MonitoringExecutionSummaries"]
            for status in ("Pending", "InProgress")
        )

    @property
    def _url(self) -> str:
        return f"{self._target.settings['AWS_ENDPOINT_URL']}/_localcloud"


def pace_of(target: Target, stop: Stop, console: Console, *, real_time: bool) -> Pace:
    """Return the fastest pace that the target allows, or with ``real_time`` its clock as it runs."""
    return RealTime(target, stop) if real_time or target.name == "aws" else MovedTime(target, stop, console)
