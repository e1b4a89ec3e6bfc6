"""What every situation must come to: nothing in the account that was not there before, and nothing that is billed.

Each situation begins in an empty localcloud. What is left is asked of the services directly: the project's own audit is
judged, too.
"""

from __future__ import annotations

import json
import time
from functools import cache

from tests.conftest import MATRIX
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import written
from tests.lifecycle.matrix.account import contents, more
from tests.lifecycle.matrix.situation import Situation
from tests.lifecycle.stand import stand


def destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    """Bring the situation about, destroy the environment, and insist on zero."""
    began = time.monotonic()
    place = stand(empty, written("matrix", **situation.settings))
    place.prepare()
    before = _nothing(empty)
    situation.begin(place)
    empty.post("switches", dict(situation.switches))
    empty.post("clock", {"settle_seconds": situation.settle})
    ready, calls = time.monotonic(), _calls(empty)
    report = place.destroy()
    gone = time.monotonic()
    empty.advance(3600)
    left = more(before, contents(empty))
    figures = {
        "situation": situation.name,
        "seconds": round(gone - ready, 1),
        "setting_up": round(ready - began, 1),
        "calls": _calls(empty) - calls,
        "attempts": report["attempts"],
        "retries": report["retries"],
        "swept": len(report["swept"]),
        "left": sum(len(names) for names in left.values()),
        "running": len(empty.running_meters()),
        **place.figures,
    }
    MATRIX.mkdir(parents=True, exist_ok=True)
    (MATRIX / f"{situation.name.replace(' ', '-')}.json").write_text(json.dumps(figures), encoding="utf-8")
    assert left == {}, left
    assert report["clean"] is True
    assert empty.running_meters() == []
    assert empty.stacks() == {}


@cache
def _nothing(cloud: Cloud) -> dict[str, set[str]]:
    """What is in an emptied localcloud, which is the same every time: the bucket of the assets, AWS's own."""
    return contents(cloud)


def _calls(cloud: Cloud) -> int:
    return sum(call["count"] for call in cloud.admin("calls"))
