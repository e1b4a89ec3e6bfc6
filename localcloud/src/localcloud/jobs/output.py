"""What a process prints, read to the end: to CloudWatch, to the metric scanner, and a short memory of it."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO, Protocol

from localcloud.jobs.log_shipper import LogShipper, escape

#: a program that prints without ever ending a line is cut into events of this many bytes
_LONGEST = 1 << 16


class Listener(Protocol):
    """Somebody who looks at every line."""

    def feed(self, line: str, now: float) -> None:
        """One escaped line and the moment at which it was read."""


class OutputReader:
    """Reads on a thread of its own so that the process never blocks on a full pipe."""

    def __init__(
        self,
        source: IO[bytes],
        shipper: LogShipper,
        listener: Listener | None,
        now: Callable[[], float],
        pause: float = 0.0,
    ) -> None:
        """`pause`: real seconds after each read, for what prints a line with each of many requests.

        To wake up for every line would cost each request as much time as its answer takes.
        """
        self._pause = pause
        self._source = source
        self._shipper = shipper
        self._listener = listener
        self._now = now
        self._tail: deque[str] = deque(maxlen=20)
        self._thread = threading.Thread(target=self._run, name="job-output", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        rest = b""
        while chunk := os.read(self._source.fileno(), _LONGEST):
            *lines, rest = (rest + chunk).split(b"\n")
            while len(rest) >= _LONGEST:
                lines.append(rest[:_LONGEST])
                rest = rest[_LONGEST:]
            for raw in lines:
                self._take(raw)
            if self._pause:
                time.sleep(self._pause)
        if rest:
            self._take(rest)

    def _take(self, raw: bytes) -> None:
        line = escape(raw.decode("utf-8", "replace").rstrip("\r"))
        self._tail.append(line)
        self._shipper.write(line)
        if self._listener is not None:
            self._listener.feed(line, self._now())

    def finish(self, timeout: float = 10) -> None:
        """Wait for the end of the output (it comes when the last process is gone), then for the shipping."""
        self._thread.join(timeout)
        self._shipper.close(timeout)

    def tail(self, lines: int) -> str:
        """The last lines, for a failure reason."""
        return "\n".join(list(self._tail)[-lines:])
