"""A distribution of any number of values in a few lists: a KLL sketch (Karnin, Lang, Liberty: arXiv 1603.05346).

A value in list ``level`` stands for 2**level values; the lists together stand for exactly as many as came. Up to K
values nothing is lost. A list that is full is sorted, and every second value goes one level up; which half it is
alternates, so the same data gives the same sketch. File format, K and C are Model Monitor's. Every level here holds up
to K values, where KLL shrinks the lower ones by C: that costs kilobytes, and bounds the rank error by levels / 2K. At a
million values that is 0.3 %.
"""

from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np

C, K = 0.64, 2048
_BUCKETS = 10
Floats = Any  # numpy.ndarray of float64; the containers' numpy knows no types for it
Levels = List[List[float]]


class Sketch:
    """Grows value by value, in constant memory."""

    def __init__(self) -> None:
        self.count = 0
        self._levels: list[Floats] = [np.empty(0)]
        self._turns: list[int] = [0]

    def add(self, values: Floats) -> None:
        """Take in an array of finite numbers."""
        self.count += len(values)
        full = np.concatenate([self._levels[0], values])
        level = 0
        while len(full) > K:
            full.sort()
            kept = len(full) % 2
            # of an odd number one stays behind: the weight of all would not be right without it
            self._levels[level], half = full[len(full) - kept :], full[self._turns[level] : len(full) - kept : 2]
            self._turns[level] ^= 1
            level += 1
            if level == len(self._levels):
                self._levels.append(np.empty(0))
                self._turns.append(level % 2)
            full = np.concatenate([self._levels[level], half])
        self._levels[level] = full

    def levels(self) -> Levels:
        """Return the lists as the files have them."""
        return [values.tolist() for values in self._levels]

    def buckets(self, least: float, most: float) -> list[dict[str, float]]:
        """Return ten buckets of equal width; the last one ends where it says, the others before the next begins."""
        edges = [least + (most - least) * number / _BUCKETS for number in range(_BUCKETS + 1)]
        below = ranks(self._levels, np.array(edges), "left")
        below[0], below[-1] = 0, self.count
        return [
            {"lower_bound": edges[i], "upper_bound": edges[i + 1], "count": float(below[i + 1] - below[i])}
            for i in range(_BUCKETS)
        ]


def total(levels: Sequence[Sequence[float]]) -> int:
    """Return how many values the lists stand for."""
    return sum(len(values) << level for level, values in enumerate(levels))


def ranks(levels: Sequence[Sequence[float]], points: Floats, side: Any = "right") -> Floats:
    """Return for each point how many values are not greater (``left``: how many are smaller)."""
    found = np.zeros(len(points))
    for level, values in enumerate(levels):
        found += np.searchsorted(np.sort(np.asarray(values, dtype=float)), points, side=side) * float(1 << level)
    return found


def points(levels: Sequence[Sequence[float]]) -> Floats:
    """Return the distinct values of the lists, in order."""
    return np.unique(np.concatenate([np.asarray(values, dtype=float) for values in levels]))
