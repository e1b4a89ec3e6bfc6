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


def _set_clock(request: dict[str, Any]) -> None:
    if not request or not set(request) <= {"advance_seconds", "settle_seconds", "bake_seconds"}:
        raise ValueError('expected {"advance_seconds": number}, {"settle_seconds": number} or {"bake_seconds": number}')
    given = {name: float(value) for name, value in request.items()}
    if any(seconds < 0 for seconds in given.values()):
        raise ValueError("seconds must not be negative: virtual time does not go back")
    if "settle_seconds" in given:
        default_clock().settle_after(given["settle_seconds"])
    if "bake_seconds" in given:
        default_clock().bake_for(given["bake_seconds"])
    if "advance_seconds" in given:
        default_clock().advance(given["advance_seconds"])


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
        "pending_bake": clock.pending("bake"),
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


def _set_switches(positions: dict[str, Any]) -> None:
    default_switches().set(positions)


#: (what changes, what is answered); services add theirs
_WRITES: dict[str, tuple[Callable[[dict[str, Any]], object], Callable[[], Any]]] = {
    "clock": (_set_clock, _clock),
    "switches": (_set_switches, _switches),
}
