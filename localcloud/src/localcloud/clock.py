"""Virtual time: a deployment whose waits take 20 minutes on AWS takes seconds here.

Virtual time never runs slower than real time and never goes back. Three kinds of timers exist:

* ``settle``: something is on its way to a stable state (an endpoint being created). In auto mode the driver lets
  a short real moment pass, so that a client can see the intermediate state, and then jumps.
* ``calendar``: something is due at a time (a schedule). It never makes time jump; a jump that passes it fires it,
  in order, with ``now()`` showing its own due time.
* ``bake``: like ``settle``, but what happens in real time until then counts (the requests that a new model answers).
  Nothing makes time jump to it, or past it, before a real moment of its own is over.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

Kind = Literal["settle", "calendar", "bake"]
Mode = Literal["auto", "manual"]

logger = logging.getLogger("localcloud.clock")


@dataclass(order=True)
class Timer:
    """A pending callback; ``cancel()`` is safe from any thread and at any time."""

    due: float
    order: int
    fn: Callable[[], object] = field(compare=False)
    kind: Kind = field(compare=False)
    #: monotonic real time of registration, seconds
    registered: float = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Forget the callback. One that is running already finishes."""
        self.cancelled = True


class Clock:
    """Virtual time with timers; every callback runs on one thread, one at a time, in due order."""

    def __init__(
        self,
        mode: Mode = "auto",
        *,
        settle_seconds: float = 0.15,
        bake_seconds: float = 0.25,
        start: float | None = None,
    ) -> None:
        """``settle_seconds`` and ``bake_seconds`` are the real moments before a jump to a timer of that kind.

        ``start`` is the first virtual time (epoch seconds) of manual mode.
        """
        self._mode = mode
        self._settle = settle_seconds
        self._bake = bake_seconds
        self._manual_now = time.time() if start is None else start
        self._offset = 0.0
        self._heap: list[Timer] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._target: float | None = None
        self._busy = False
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        """Virtual epoch seconds."""
        with self._changed:
            return self._now()

    def modelled_seconds(self) -> float:
        """How far jumps and ``advance`` have carried virtual time beyond real time."""
        with self._changed:
            return self._offset

    def call_at(self, due: float, fn: Callable[[], object], *, kind: Kind) -> Timer:
        """Run ``fn`` on the timer thread once virtual time reaches ``due`` (at once when it has)."""
        with self._changed:
            timer = Timer(due, next(self._order), fn, kind, time.monotonic())
            heapq.heappush(self._heap, timer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._drive, name="localcloud-clock", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return timer

    def call_later(self, delay: float, fn: Callable[[], object], *, kind: Kind) -> Timer:
        """``call_at`` with a delay in virtual seconds."""
        with self._changed:
            return self.call_at(self._now() + delay, fn, kind=kind)

    def advance(self, seconds: float) -> None:
        """Carry virtual time forward; returns when every timer that became due has run."""
        if seconds < 0:
            raise ValueError("virtual time does not go back")
        if threading.current_thread() is self._thread:
            raise RuntimeError("advance() waits for the timer thread and cannot be called on it")
        with self._changed:
            while self._target is not None:  # one advance at a time
                self._changed.wait()
            goal = self._now() + seconds
            if self._thread is None:
                self._set(goal)
                return
            self._target = goal
            self._changed.notify_all()
            while self._target is not None:
                self._changed.wait()

    def settle_after(self, seconds: float) -> None:
        """Let this much real time pass before a jump, so that somebody can see what is on its way to a stable state."""
        with self._changed:
            self._settle = seconds
            self._changed.notify_all()

    def bake_for(self, seconds: float) -> None:
        """Let this much real time pass until each ``bake`` timer, such as every virtual minute of a deployment."""
        with self._changed:
            self._bake = seconds
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget every timer; for a reset of the server."""
        with self._changed:
            self._heap.clear()
            self._changed.notify_all()

    def pending(self, kind: Kind | None = None) -> int:
        """How many timers wait, of one kind or of all."""
        with self._changed:
            return sum(1 for timer in self._heap if not timer.cancelled and kind in (None, timer.kind))

    def _now(self) -> float:
        return self._manual_now if self._mode == "manual" else time.time() + self._offset

    def _set(self, moment: float) -> None:
        gain = moment - self._now()
        if gain > 0:
            self._offset += gain
            if self._mode == "manual":
                self._manual_now = moment

    def _drive(self) -> None:
        with self._changed:
            while True:
                timer = self._next_due()
                if timer is None:
                    continue
                self._busy = True
                self._changed.release()
                try:
                    timer.fn()
                # a failing callback must not stop time for everybody else; it is logged with its traceback
                except Exception:
                    logger.exception("a timer failed")
                finally:
                    self._changed.acquire()
                    self._busy = False

    def _next_due(self) -> Timer | None:
        """Wait once; the timer to run now, or None to look again."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        first = self._heap[0] if self._heap else None
        if first is not None and first.due <= self._now():
            return heapq.heappop(self._heap)
        if self._target is not None:
            if first is not None and first.due <= self._target:
                self._set(first.due)
                return heapq.heappop(self._heap)
            self._set(self._target)
            self._target = None
            self._changed.notify_all()
            return None
        if first is None or self._mode == "manual":
            self._changed.wait()
            return None
        wait = first.due - self._now()
        settling = [t.registered for t in self._heap if t.kind != "calendar" and not t.cancelled]
        if settling:
            jump = min(settling) + self._settle
            if first.kind == "bake":  # whatever else settles later waits for it, or a bake would be over in no time
                jump = first.registered + self._bake
            until_jump = jump - time.monotonic()
            if until_jump <= 0:
                self._set(first.due)  # possibly a calendar timer on the way to the settling one
                return heapq.heappop(self._heap)
            wait = min(wait, until_jump)
        self._changed.wait(wait)
        return None


@cache
def default_clock() -> Clock:
    """The server's clock. LOCALCLOUD_CLOCK=manual freezes it, LOCALCLOUD_SETTLE_MS and _BAKE_MS set the moments."""
    manual = os.environ.get("LOCALCLOUD_CLOCK") == "manual"
    settle = float(os.environ.get("LOCALCLOUD_SETTLE_MS", "150")) / 1000
    bake = float(os.environ.get("LOCALCLOUD_BAKE_MS", "250")) / 1000
    return Clock("manual" if manual else "auto", settle_seconds=settle, bake_seconds=bake)
