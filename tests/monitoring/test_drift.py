"""How often a clean hour is called a drift, and how often a drift of half a standard deviation is found.

An hour has 1,000 rows, the baseline 5,000, both drawn from the same distribution. AWS's threshold, 0.1, is enough for
the shapes that data usually has. Half a standard deviation moves a uniform distribution's L-infinity by 0.14 only, of
which chance is taken off: that needs a threshold of 0.05, which is no more often wrong. Which one a column really gets:
``test_slack``. Numbers: docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import tests.monitoring.programs as _programs  # makes the modules importable

assert _programs
distance: Any = import_module("distance")
quantiles: Any = import_module("quantiles")

_HOUR, _BASELINE = 1000, 5000
_AWS, _FINER = 0.1, 0.05
Draw = Callable[[np.random.Generator, int], Any]
_SHAPES: dict[str, Draw] = {
    "normal": lambda chance, count: chance.normal(size=count),
    "lognormal": lambda chance, count: chance.lognormal(size=count),
    "heavy tails": lambda chance, count: chance.standard_t(4, size=count),
    "two humps": lambda chance, count: chance.normal(size=count) + 3 * chance.integers(0, 2, size=count),
    "counts": lambda chance, count: chance.poisson(4, size=count).astype(float),
}


def sketch(values: Any) -> Any:
    found = quantiles.Sketch()
    found.add(values)
    return found.levels()


def drifts(draw: Draw, windows: int, seed: int, shift: float, limit: float = _AWS) -> list[bool]:
    """Of so many hours, each of which has a baseline of its own: is it called a drift?"""
    chance = np.random.default_rng(seed)
    spread = float(np.std(draw(chance, 200_000)))
    return [
        distance.numerical(sketch(draw(chance, _HOUR) + shift * spread), sketch(draw(chance, _BASELINE)), robust=True)
        > limit
        for _ in range(windows)
    ]


@pytest.mark.parametrize("shape", _SHAPES)
def test_at_most_one_of_200_clean_hours_is_called_a_drift(shape: str) -> None:
    assert sum(drifts(_SHAPES[shape], 200, 1, 0.0)) <= 1


@pytest.mark.parametrize("shape", _SHAPES)
def test_half_a_standard_deviation_is_found_in_95_of_100_hours(shape: str) -> None:
    assert sum(drifts(_SHAPES[shape], 100, 2, 0.5)) >= 95


def test_a_finer_threshold_finds_it_in_a_uniform_distribution_and_is_not_more_often_wrong() -> None:
    def draw(chance: np.random.Generator, count: int) -> Any:
        return chance.random(count)

    assert sum(drifts(draw, 100, 2, 0.5)) < 95
    assert sum(drifts(draw, 100, 2, 0.5, _FINER)) >= 95
    for shape in (draw, *_SHAPES.values()):
        assert sum(drifts(shape, 200, 1, 0.0, _FINER)) <= 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", _SHAPES)
def test_both_limits_hold_in_thousands_of_hours(shape: str) -> None:
    """An hour of a table with sixty features is sixty chances of a false alarm: none in 200 such hours."""
    assert sum(drifts(_SHAPES[shape], 12_000, 3, 0.0)) == 0
    assert sum(drifts(_SHAPES[shape], 2000, 4, 0.5)) >= 1900


def test_a_category_that_becomes_more_frequent_is_found_and_chance_is_not() -> None:
    chance = np.random.default_rng(5)
    values = np.array(["red", "green", "blue"])

    def counts(shares: list[float], rows: int) -> dict[str, int]:
        return dict(zip(values.tolist(), chance.multinomial(rows, shares).tolist(), strict=True))

    usual, changed = [0.5, 0.3, 0.2], [0.3, 0.5, 0.2]
    hours = [counts(usual, _HOUR) for _ in range(200)]
    assert not any(distance.categorical(hour, counts(usual, _BASELINE), robust=True) > _AWS for hour in hours)
    hours = [counts(changed, _HOUR) for _ in range(100)]
    found = [distance.categorical(hour, counts(usual, _BASELINE), robust=True) > _AWS for hour in hours]
    assert sum(found) >= 95


@pytest.mark.parametrize("shape", _SHAPES)
def test_a_sketch_of_a_hundred_thousand_values_is_right_to_a_fifth_of_a_percent(shape: str) -> None:
    values = _SHAPES[shape](np.random.default_rng(6), 100_001)
    found = quantiles.Sketch()
    for start in range(0, len(values), 777):
        found.add(values[start : start + 777])
    levels = found.levels()
    assert quantiles.total(levels) == found.count == len(values)
    assert max(map(len, levels)) <= quantiles.K
    exact = [values.tolist()]
    points = quantiles.points(levels)
    error = np.abs(quantiles.ranks(levels, points) - quantiles.ranks(exact, points)) / len(values)
    assert error.max() < 0.002
    buckets = found.buckets(float(values.min()), float(values.max()))
    assert sum(bucket["count"] for bucket in buckets) == len(values)
    assert all(bucket["count"] >= 0 for bucket in buckets)
