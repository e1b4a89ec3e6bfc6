"""Constraints of a data quality baseline, so that chance alone violates none of them, and changes that matter still do.

What an analyzer suggests is what the training rows are like: no gap more, and for each column the same distance that is
too far. What is changed, and why:

    completeness      by chance an hour has more gaps than the training rows had: the least that chance explains
    inferred_type     of a column that has one value only: nothing says that its numbers are whole
    known values      where training rows have values that occur once, there are more of that kind
    distance          lower than the usual 0.1 where half a standard deviation would not be found with that, but never
                      so low that chance alone goes over it

Names: developer guide, model-monitor-byoc-constraints.html and -statistics.html. Both engines write and read them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from slack_chance import ROBUST, floor, moved, noise, unit

_SHIFT = 0.5
"""The shift that is to be found, in standard deviations ..."""

_NORMAL_95 = 1.645
"""... and how far below what is expected only 5 of 100 distances fall, in standard deviations. Of a share, that is at
most half a ``unit``."""

_USUAL = 0.1
"""The distance that Model Monitor suggests for every column. No column gets a higher one."""


MEASURED = 100
"""Columns at most whose metrics CloudWatch is given. Each has up to three, at about 0.30 US dollars a month if asked
all day: for 784 pixels several times what the endpoint costs. Reports have all of them anyway."""


def relaxed(
    constraints: Mapping[str, Any], statistics: Mapping[str, Any], rows: int, risk: float, labelled: bool
) -> dict[str, Any]:
    """Return the constraints for windows of at least so many rows.

    ``risk`` is that of calling any of the columns violated by chance. If ``labelled``, the first column has labels in
    the baseline and a model's answers in a window; those may differ for good, and its distance stays as it is.
    """
    found = copy.deepcopy(dict(constraints))
    before = int(statistics["dataset"]["item_count"])
    known = {feature["name"]: feature for feature in statistics["features"]}
    each = risk / max(2 * len(found["features"]), 1)
    for place, feature in enumerate(found["features"]):
        about = known.get(feature["name"])
        if about is None or not before:
            continue
        _column(feature, about, before, rows, each)
        if not (labelled and place == 0):
            _distance(feature, about, before, rows, each)
    if len(found["features"]) > MEASURED:
        found.setdefault("monitoring_config", {})["emit_metrics"] = "Disabled"
    return found


def _column(feature: dict[str, Any], about: Mapping[str, Any], before: int, rows: int, risk: float) -> None:
    """Give slack to what is asked of each value."""
    if isinstance(feature.get("completeness"), (int, float)):
        feature["completeness"] = floor(feature["completeness"], before, rows, risk)
    numbers = about.get("numerical_statistics")
    if numbers and numbers.get("min") == numbers.get("max") and feature.get("inferred_type") == "Integral":
        feature["inferred_type"] = "Fractional"
    once = sum(count == 1 for count in _categories(about).values())
    if once and "string_constraints" in feature:
        _overrides(feature)["domain_content_threshold"] = floor(1 - once / before, before, rows, risk)


def _distance(feature: dict[str, Any], about: Mapping[str, Any], before: int, rows: int, risk: float) -> None:
    """Set the distance that is too far, where the usual one would miss a shift that is to be found."""
    counts = _categories(about)
    if counts:
        most = max(counts.values()) / before
        gap, key, chances = _SHIFT * math.sqrt(most * (1 - most)), "categorical_comparison_threshold", len(counts)
    else:
        gap, key, chances = _numbers_move(feature, about), "comparison_threshold", 1
    if not gap:
        return
    expected = gap - ROBUST * unit(before, rows)
    limit = max(expected - _NORMAL_95 * unit(before, rows) / 2, noise(before, rows, risk / chances))
    if limit < _USUAL:
        _overrides(feature).setdefault("distribution_constraints", {})[key] = math.floor(limit * 10_000) / 10_000


def _numbers_move(feature: Mapping[str, Any], about: Mapping[str, Any]) -> float:
    """Return how far the distribution moves that is to be found, 0 where that cannot be said."""
    numbers = about.get("numerical_statistics", {})
    sketch, deviation = numbers.get("distribution", {}).get("kll", {}).get("sketch"), numbers.get("std_dev")
    if not sketch or not deviation:
        return 0.0
    return moved(sketch["data"], _SHIFT * deviation, whole=feature.get("inferred_type") == "Integral")


def _categories(about: Mapping[str, Any]) -> dict[str, int]:
    distribution = about.get("string_statistics", {}).get("distribution", {})
    buckets = distribution.get("categorical", {}).get("buckets", [])
    return {str(bucket["value"]): int(bucket["count"]) for bucket in buckets}


def _overrides(feature: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = feature.setdefault("monitoringConfigOverrides", {})
    return found
