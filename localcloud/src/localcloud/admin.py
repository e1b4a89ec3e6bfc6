"""The ``/_localcloud/`` endpoints: health, clock, meter, switches, authorised calls. Loopback only, no credentials."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from localcloud import __version__
from localcloud.clock import default_clock
from localcloud.faults.rules import default_rules
from localcloud.iam.record import Call, default_record
from localcloud.jobs.sandbox import capabilities
from localcloud.meter import default_meter
from localcloud.switches import default_switches

PREFIX = "/_localcloud/"


def answer(method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Status and JSON document of one admin request; the reset is the server's own (see ``server``)."""
    name = path.removeprefix(PREFIX)
    if method == "GET" and name in _READS:
        return 200, _READS[name]()
    if method == "POST" and name in _WRITES:
        return _write(name, body)
    if (method, name) == ("POST", "clock"):
        return _advance(body)
    if (method, name) == ("POST", "switches"):
        return _switch(body)
    return 404, {"message": f"no such admin operation: {method} {path}"}


def register(
    name: str, write: Callable[[dict[str, Any]], object], read: Callable[[], Any], *, readable: bool = True
) -> None:
    """Let a service add ``/_localcloud/<name>``: POST hands ``write`` a JSON object, both answer with ``read``.

    ``write`` raises ValueError or KeyError to refuse. Without ``readable`` there is no GET.
    """
    _WRITES[name] = (write, read)
    if readable:
        _READS[name] = read


def reset() -> None:
    """Forget timers, meter, recorded calls and faults; the clock keeps its offset, time does not go back."""
    default_clock().clear()
    default_meter().reset()
    default_record().reset()
    default_rules().load({})


def _write(name: str, body: bytes) -> tuple[int, Any]:
    write, read = _WRITES[name]
    try:
        write(dict(json.loads(body or b"{}")))
    except KeyError as error:
        return 400, {"message": f"{error} is missing"}
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}
    return 200, read()


def _advance(body: bytes) -> tuple[int, Any]:
    try:
        seconds = float(json.loads(body or b"{}")["advance_seconds"])
    except (ValueError, KeyError, TypeError):
        return 400, {"message": 'expected {"advance_seconds": number}'}
    if seconds < 0:
        return 400, {"message": "advance_seconds must not be negative: virtual time does not go back"}
    default_clock().advance(seconds)
    return 200, _clock()


def _switch(body: bytes) -> tuple[int, Any]:
    try:
        default_switches().set(dict(json.loads(body or b"{}")))
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}
    return 200, default_switches().snapshot()


def _health() -> dict[str, Any]:
    sandbox = capabilities()
    return {
        "status": "running",
        "version": __version__,
        "pid": os.getpid(),
        "sandbox": {"mode": sandbox.mode, "lost": list(sandbox.lost), "reason": sandbox.reason},
    }


def _meter() -> dict[str, Any]:
    return {"now": default_clock().now(), "readings": default_meter().snapshot()}


def _calls() -> list[Call]:
    return default_record().snapshot()


def _clock() -> dict[str, Any]:
    clock = default_clock()
    return {
        "now": clock.now(),
        "modelled_seconds": clock.modelled_seconds(),
        "pending_settle": clock.pending("settle"),
        "pending_calendar": clock.pending("calendar"),
    }


def _switches() -> dict[str, str]:
    return default_switches().snapshot()


_READS: dict[str, Callable[[], Any]] = {
    "health": _health,
    "meter": _meter,
    "calls": _calls,
    "clock": _clock,
    "switches": _switches,
}
#: (what changes, what is answered), added by services
_WRITES: dict[str, tuple[Callable[[dict[str, Any]], object], Callable[[], Any]]] = {}
