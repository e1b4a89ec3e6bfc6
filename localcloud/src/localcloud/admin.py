"""The ``/_localcloud/`` endpoints: health, clock, meter and authorised calls. Loopback only, no credentials."""

from __future__ import annotations

import json
import os
from typing import Any

from localcloud import __version__
from localcloud.clock import default_clock
from localcloud.iam.record import default_record
from localcloud.meter import default_meter

PREFIX = "/_localcloud/"


def answer(method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Status and JSON document of one admin request; the reset is the server's own (see ``server``)."""
    name = path.removeprefix(PREFIX)
    if method == "GET" and name == "health":
        return 200, {"status": "running", "version": __version__, "pid": os.getpid()}
    if method == "GET" and name == "meter":
        return 200, {"now": default_clock().now(), "readings": default_meter().snapshot()}
    if method == "GET" and name == "calls":
        return 200, default_record().snapshot()
    if method == "GET" and name == "clock":
        return 200, _clock()
    if method == "POST" and name == "clock":
        try:
            seconds = float(json.loads(body or b"{}")["advance_seconds"])
        except (ValueError, KeyError, TypeError):
            return 400, {"message": 'expected {"advance_seconds": number}'}
        if seconds < 0:
            return 400, {"message": "advance_seconds must not be negative: virtual time does not go back"}
        default_clock().advance(seconds)
        return 200, _clock()
    return 404, {"message": f"no such admin operation: {method} {path}"}


def reset() -> None:
    """Forget timers, meter and recorded calls; the clock keeps its offset, time does not go back."""
    default_clock().clear()
    default_meter().reset()
    default_record().reset()


def _clock() -> dict[str, Any]:
    clock = default_clock()
    return {
        "now": clock.now(),
        "modelled_seconds": clock.modelled_seconds(),
        "pending_settle": clock.pending("settle"),
        "pending_calendar": clock.pending("calendar"),
    }
