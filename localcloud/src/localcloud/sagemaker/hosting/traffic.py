"""Shares of traffic that hold over a hundred requests, not only over a million.

AWS chooses at random. Here a number in [0, 1) for each request comes from an additive recurrence (multiples of an
irrational number), whose values fill the interval evenly at any length: of n requests a share of p gets n * p, give or
take a few. It does not alternate, so that callers who alternate do not meet one variant only.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: two steps that have nothing to do with each other: a share of a share is the product of both
VARIANTS = (math.sqrt(5) - 1) / 2
FLEETS = math.sqrt(2) - 1


class Draw:
    """Draws evenly; the same every time for the same name. Safe from any thread."""

    def __init__(self, name: str, step: float) -> None:
        """``name`` decides where the sequence begins, so that endpoints do not all behave alike."""
        self._start = zlib.crc32(name.encode()) / 2**32
        self._step = step
        self._numbers = itertools.count()

    def next(self) -> float:
        """A number in [0, 1)."""
        return (self._start + next(self._numbers) * self._step) % 1.0

    def choose(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One of the items, by weight. When all weights are zero no share is asked for: each gets the same."""
        if not any(weights):
            weights = [1.0] * len(items)
        point = self.next() * sum(weights)
        for item, end in zip(items, itertools.accumulate(weights), strict=True):
            if point < end:
                return item
        # only rounding leads here
        return next(item for item, weight in zip(reversed(items), reversed(weights), strict=True) if weight)
