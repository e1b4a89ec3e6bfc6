"""How far two distributions are from each other: L-infinity, plain or corrected for small samples.

Formulas: awslabs/deequ, Distance.scala; ``Robust`` takes off what chance explains, as a two-sample Kolmogorov-Smirnov
test with c = 1.8 does (chance gets further than that in 2 * exp(-2 * 1.8**2) = 0.3 % of windows, before any threshold).
Developer guide: model-monitor-byoc-constraints.html, comparison_method. What this finds and how
often it is wrong, measured: docs/decisions.md.
"""

from __future__ import annotations

import math
from typing import Mapping, Sequence

import numpy as np
import quantiles

_C_ALPHA = 1.8


def numerical(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]], robust: bool) -> float:
    """Return the greatest difference between the cumulative distributions of two sketches."""
    n, m = quantiles.total(one), quantiles.total(other)
    if not n or not m:
        return 0.0
    everywhere = np.union1d(quantiles.points(one), quantiles.points(other))
    gap = float(np.max(np.abs(quantiles.ranks(one, everywhere) / n - quantiles.ranks(other, everywhere) / m)))
    return _corrected(gap, n, m) if robust else gap


def categorical(one: Mapping[str, int], other: Mapping[str, int], robust: bool) -> float:
    """Return the greatest difference of a category's share between two counts."""
    n, m = sum(one.values()), sum(other.values())
    if not n or not m:
        return 0.0
    gap = max(abs(one.get(value, 0) / n - other.get(value, 0) / m) for value in {*one, *other})
    return _corrected(gap, n, m) if robust else gap


def _corrected(gap: float, n: int, m: int) -> float:
    return max(0.0, gap - _C_ALPHA * math.sqrt((n + m) / (n * m)))
