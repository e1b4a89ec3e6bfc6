"""Distributions as report files have them: shares in common bins, and how far two of them are from each other.

Numbers come as a KLL sketch: a value in list ``level`` stands for 2**level values (Karnin, Lang, Liberty: arXiv
1603.05346; developer guide, model-monitor-byoc-statistics.html). The distance is the one that the constraints ask for:
the largest difference of the two cumulative distributions, of categories that of their shares; ``Robust`` takes off
what chance explains (awslabs/deequ, Distance.scala).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BINS = 24
_FEW = 12
"""Up to so many different numbers are shown one by one, as categories are."""

_TAIL = 0.002
"""The share at each end that is drawn in the outermost bin, so that one wild value does not squeeze the rest."""

_CHANCE = 1.8
"""The constant of the two-sample Kolmogorov-Smirnov test in deequ's robust distance."""


@dataclass(frozen=True)
class Numbers:
    """Values in order, with how many each stands for."""

    values: Floats
    weights: Floats

    @classmethod
    def of(cls, feature: Mapping[str, Any]) -> Numbers | None:
        """Read a feature of a statistics.json; None when it has no sketch, or an empty one."""
        kll = feature.get("numerical_statistics", {}).get("distribution", {}).get("kll", {})
        levels = kll.get("sketch", {}).get("data", [])
        values = np.array([value for level in levels for value in level], dtype=np.float64)
        weights = np.array([2.0**number for number, level in enumerate(levels) for _ in level], dtype=np.float64)
        if not len(values):
            return None
        order = np.argsort(values, kind="stable")
        return cls(values[order], weights[order])

    @property
    def total(self) -> float:
        """How many values it stands for."""
        return float(self.weights.sum())

    def below(self, points: Floats) -> Floats:
        """For each point the share of values that are not greater."""
        sums = np.concatenate([[0.0], np.cumsum(self.weights)])
        return np.asarray(sums[np.searchsorted(self.values, points, side="right")] / sums[-1], dtype=np.float64)

    def quantile(self, share: float) -> float:
        """The value up to which this share of all lies."""
        found = np.searchsorted(np.cumsum(self.weights), share * self.total)
        return float(self.values[min(int(found), len(self.values) - 1)])

    def shares(self, edges: Floats) -> Floats:
        """The share in each bin; what lies outside of the edges counts in the outermost bins."""
        inside = np.clip(self.values, edges[0], edges[-1])
        counts = np.histogram(inside, bins=edges, weights=self.weights)[0]
        return np.asarray(counts / self.total, dtype=np.float64)


@dataclass(frozen=True)
class Bins:
    """Two distributions of numbers over the same edges, as shares."""

    edges: tuple[float, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


@dataclass(frozen=True)
class Categories:
    """Two distributions over the same values, as shares; most frequent first, numbers in order."""

    names: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]
    others: int = 0
    """Values that are not among the names."""


def compare(before: Mapping[str, Any], now: Mapping[str, Any], most: int = 10) -> Bins | Categories | None:
    """Return a feature's two distributions side by side; None where one has none, or they are of different kinds."""
    numbers = Numbers.of(before), Numbers.of(now)
    if numbers[0] is not None and numbers[1] is not None:
        return _numbers(numbers[0], numbers[1])
    counts = counts_of(before), counts_of(now)
    if counts[0] and counts[1]:
        return _categories(counts[0], counts[1], most)
    return None


def counts_of(feature: Mapping[str, Any]) -> dict[str, float]:
    """Return how often each category occurs; nothing for numbers and for texts of too many values."""
    distribution = feature.get("string_statistics", {}).get("distribution", {})
    buckets = distribution.get("categorical", {}).get("buckets", [])
    return {str(bucket["value"]): float(bucket["count"]) for bucket in buckets}


def distance(before: Mapping[str, Any], now: Mapping[str, Any], robust: bool) -> float | None:
    """Return how far a feature is from its baseline, 0 the same, 1 nothing in common; None where it cannot be told."""
    one, other = Numbers.of(before), Numbers.of(now)
    if one is not None and other is not None:
        points = np.union1d(one.values, other.values)
        gap = float(np.max(np.abs(one.below(points) - other.below(points))))
        return _corrected(gap, one.total, other.total) if robust else gap
    known, found = counts_of(before), counts_of(now)
    if not known or not found:
        return None
    n, m = sum(known.values()), sum(found.values())
    gap = max(abs(known.get(value, 0) / n - found.get(value, 0) / m) for value in {*known, *found})
    return _corrected(gap, n, m) if robust else gap


def chance(n: float, m: float) -> float:
    """Return the distance that chance explains between two samples of these sizes, which ``Robust`` takes off."""
    return _CHANCE * math.sqrt((n + m) / (n * m))


def _corrected(gap: float, n: float, m: float) -> float:
    return max(0.0, gap - chance(n, m))


def _numbers(before: Numbers, now: Numbers) -> Bins | Categories:
    distinct = np.union1d(before.values, now.values)
    if len(distinct) <= _FEW:
        names = tuple(f"{value:g}" for value in distinct)
        first, then = (
            tuple(float(one.weights[one.values == value].sum() / one.total) for value in distinct)
            for one in (before, now)
        )
        return Categories(names, first, then)
    low = min(before.quantile(_TAIL), now.quantile(_TAIL))
    high = max(before.quantile(1 - _TAIL), now.quantile(1 - _TAIL))
    if low == high:
        low, high = float(distinct[0]), float(distinct[-1])
    edges = np.linspace(low, high, _bins(distinct, low, high) + 1)
    return Bins(tuple(edges.tolist()), tuple(before.shares(edges).tolist()), tuple(now.shares(edges).tolist()))


def _bins(distinct: Floats, low: float, high: float) -> int:
    """As many bins as there is room for; of whole numbers not more than there are, or gaps would look like data."""
    whole = bool(np.all(distinct == np.round(distinct)))
    return max(1, min(_BINS, int(high - low))) if whole else _BINS


def _categories(before: Mapping[str, float], now: Mapping[str, float], most: int) -> Categories:
    n, m = sum(before.values()), sum(now.values())
    names: Sequence[str] = sorted(
        {*before, *now}, key=lambda name: (-max(before.get(name, 0) / n, now.get(name, 0) / m), name)
    )
    shown = names[:most]
    return Categories(
        tuple(shown),
        tuple(before.get(name, 0) / n for name in shown),
        tuple(now.get(name, 0) / m for name in shown),
        len(names) - len(shown),
    )
