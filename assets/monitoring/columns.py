"""One column, taken in block by block: what statistics.json says of it, in memory that does not grow with the rows.

Exact: how many values there are and of which kind, sum, mean, deviation, extremes, categories (up to 120 different
ones, Deequ's threshold), values within a known domain, and the distribution of up to 2,048 values. Beyond that the
distribution is a sketch and the number of different values an estimate.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import Any, Mapping, Sequence

import kinds
import numpy as np
from distinct import Distinct
from quantiles import C, K, Sketch

_FEW = 120
#: a block with more different values than this, and than a quarter of its values, is not worth counting
_MANY = 256
#: shapes whose kinds are remembered
_SHAPES = 4096


class Moments:
    """Sum, mean, deviation and extremes of the numbers so far (Chan, Golub, LeVeque: merging of two samples)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.sum = self._squares = 0.0
        self.min, self.max = float("inf"), float("-inf")

    def add(self, values: Any) -> None:
        """Take in an array of float64."""
        count, mean, added = len(values), float(values.mean()), float(values.sum())
        squares = float(((values - mean) ** 2).sum())
        total = self.count + count
        step = mean - self.mean
        self._squares += squares + step * step * self.count * count / total
        self.mean += step * count / total
        self.sum += added
        self.count = total
        self.min, self.max = min(self.min, float(values.min())), max(self.max, float(values.max()))

    @property
    def deviation(self) -> float:
        """Of the whole, not of a sample."""
        return float((self._squares / self.count) ** 0.5) if self.count else 0.0


class Column:
    """What is known of a column so far."""

    def __init__(self, domain: Sequence[str] | None = None) -> None:
        """Count values that are in the domain, too, when there is one."""
        self.present = 0
        self.kinds: Counter[str] = Counter()
        self.in_domain = 0
        self._domain = None if domain is None else frozenset(domain)
        self._few: Counter[str] | None = Counter()
        self._distinct = Distinct()
        self._moments, self._sketch = Moments(), Sketch()
        self._shape_kinds: dict[bytes, str] = {}
        self._many = False

    def add(self, values: Sequence[str]) -> None:
        """Take in some values; an empty one is missing."""
        if self._many:
            self._add_many(values)
        else:
            self._add_few(values)

    @property
    def inferred_type(self) -> str:
        """Integral, Fractional, String or Unknown."""
        return kinds.infer(self.kinds)

    @property
    def categories(self) -> Mapping[str, int] | None:
        """How often each value occurs, the most frequent first; None for numbers and for too many."""
        if self.inferred_type in kinds.NUMBERS or not self._few:
            return None
        return dict(self._few.most_common())

    def levels(self) -> list[list[float]]:
        """Return the sketch of the numbers."""
        return self._sketch.levels()

    def statistics(self, rows: int) -> dict[str, Any]:
        """Return numerical_statistics or string_statistics, for a table of so many rows."""
        common = {"num_present": self.present, "num_missing": rows - self.present}
        completeness = self.present / rows if rows else 0.0
        if self.inferred_type not in kinds.NUMBERS:
            found = self._texts(completeness)
            return {"string_statistics": {"common": common, **found}}
        moments = self._moments
        return {
            "numerical_statistics": {
                "common": common,
                "mean": moments.mean,
                "sum": moments.sum,
                "std_dev": moments.deviation,
                "min": moments.min,
                "max": moments.max,
                "approximate_num_distinct_values": self._distinct.estimate(),
                "completeness": completeness,
                "distribution": {
                    "kll": {
                        "buckets": self._sketch.buckets(moments.min, moments.max),
                        "sketch": {"parameters": {"c": C, "k": float(K)}, "data": self.levels()},
                    }
                },
            }
        }

    def _texts(self, completeness: float) -> dict[str, Any]:
        different = len(self._few) if self._few is not None else self._distinct.estimate()
        found: dict[str, Any] = {"distinct_count": float(different), "completeness": completeness}
        if self.categories:
            buckets = [{"value": value, "count": count} for value, count in self.categories.items()]
            found["distribution"] = {"categorical": {"buckets": buckets}}
        return found

    def _add_few(self, values: Sequence[str]) -> None:
        """Look at each different value once."""
        counts = Counter(values)
        counts.pop("", None)
        texts, times = list(counts), np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
        self.present += int(times.sum())
        if self._domain is not None:
            self.in_domain += sum(count for text, count in counts.items() if text in self._domain)
        if self._few is not None:
            self._few.update(counts)
            if len(self._few) > _FEW:
                self._few = None
        found = [self._kind(shape) for shape in kinds.shapes(texts)] if texts else []
        for kind, count in zip(found, times.tolist()):
            self.kinds[kind] += count
        self._take(texts, found, times)
        self._many = len(counts) > _MANY and len(counts) > len(values) // 4

    def _add_many(self, values: Sequence[str]) -> None:
        """Look at each different shape once."""
        if "" in values:
            values = [value for value in values if value]
        self.present += len(values)
        if not values:
            return
        if self._domain is not None:
            self.in_domain += sum(map(self._domain.__contains__, values))
        shapes = kinds.shapes(values)
        counts = Counter(shapes)
        known = {shape: self._kind(shape) for shape in counts}
        for shape, count in counts.items():
            self.kinds[known[shape]] += count
        if set(known.values()) <= {*kinds.NUMBERS}:
            self._take(values, None, None)
        else:
            self._take(values, [known[shape] for shape in shapes], None)

    def _take(self, texts: Sequence[str], found: Sequence[str] | None, times: Any) -> None:
        """Take in texts of these kinds (None: all are numbers), each so many times (None: once)."""
        if found is not None:
            chosen = [kind in kinds.NUMBERS for kind in found]
            if not all(chosen):
                self._distinct.add_texts([text for text, number in zip(texts, chosen) if not number])
                texts = list(compress(texts, chosen))
                times = None if times is None else times[np.array(chosen, dtype=bool)]
        if not texts:
            return
        numbers = _numbers(texts)
        self._distinct.add_numbers(numbers)
        if self.inferred_type in kinds.NUMBERS:  # of texts no moments are told
            if times is not None:
                numbers = np.repeat(numbers, times)
            self._moments.add(numbers)
            self._sketch.add(numbers)

    def _kind(self, shape: bytes) -> str:
        kind = self._shape_kinds.get(shape)
        if kind is None:
            kind = kinds.kind_of(shape)
            if len(self._shape_kinds) < _SHAPES:
                self._shape_kinds[shape] = kind
        return kind


def _numbers(texts: Sequence[str]) -> Any:
    """Return the values of Fractionals and Integrals."""
    try:
        return np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except ValueError:  # a sign may stand apart
        return np.array([float(text.replace(" ", "")) for text in texts])
