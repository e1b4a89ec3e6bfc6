"""Independent things are deleted in any order: twenty drawn ones, of which every run draws the same."""

from __future__ import annotations

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import HOME, Situation, cases, situation
from tests.lifecycle.stand import Stand

ORDERS, USUAL = 20, 1
"""So many in all, and so many of them also in ``make test``."""


def _in_order(seed: int) -> None:
    @situation(
        f"things are deleted in drawn order {seed}",
        settings=HOME,
        switches={"delete-order": f"random:{seed}"},
        exhaustive=seed >= USUAL,
    )
    def make(stand: Stand) -> None:
        people.space(stand, "notes")
        people.app(stand, UserProfileName="grace", app_type="KernelGateway")


for _seed in range(ORDERS):
    _in_order(_seed)


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
