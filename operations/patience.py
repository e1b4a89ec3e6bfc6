"""How the clients of a target wait when a service is busy, and how much they have asked."""

from __future__ import annotations

import random
import threading
from typing import Any

THROTTLED = frozenset(
    {
        "Throttled", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
        "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "EC2ThrottledException",
        "SlowDown", "PriorRequestNotComplete",
    }
)  # fmt: skip
"""Codes by which services say "not so fast"."""

ATTEMPTS = 40
"""How often a throttled call is made. boto3's standard mode gives up after a few, and altogether when a client's quota
of retries is used up; a destroy that meets a busy account must come through."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0
"""Seconds: the first pause is shorter than this, each of the next may be twice as long."""


class Traffic:
    """Counts calls and how often they had to be made again. Any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = 0
        self._sent = 0

    @property
    def retries(self) -> int:
        """Requests beyond the first of each call."""
        return max(0, self._sent - self.calls)

    def count(self, client: Any) -> None:
        """Count what this client does from now on."""
        client.meta.events.register_first("before-call", self._called)
        client.meta.events.register_first("before-send", self._was_sent)

    def _called(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1

    def _was_sent(self, **_: Any) -> None:
        with self._lock:
            self._sent += 1


def be_patient(client: Any, pace: float) -> None:
    """Have a client make a throttled call again after growing, random pauses; ``pace`` scales them.

    It is asked before boto3's own retries, which go on to deal with everything else.
    """

    def pause(response: Any, attempts: int, **_: Any) -> float | None:
        code = response[1].get("Error", {}).get("Code") if response else None
        if code not in THROTTLED or attempts >= ATTEMPTS:
            return None
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1))
        return random.uniform(0, longest * pace)  # noqa: S311  # jitter, nothing secret

    name = client.meta.service_model.service_id.hyphenize()  # handlers of the same event are asked in their order
    client.meta.events.register_first(f"needs-retry.{name}", pause)
