"""Violations of a data quality report in words, by column.

What a violation is called and what its text tells: developer guide, model-monitor-interpreting-violations.html, and the
facts of the containers, section 5.3. A text that is none of these is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.monitor.distributions import counts_of, distance

_TYPES = {
    "Integral": "whole numbers",
    "Fractional": "numbers",
    "String": "texts",
    "Boolean": "true or false",
}
_NAMED = 4
"""Unknown values that are named."""

NAMES = {
    "baseline_drift_check": "drifted",
    "data_type_check": "other type",
    "completeness_check": "gaps",
    "categorical_values_check": "unknown values",
    "missing_column_check": "columns missing",
    "extra_column_check": "columns added",
}
"""What a check found, in two words."""


@dataclass(frozen=True)
class Reports:
    """The files of a run and of its baseline; empty where a file was not there."""

    statistics: Mapping[str, Any]
    violations: Sequence[Mapping[str, Any]]
    baseline: Mapping[str, Any]
    constraints: Mapping[str, Any]
    """The baseline's: what the run was held against."""

    @property
    def rows(self) -> int:
        """How many rows were analysed."""
        return int(self.statistics.get("dataset", {}).get("item_count", 0))

    @property
    def empty(self) -> bool:
        """Whether there was nothing to analyse: the portable engine says so, where Model Monitor's run fails."""
        return self.statistics.get("dataset", {}).get("item_count") == 0 and not self.violations


@dataclass(frozen=True)
class Column:
    """One column of the data: as it was in the baseline, as it is now, and what is wrong with it."""

    name: str
    before: Mapping[str, Any]
    now: Mapping[str, Any]
    distance: float | None
    gap: float
    """The distance before anything is taken off for chance: it tells columns apart that are all near."""
    limit: float
    checks: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def violated(self) -> bool:
        """Whether it is not as it was."""
        return bool(self.checks)


def columns(reports: Reports) -> list[Column]:
    """Return all columns that baseline or run has: those with violations first, then those farthest from it."""
    before, now = _features(reports.baseline), _features(reports.statistics)
    overrides = {
        one["name"]: one.get("monitoringConfigOverrides") or {} for one in reports.constraints.get("features", [])
    }
    found = [
        _column(reports, name, before.get(name, {}), now.get(name, {}), overrides.get(name, {}))
        for name in {**before, **now}
    ]
    return sorted(found, key=lambda one: (not one.violated, -(one.distance or 0.0), -one.gap))


def about_all(reports: Reports) -> list[tuple[str, str]]:
    """Return what is wrong with no column of its own: the check and its words."""
    known = {**_features(reports.baseline), **_features(reports.statistics)}
    return [
        (str(one.get("constraint_check_type", "")), _of_columns(one))
        for one in reports.violations
        if one.get("feature_name") not in known
    ]


def robust(constraints: Mapping[str, Any]) -> bool:
    """Say whether distances are corrected for small samples, as they are unless the constraints say otherwise."""
    method = str(_comparison(constraints).get("comparison_method", "Robust"))
    return method.removeprefix("linf_").lower() == "robust"


def _column(
    reports: Reports, name: str, before: Mapping[str, Any], now: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Column:
    limits = {**_comparison(reports.constraints), **(overrides.get("distribution_constraints") or {})}
    key = "comparison_threshold" if "numerical_statistics" in before else "categorical_comparison_threshold"
    limit = float(limits.get(key, 0.1))
    violations = [one for one in reports.violations if one.get("feature_name") == name]
    return Column(
        name=name,
        before=before,
        now=now,
        distance=distance(before, now, robust(reports.constraints)),
        gap=distance(before, now, robust=False) or 0.0,
        limit=limit,
        checks=tuple(str(one.get("constraint_check_type", "")) for one in violations),
        words=tuple(_words(one, before, now) for one in violations),
    )


def _words(violation: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    check, text = violation.get("constraint_check_type"), str(violation.get("description", ""))
    if check == "baseline_drift_check" and (found := re.search(r"distance: (\S+) exceeds threshold: (\S+)", text)):
        return _drift(float(found[1]), float(found[2]), before, now)
    if check == "data_type_check" and (
        found := re.search(r"type: (\w+).*match: ([\d.]+)%.*Only ([\d.]+)% of data", text)
    ):
        kind = _TYPES.get(found[1], found[1])
        return f"{percent(1 - float(found[3]) / 100)} of its values are not {kind}, which they were in training."
    if check == "completeness_check" and (now and before):
        was = missing(before)
        return f"It is missing in {percent(missing(now))} of the rows; in training it was " + (
            f"in {percent(was)}." if was else "never missing."
        )
    if check == "categorical_values_check" and (found := re.search(r"Value: ([\d.eE-]+) does not", text)):
        return f"{percent(1 - float(found[1]))} of its values were never seen in training{_unknown(before, now)}."
    return text or str(check)


def _drift(found: float, limit: float, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    words = f"Its values are distributed otherwise than in training: distance {found:.2f}, allowed is {limit:g}."
    return f"{words} {moved(before, now)}".rstrip()


def moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say how a column's middle moved, or which category's share changed most; nothing where neither can be said."""
    one, other = before.get("numerical_statistics"), now.get("numerical_statistics")
    if one and other:
        mean, found, deviation = float(one["mean"]), float(other["mean"]), float(one.get("std_dev") or 0)
        change = f", {abs(found - mean) / deviation:.1f} standard deviations" if deviation else ""
        return f"The mean went from {number(mean)} to {number(found)}{change}."
    known, counted = counts_of(before), counts_of(now)
    if not known or not counted:
        return ""
    n, m = sum(known.values()), sum(counted.values())
    name = max(sorted({*known, *counted}), key=lambda value: abs(known.get(value, 0) / n - counted.get(value, 0) / m))
    return f"The share of '{name}' went from {percent(known.get(name, 0) / n)} to {percent(counted.get(name, 0) / m)}."


def _unknown(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    known, found = counts_of(before), counts_of(now)
    new = sorted((name for name in found if name not in known), key=lambda name: (-found[name], name))
    if not new:
        return ""
    rest = len(new) - _NAMED
    return ": " + ", ".join(f"'{name}'" for name in new[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _of_columns(violation: Mapping[str, Any]) -> str:
    text = str(violation.get("description", ""))
    found = re.search(r"current dataset: (\d+).*baseline constraints: (\d+)", text)
    if found:
        return f"Rows have {found[1]} columns, and {found[2]} in training."
    return text


def missing(feature: Mapping[str, Any]) -> float:
    """Return the share of rows in which a column has no value."""
    statistics = feature.get("numerical_statistics") or feature.get("string_statistics") or {}
    common = statistics.get("common", {})
    absent, present = common.get("num_missing", 0), common.get("num_present", 0)
    return float(absent) / (absent + present) if absent + present else 0.0


def percent(share: float) -> str:
    """Return ``4.1%``, and never 0 or 100% where it is not."""
    if 0 < share < 0.001:
        return "less than 0.1%"
    if 0.999 < share < 1:
        return "more than 99.9%"
    return f"{100 * share:.1f}%".replace(".0%", "%")


def number(value: float) -> str:
    """Return a number with as many digits as one reads."""
    if value and not 0.001 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:,.4g}" if abs(value) < 10000 else f"{value:,.0f}"


def _features(statistics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(one["name"]): one for one in statistics.get("features", [])}


def _comparison(constraints: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = constraints.get("monitoring_config", {}).get("distribution_constraints", {})
    return found
