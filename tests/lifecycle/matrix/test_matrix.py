"""From every situation the destruction ends at zero: nothing in the account that was not there before, nothing billed.

Each situation begins in an empty localcloud. What is left is asked of the services directly, not of the project's audit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.conftest import ROOT, Cloud, running_localcloud
from tests.lifecycle.matrix import around, run_time, studio_life
from tests.lifecycle.matrix.account import contents, more
from tests.lifecycle.matrix.situation import SITUATIONS, Situation
from tests.lifecycle.matrix.stand import stand

FIGURES = ROOT / ".localcloud" / "matrix"
MODULES = (studio_life, run_time, around)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SETTLE_MS="20") as running:
        yield running


@pytest.fixture
def empty(one: Cloud) -> Cloud:
    """The module's localcloud, with nothing in it and every switch as it comes."""
    switches = one.admin("switches")
    one.post("reset", {})
    one.post("switches", {"delete-order": "template", **{k: v for k, v in DEFAULTS.items() if k in switches}})
    one.post("clock", {"settle_seconds": 0.02})
    return one


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_destroyed_to_zero(situation: Situation, empty: Cloud, tmp_path: Path) -> None:
    began = time.monotonic()
    place = stand(empty, tmp_path, "matrix", situation.settings)
    place.prepare()
    before = contents(empty)
    situation.begin(place)
    empty.post("switches", dict(situation.switches))
    empty.post("clock", {"settle_seconds": situation.settle})
    there, calls = time.monotonic(), _calls(empty)
    report = place.destroy()
    gone = time.monotonic()
    empty.advance(3600)
    left = more(before, contents(empty))
    _keep(
        situation,
        seconds=round(gone - there, 1),
        setting_up=round(there - began, 1),
        calls=_calls(empty) - calls,
        attempts=report["attempts"],
        swept=len(report["swept"]),
        left=sum(len(names) for names in left.values()),
        running=len(empty.running_meters()),
        **place.figures,
    )
    assert left == {}
    assert report["clean"] is True
    assert empty.running_meters() == []
    assert empty.stacks() == {}


def test_there_are_as_many_situations_as_promised() -> None:
    assert len({one.name for one in SITUATIONS}) == len(SITUATIONS)
    assert len(SITUATIONS) >= 40 + around.ORDERS


def test_every_switch_is_tried_in_every_position(one: Cloud) -> None:
    tried = {name for positions in around.POSITIONS for name in positions} | {"delete-order"}
    assert tried == set(one.admin("switches"))


DEFAULTS: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def _defaults(one: Cloud) -> None:
    DEFAULTS.update(one.admin("switches"))


def _calls(cloud: Cloud) -> int:
    return sum(call["count"] for call in cloud.admin("calls"))


def _keep(situation: Situation, **figures: object) -> None:
    FIGURES.mkdir(parents=True, exist_ok=True)
    file = FIGURES / f"{situation.name.replace(' ', '-').replace('/', '-')}.json"
    file.write_text(json.dumps({"situation": situation.name, **figures}), encoding="utf-8")
