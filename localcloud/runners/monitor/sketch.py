"""A KLL sketch: the distribution of any number of values in a few lists (Karnin, Lang, Liberty: arXiv 1603.05346).

A value in list `level` stands for 2**level values. Up to K values nothing is lost. The file format, K and C are the
container's; which half of a full list survives alternates, so the same data gives the same sketch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

C, K = 0.64, 2048
Levels = list[list[float]]
Floats = NDArray[np.float64]


def build(values: Sequence[float] | Floats) -> Levels:
    """The lists; together they stand for exactly `len(values)` values."""
    levels: Levels = [[float(value) for value in values]]
    for level, full in enumerate(levels):  # which grows meanwhile
        if len(full) <= K:
            break
        ordered = sorted(full)
        # of an odd number one stays behind: the weight of all would not be right without it
        levels[level] = [ordered.pop()] if len(ordered) % 2 else []
        levels.append(ordered[level % 2 :: 2])
    return levels


def total(levels: Sequence[Sequence[float]]) -> int:
    """How many values it stands for."""
    return sum(len(values) << level for level, values in enumerate(levels))


def ranks(levels: Sequence[Sequence[float]], points: Floats) -> Floats:
    """For each point, how many values are not greater."""
    found = np.zeros(len(points))
    for level, values in enumerate(levels):
        found += np.searchsorted(np.sort(np.asarray(values, float)), points, side="right") * float(1 << level)
    return found


def points(levels: Sequence[Sequence[float]]) -> Floats:
    """The distinct values that it holds, in order."""
    return np.unique(np.concatenate([np.asarray(values, float) for values in levels]))
