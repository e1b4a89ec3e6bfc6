"""Ship what a process prints to CloudWatch Logs, live, under the process's role.

Groups and streams as on AWS: `/aws/sagemaker/TrainingJobs` and `/ProcessingJobs` with `<job>/algo-1-<epoch>`,
`/aws/sagemaker/Endpoints/<endpoint>` with `<variant>/<instance id>`. A role without log permissions costs the
logs, not the job; `denied` then says why.
"""

import contextlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.jobs.aws import code_of, message_of

logger = logging.getLogger("localcloud.jobs.logs")

#: PutLogEvents: at most 1 MiB and 10,000 events a call, 256 KiB an event (API reference); 26 bytes overhead each
_MAX_EVENTS, _MAX_BATCH_BYTES, _MAX_EVENT_BYTES, _OVERHEAD = 10_000, 1_000_000, 250_000, 26
#: seconds that lines are collected before they are sent
_COLLECT = 0.25
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escape(line: str) -> str:
    """A line as CloudWatch shows it: control characters become `#` and three octal digits (a TAB is `#011`)."""
    return _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", line)


class LogShipper:
    """One log stream. `write` never blocks and never fails; `close` sends what is left."""

    def __init__(self, logs: Any, group: str, stream: str, now: Callable[[], float]) -> None:
        """`logs` is a CloudWatch Logs client of the role, `now` the clock that stamps the events."""
        self._logs = logs
        self._group = group
        self._stream = stream
        self._now = now
        self._lines: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self.denied: str | None = None
        """Why nothing is shipped: AWS's message; None while all is well."""
        self._thread = threading.Thread(target=self._run, name=f"logs-{stream[:40]}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue one line (escaped, without its line end)."""
        if line:  # PutLogEvents refuses an empty message
            self._lines.put((int(self._now() * 1000), line[:_MAX_EVENT_BYTES]))

    def close(self, timeout: float = 10) -> None:
        """Send what is queued; gives up after `timeout` seconds."""
        self._lines.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._create()
            while self._send(self._collect()):
                pass
        except ClientError as error:
            self.denied = f"{self._group}: {message_of(error)}"
            logger.warning("logs of %s are lost: %s", self._stream, self.denied)
        except BotoCoreError as error:  # the server is going down
            logger.debug("logs of %s are lost: %s", self._stream, error)

    def _create(self) -> None:
        """The stream, and the group only when it is missing: an existing group needs no CreateLogGroup."""
        try:
            self._create_stream()
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_group(logGroupName=self._group)
            self._create_stream()

    def _create_stream(self) -> None:
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)

    def _collect(self) -> tuple[list[dict[str, Any]], bool]:
        """Wait for a line, then for more until the batch is full or a moment has passed; True: that was all."""
        events: list[dict[str, Any]] = []
        size = 0
        timeout: float | None = None
        deadline = 0.0
        while len(events) < _MAX_EVENTS and size < _MAX_BATCH_BYTES - _MAX_EVENT_BYTES:
            try:
                item = self._lines.get(timeout=timeout)
            except queue.Empty:
                break
            if item is None:
                return events, True
            if timeout is None:
                deadline = time.monotonic() + _COLLECT
            timeout = max(0.0, deadline - time.monotonic())
            events.append({"timestamp": item[0], "message": item[1]})
            size += len(item[1].encode()) + _OVERHEAD
        return events, False

    def _send(self, batch: tuple[list[dict[str, Any]], bool]) -> bool:
        events, last = batch
        if events:
            events.sort(key=lambda event: event["timestamp"])  # the API wants them in order
            self._logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)
        return not last
