"""Waiting inside a function of a pipeline, as long as the function's time lasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")

PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0, 10.0)
"""Seconds between two looks, the last one again and again."""

MARGIN_SECONDS = 25.0
"""What has to be left of a function's time for its last calls, when it stops waiting."""


class Busy(Exception):
    """The function's time is nearly over; the text says what it waited for."""


class Patience:
    """The time of one call of a function. ``context`` is what Lambda hands over: it knows how much is left."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._waited = 0

    def pause(self, waiting_for: str) -> None:
        """Sleep a little, longer each time. Raises Busy with this text when there is no time left for it."""
        seconds = PAUSES[min(self._waited, len(PAUSES) - 1)]
        if self._context.get_remaining_time_in_millis() / 1000 < MARGIN_SECONDS + seconds:
            raise Busy(waiting_for)
        self._waited += 1
        time.sleep(seconds)

    def wait(self, look: Callable[[], Found], until: Callable[[Found], bool], words: Callable[[Found], str]) -> Found:
        """Look until ``until`` is content, and return what was seen. Raises Busy with what ``words`` makes of it."""
        while not until(found := look()):
            self.pause(words(found))
        self._waited = 0
        return found
