"""What chance explains, against counting and against simulation."""

from __future__ import annotations

import math
from random import Random

import pytest
import slack_chance
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(("share", "before", "now"), [(0.9, 200, 300), (1.0, 50, 400), (0.5, 2000, 100)])
def test_the_floor_is_where_so_many_windows_are_below_it(share: float, before: int, now: int) -> None:
    """Of populations that the baseline speaks for, each with a window: as many are below as the risk says."""
    random, risk, windows = Random(1), 0.05, 1500  # noqa: S311 - a seeded simulation
    floor = slack_chance.floor(share, before, now, risk)
    below = 0
    for _ in range(windows):
        true = random.betavariate(share * before + 0.5, (1 - share) * before + 0.5)
        below += sum(random.random() < true for _ in range(now)) / now < floor
    assert 0 < below / windows < risk + 3 * math.sqrt(risk / windows)


@given(st.floats(0, 1), st.integers(1, 50_000), st.integers(0, 5000), st.floats(1e-7, 0.1))
@settings(max_examples=60)
def test_a_floor_is_below_the_share_and_lower_with_less_risk_or_knowledge(
    share: float, before: int, now: int, risk: float
) -> None:
    floor = slack_chance.floor(share, before, now, risk)
    assert 0 <= floor <= 1
    assert now == 0 or floor <= share + 0.5 / now + 1 / (before + 1)  # the prior draws towards the middle
    assert slack_chance.floor(share, before, now, risk / 10) <= floor


def test_what_nothing_is_known_of_has_no_floor() -> None:
    assert slack_chance.floor(1.0, 0, 0, 0.001) == 0
    assert slack_chance.floor(0.9, 100, 0, 0.001) == 0
    assert slack_chance.floor(0.0, 1000, 1000, 0.001) == 0


@given(
    st.lists(st.lists(st.integers(-5, 5).map(float), max_size=12), min_size=1, max_size=3),
    st.floats(0.01, 4),
    st.booleans(),
)
def test_how_far_a_distribution_moves(levels: list[list[float]], distance: float, whole: bool) -> None:
    """As by counting all values at every place at which anything changes."""
    values = [value for level, some in enumerate(levels) for value in some for _ in range(2**level)]
    step, part = divmod(distance, 1) if whole else (distance, 0.0)
    grown = [(value + step + more, weight) for value in values for more, weight in ((0, 1 - part), (1, part))]
    gaps = [
        sum(value <= place for value in values) - sum(weight for value, weight in grown if value <= place)
        for place in values
    ]
    expected = max([*gaps, 0]) / max(len(values), 1)
    assert slack_chance.moved(levels, distance, whole) == pytest.approx(expected)


def test_noise_is_what_is_left_of_a_distance_by_chance() -> None:
    """At one check the correction alone is enough; with many, what Kolmogorov's distribution says beyond it."""
    assert slack_chance.noise(5000, 1000, 0.01) == 0
    few, many = (slack_chance.noise(5000, 1000, 0.001 / checks) for checks in (10, 1000))
    assert 0 < few < many < 0.1
    assert 2 * math.exp(-2 * (slack_chance.ROBUST + many / slack_chance.unit(5000, 1000)) ** 2) == pytest.approx(1e-6)
