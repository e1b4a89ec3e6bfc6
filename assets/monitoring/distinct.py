"""How many different values there were: exact up to K, then estimated from the K smallest hashes (about 2 % off).

Bar-Yossef et al., "Counting distinct elements in a data stream" (2002). Hashes are of the content, with no seed of the
process: the same data gives the same number.
"""

from __future__ import annotations

import zlib
from typing import Any, Sequence

import kinds
import numpy as np

_K = 2048
_SPAN = float(2**64)


class Distinct:
    """Counts in constant memory."""

    def __init__(self) -> None:
        self._smallest: Any = np.empty(0, dtype=np.uint64)

    def add_numbers(self, values: Any) -> None:
        """Take in an array of float64."""
        self._add((values + 0.0).view(np.uint64))  # -0.0 + 0.0 is 0.0

    def add_texts(self, values: Sequence[str]) -> None:
        """Take in texts."""
        self._add(np.fromiter(map(zlib.crc32, map(kinds.encoded, values)), dtype=np.uint64, count=len(values)))

    def estimate(self) -> int:
        """Return how many."""
        if len(self._smallest) < _K:
            return len(self._smallest)
        return round((_K - 1) * _SPAN / float(self._smallest[-1]))

    def _add(self, codes: Any) -> None:
        codes = _mixed(codes)
        if len(self._smallest) == _K:
            codes = codes[codes < self._smallest[-1]]
        if len(codes):
            self._smallest = np.unique(np.concatenate([self._smallest, codes]))[:_K]


def _mixed(codes: Any) -> Any:
    """Return them evenly spread and still as different as before (the end of splitmix64)."""
    codes = codes + np.uint64(0x9E3779B97F4A7C15)
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return codes ^ (codes >> np.uint64(31))
