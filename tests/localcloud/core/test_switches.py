"""Switches: every position of every open question can be set, at start and later, and nothing else can."""

from __future__ import annotations

import pytest

from localcloud.switches import SWITCHES, Switches


def test_defaults_are_positions() -> None:
    switches = Switches({})
    assert switches.snapshot() == {switch.name: switch.default for switch in SWITCHES}
    switches.set(switches.snapshot())


def test_the_environment_sets_them_at_start() -> None:
    assert Switches({"LOCALCLOUD_FAILED_DELETE": "go-on"}).get("failed-delete") == "go-on"


@pytest.mark.parametrize("wrong", [{"failed-delete": "perhaps"}, {"no-such": "x"}, {"failed-delete": 1}])
def test_what_is_wrong_changes_nothing_and_says_what_is_allowed(wrong: dict[str, str]) -> None:
    switches = Switches({})
    with pytest.raises(ValueError, match=r"hold-back|failed-delete"):
        switches.set({"failed-delete": "go-on", **wrong})
    assert switches.get("failed-delete") == "hold-back"


def test_every_switch_says_what_is_known() -> None:
    for switch in SWITCHES:
        assert switch.evidence
        assert switch.meaning
