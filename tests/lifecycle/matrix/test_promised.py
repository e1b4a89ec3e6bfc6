"""The matrix itself: as many situations as promised, each once, and every open question in both positions."""

from __future__ import annotations

from tests.lifecycle.matrix import (
    test_from_around,
    test_from_deployments,
    test_from_orders,
    test_from_pipelines,
    test_from_run_time,
    test_from_studio,
    test_from_switches,
)
from tests.lifecycle.matrix.situation import registered
from tests.localcloud.conftest import ROOT  # puts localcloud's sources on the path

MODULES = (
    test_from_around,
    test_from_deployments,
    test_from_orders,
    test_from_pipelines,
    test_from_run_time,
    test_from_studio,
    test_from_switches,
)


def test_there_are_as_many_situations_as_promised() -> None:
    names = [one.name for module in MODULES for one in registered(module.__name__)]
    assert len(set(names)) == len(names)
    assert len(names) >= 40 + test_from_orders.ORDERS


def test_the_usual_run_tries_some_of_each_kind() -> None:
    for module in MODULES:
        assert [one.name for one in registered(module.__name__) if not one.exhaustive], module.__name__


def test_every_switch_is_tried_in_every_position() -> None:
    from localcloud.switches import SWITCHES

    assert (ROOT / "localcloud").is_dir()
    situations = [one for module in MODULES for one in registered(module.__name__)]
    tried = {f"{name}={position}" for one in situations for name, position in one.switches.items()}
    for switch in SWITCHES:
        for position in switch.positions.split("|"):
            named = f"{switch.name}={position.partition(':')[0]}"  # random:[0-9]+ stands for any seed
            assert position == switch.default or any(one.startswith(named) for one in tried), named
