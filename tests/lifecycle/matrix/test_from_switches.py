"""Situations in which AWS does the other thing, wherever nothing settles what it does."""

from __future__ import annotations

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import HOME, PLAIN, Situation, cases, situation
from tests.lifecycle.stand import Stand

POSITIONS = (
    {"failed-delete": "go-on"},
    {"domain-handler-efs": "delete"},
    {"retention-delete-groups": "no"},
    {"no-efs-groups": "made"},
    {"endpoint-needs-role": "no"},
    {"past-schedule": "accept"},
)
"""Switches in the position that is not their default: what the evidence on AWS does not settle. Others have situations
of their own."""

USUAL = ("failed-delete",)
"""What ``make test`` tries too."""


def _with_switch(name: str, position: str) -> None:
    settings = PLAIN if name == "no-efs-groups" else HOME

    @situation(f"{name} is {position}", settings=settings, switches={name: position}, exhaustive=name not in USUAL)
    def make(stand: Stand) -> None:
        people.space(stand, "notes")
        people.app(stand, SpaceName="notes")
        people.app(stand, UserProfileName="grace", app_type="KernelGateway")


for _switch in POSITIONS:
    for _name, _position in _switch.items():
        _with_switch(_name, _position)


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
