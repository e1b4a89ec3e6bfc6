"""Constraints of a data quality baseline, and what of the current data violates one.

Formats: developer guide, model-monitor-byoc-constraints.html and model-monitor-interpreting-violations.html. Generated
thresholds and methods are what files of real runs say (0.1, Robust). The text of data_type_check is Model Monitor's, to
the letter; those of the drift and the domain check have the parts that public code reads out of them.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping

import distance
import kinds
from columns import Column
from settings import UserError

VERSION = 0.0
Violation = Dict[str, str]
_ENABLED = "Enabled"


def suggestions(columns: Mapping[str, Column], rows: int) -> dict[str, Any]:
    """Return constraints.json: what the next data must be like to be like this."""
    return {
        "version": VERSION,
        "features": [_suggested(name, column, rows) for name, column in columns.items()],
        "monitoring_config": {
            "evaluate_constraints": _ENABLED,
            "emit_metrics": _ENABLED,
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": _ENABLED,
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


class Checks:
    """Current data against a baseline."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        rows: int,
        constraints: Mapping[str, Any],
        statistics: Mapping[str, Any] | None,
    ) -> None:
        """Measure the drift of each column that both have. Raises UserError for a baseline of another kind."""
        if "features" not in constraints:
            raise UserError("No usable value for features")
        self._columns, self._rows = columns, rows
        self._expected = constraints["features"]
        self._config: Mapping[str, Any] = constraints.get("monitoring_config", {})
        self._distribution: Mapping[str, Any] = self._config.get("distribution_constraints", {})
        if self._distribution.get("categorical_drift_method", "LInfinity") != "LInfinity":
            raise UserError("categorical_drift_method ChiSquared is not supported by the portable analyzer")
        self.drifts: dict[str, float] = {}
        """The distance from the baseline, of each column that has one."""
        if statistics is not None and self._distribution.get("perform_comparison", _ENABLED) == _ENABLED:
            self._measure(statistics)

    @property
    def emits_metrics(self) -> bool:
        """Whether the baseline wants CloudWatch metrics."""
        return bool(self._config.get("emit_metrics", _ENABLED) == _ENABLED)

    def violations(self) -> list[Violation]:
        """Return all of them, in the order of the baseline's columns; data without a row violates nothing."""
        if not self._rows or self._config.get("evaluate_constraints", _ENABLED) != _ENABLED:
            return []
        return [*self._counted(), *(each for feature in self._expected for each in self._feature(feature))]

    def _measure(self, statistics: Mapping[str, Any]) -> None:
        robust = str(self._distribution.get("comparison_method", "Robust")).lower() in ("robust", "linf_robust")
        for before in statistics.get("features", []):
            name, column = before["name"], self._columns.get(before["name"])
            # a type that changed is a violation by itself: AWS's published run has no drift beside it
            if column is None or ("numerical_statistics" in before) != (column.inferred_type in kinds.NUMBERS):
                continue
            if "numerical_statistics" in before:
                distribution = before["numerical_statistics"].get("distribution")
                if distribution:
                    known = distribution["kll"]["sketch"]["data"]
                    self.drifts[name] = distance.numerical(column.levels(), known, robust)
                continue
            distribution = before.get("string_statistics", {}).get("distribution")
            if distribution and column.categories:
                shares = {each["value"]: each["count"] for each in distribution["categorical"]["buckets"]}
                self.drifts[name] = distance.categorical(column.categories, shares, robust)

    def _counted(self) -> Iterator[Violation]:
        now, before = len(self._columns), len(self._expected)
        if now == before:
            return
        kind, name = ("missing", "Missing columns") if now < before else ("extra", "Extra columns")
        yield _violation(
            name,
            f"{kind}_column_check",
            f"There are {kind} columns in current dataset. Number of columns in current dataset: {now}, "
            f"Number of columns in baseline constraints: {before}",
        )

    def _feature(self, expected: Mapping[str, Any]) -> Iterator[Violation]:
        name, column = expected["name"], self._columns.get(expected["name"])
        overrides = expected.get("monitoringConfigOverrides") or {}
        config = {**self._config, **overrides}
        if column is None or config.get("evaluate_constraints", _ENABLED) != _ENABLED:
            return
        yield from _type(name, column, expected, float(config.get("datatype_check_threshold", 1.0)))
        yield from _completeness(name, column.present / self._rows, expected)
        yield from _domain(name, column, expected, float(config.get("domain_content_threshold", 1.0)))
        limits = {**self._distribution, **(overrides.get("distribution_constraints") or {})}
        yield from self._drift(name, column.inferred_type in kinds.NUMBERS, limits)

    def _drift(self, name: str, numerical: bool, limits: Mapping[str, Any]) -> Iterator[Violation]:
        found = self.drifts.get(name)
        limit = limits.get("comparison_threshold", 0.1)
        if not numerical:
            limit = limits.get("categorical_comparison_threshold", limit)
        if found is not None and limits.get("perform_comparison", _ENABLED) == _ENABLED and found > limit:
            text = f"Baseline drift distance: {found} exceeds threshold: {limit}"
            yield _violation(name, "baseline_drift_check", text)


def _suggested(name: str, column: Column, rows: int) -> dict[str, Any]:
    [found] = column.statistics(rows).values()
    kind = column.inferred_type
    suggested = {"name": name, "inferred_type": kind, "completeness": found["completeness"]}
    if kind in kinds.NUMBERS:
        suggested["num_constraints"] = {"is_non_negative": found["min"] >= 0}
    elif column.categories:
        suggested["string_constraints"] = {"domains": list(column.categories)}
    return suggested


def _type(name: str, column: Column, expected: Mapping[str, Any], threshold: float) -> Iterator[Violation]:
    wanted = expected.get("inferred_type")
    fitting = kinds.FITTING.get(str(wanted))
    if fitting is None or not column.present:
        return
    share = sum(column.kinds[kind] for kind in fitting) / column.present
    if share < threshold:
        yield _violation(
            name,
            "data_type_check",
            f"Data type match requirement is not met. Expected data type: {wanted}, Expected match: "
            f"{threshold * 100}%. Observed: Only {share * 100}% of data is {wanted}.",
        )


def _completeness(name: str, found: float, expected: Mapping[str, Any]) -> Iterator[Violation]:
    wanted = expected.get("completeness")
    if wanted is not None and found < wanted:
        text = f"Value: {found} does not meet the constraint requirement! Expected completeness: {wanted}"
        yield _violation(name, "completeness_check", text)


def _domain(name: str, column: Column, expected: Mapping[str, Any], threshold: float) -> Iterator[Violation]:
    if (expected.get("string_constraints") or {}).get("domains") is None or not column.present:
        return
    share = column.in_domain / column.present
    if share < threshold:
        text = f"Value: {share} does not meet the constraint requirement! Share of known values expected: {threshold}"
        yield _violation(name, "categorical_values_check", text)


def _violation(name: str, check: str, text: str) -> Violation:
    return {"feature_name": name, "constraint_check_type": check, "description": text}
