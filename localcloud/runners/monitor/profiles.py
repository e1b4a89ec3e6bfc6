"""statistics.json of a data quality analysis: one profile for each column.

Schema: developer guide, model-monitor-byoc-statistics.html; what real files have besides: facts of public runs, see
localcloud/RULES.md. Distinct values are counted exactly, where the container estimates.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import datatypes
import numpy as np
import sketch
from records import Table

VERSION = 0.0
_BUCKETS = 10
#: up to so many distinct values are listed (Deequ's threshold for a histogram)
_FEW = 120


@dataclass(frozen=True)
class Profile:
    """A column: what is written of it, and what the checks need besides."""

    feature: dict[str, Any]
    kinds: Counter[str]
    """How many values are of which kind; Unknown are the missing ones."""
    values: Counter[str]
    """How often each value that is not missing occurs."""

    @property
    def name(self) -> str:
        """The column's name."""
        return str(self.feature["name"])

    @property
    def statistics(self) -> dict[str, Any]:
        """The numerical or the string statistics."""
        found: dict[str, Any] = self.feature.get("numerical_statistics") or self.feature["string_statistics"]
        return found


def of_table(table: Table) -> list[Profile]:
    """A profile for each column, in order."""
    return [_profile(name, column) for name, column in zip(table.names, table.columns, strict=True)]


def statistics(table: Table, profiles: Sequence[Profile]) -> dict[str, Any]:
    """The whole file."""
    return {
        "version": VERSION,
        "dataset": {"item_count": table.rows},
        "features": [profile.feature for profile in profiles],
    }


def categories(feature: dict[str, Any]) -> dict[str, int] | None:
    """How often each category occurs, from a statistics.json; None: too many of them, or numbers."""
    distribution = feature.get("string_statistics", {}).get("distribution")
    if not distribution:
        return None
    return {bucket["value"]: bucket["count"] for bucket in distribution["categorical"]["buckets"]}


def levels(feature: dict[str, Any]) -> list[list[float]] | None:
    """The sketch of a numerical feature, from a statistics.json."""
    distribution = feature.get("numerical_statistics", {}).get("distribution")
    return distribution["kll"]["sketch"]["data"] if distribution else None


def _profile(name: str, column: Sequence[str | None]) -> Profile:
    values = Counter(value for value in column if value is not None and value != "")
    kinds: Counter[str] = Counter()
    for value, count in values.items():
        kinds[datatypes.kind_of(value)] += count
    present = sum(values.values())
    kinds[datatypes.UNKNOWN] = len(column) - present
    inferred = datatypes.infer(kinds)
    feature: dict[str, Any] = {"name": name, "inferred_type": inferred}
    common = {"common": {"num_present": present, "num_missing": len(column) - present}}
    completeness = present / len(column) if column else 0.0
    if inferred in (datatypes.INTEGRAL, datatypes.FRACTIONAL):
        known = {value: datatypes.number_of(value) for value in values}
        numbers = np.array([known[value] for value in column if value])
        feature["numerical_statistics"] = {**common, **_numbers(numbers, len(values), completeness)}
    else:
        feature["string_statistics"] = {**common, **_texts(values, completeness)}
    return Profile(feature, kinds, values)


def _numbers(numbers: sketch.Floats, distinct: int, completeness: float) -> dict[str, Any]:
    least, most = float(numbers.min()), float(numbers.max())
    return {
        "mean": float(numbers.mean()),
        "sum": float(numbers.sum()),
        "std_dev": float(numbers.std()),
        "min": least,
        "max": most,
        "approximate_num_distinct_values": distinct,
        "completeness": completeness,
        "distribution": {
            "kll": {
                "buckets": _buckets(numbers, least, most),
                "sketch": {
                    "parameters": {"c": sketch.C, "k": float(sketch.K)},
                    "data": sketch.build(numbers),
                },
            }
        },
    }


def _buckets(numbers: sketch.Floats, least: float, most: float) -> list[dict[str, float]]:
    """Ten of equal width; each begins where it says and the last one ends where it says."""
    edges = [least + (most - least) * number / _BUCKETS for number in range(_BUCKETS + 1)]
    below = np.searchsorted(np.sort(numbers), edges, side="left").astype(float)
    below[-1] = len(numbers)
    return [
        {"lower_bound": edges[i], "upper_bound": edges[i + 1], "count": float(below[i + 1] - below[i])}
        for i in range(_BUCKETS)
    ]


def _texts(values: Counter[str], completeness: float) -> dict[str, Any]:
    found: dict[str, Any] = {"distinct_count": float(len(values)), "completeness": completeness}
    if 0 < len(values) <= _FEW:
        buckets = [{"value": value, "count": count} for value, count in values.most_common()]
        found["distribution"] = {"categorical": {"buckets": buckets}}
    return found
