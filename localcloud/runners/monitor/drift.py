"""How far two distributions are from each other: L-infinity, plain or corrected for small samples.

Formulas: awslabs/deequ, Distance.scala; `Robust` takes off what chance explains (two-sample Kolmogorov-Smirnov test,
c = 1.8). Developer guide: model-monitor-byoc-constraints.html, comparison_method.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import sketch

_C_ALPHA = 1.8


def numerical(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]], robust: bool) -> float:
    """Between two sketches: the greatest difference of their cumulative distributions."""
    n, m = sketch.total(one), sketch.total(other)
    if not n or not m:
        return 0.0
    everywhere = np.union1d(sketch.points(one), sketch.points(other))
    gap = float(np.max(np.abs(sketch.ranks(one, everywhere) / n - sketch.ranks(other, everywhere) / m)))
    return _corrected(gap, n, m) if robust else gap


def categorical(one: Mapping[str, int], other: Mapping[str, int], robust: bool) -> float:
    """Between two counts of categories: the greatest difference of a category's share."""
    n, m = sum(one.values()), sum(other.values())
    if not n or not m:
        return 0.0
    gap = max(abs(one.get(value, 0) / n - other.get(value, 0) / m) for value in {*one, *other})
    return _corrected(gap, n, m) if robust else gap


def _corrected(gap: float, n: int, m: int) -> float:
    return max(0.0, gap - _C_ALPHA * math.sqrt((n + m) / (n * m)))
