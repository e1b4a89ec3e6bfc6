"""Ending what runs for hours when somebody asks: Ctrl-C or SIGTERM end it after what is under way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether somebody has asked to stop, and by which signal."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.signal: int | None = None

    def __bool__(self) -> bool:
        """Whether it is to end."""
        return self._asked.is_set()

    def ask(self, signal_number: int = signal.SIGINT) -> None:
        """Ask to stop."""
        self.signal = signal_number
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until somebody asks; say whether somebody did."""
        return self._asked.wait(max(0.0, seconds))

    @property
    def exit_code(self) -> int | None:
        """The exit code of a program that this signal has ended."""
        return None if self.signal is None else 128 + self.signal


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Have the first Ctrl-C or SIGTERM ask for an end, and the next one end the program as usual.

    Only the main thread of a program may do this (``signal.signal``).
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, _: FrameType | None) -> None:
        restore()
        stop.ask(number)

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
