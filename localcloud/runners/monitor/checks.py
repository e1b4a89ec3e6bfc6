"""constraint_violations.json of a data quality analysis (developer guide, model-monitor-interpreting-violations.html).

The text of data_type_check is the container's, word for word; those of the drift and the domain check have the parts
that public code reads out of them. The others are ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import datatypes
import drift
import profiles
from profiles import Profile
from sagemaker_io import UserError

Violation = dict[str, str]
_ENABLED = "Enabled"


class Checks:
    """Current data against a baseline."""

    def __init__(
        self, found: Sequence[Profile], constraints: Mapping[str, Any], statistics: Mapping[str, Any] | None
    ) -> None:
        """Measures the drift of every column that both have. Raises UserError for a baseline of another kind."""
        if "features" not in constraints:
            raise UserError("No usable value for features")
        self._found = {profile.name: profile for profile in found}
        self._expected: Sequence[Mapping[str, Any]] = constraints["features"]
        self._config: Mapping[str, Any] = constraints.get("monitoring_config", {})
        self._distribution: Mapping[str, Any] = self._config.get("distribution_constraints", {})
        if self._distribution.get("categorical_drift_method", "LInfinity") != "LInfinity":
            raise UserError("[localcloud] categorical_drift_method ChiSquared is not supported yet")
        self.drifts: dict[str, float] = {}
        """The distance from the baseline, of each column that has one."""
        if statistics is not None and self._distribution.get("perform_comparison", _ENABLED) == _ENABLED:
            self._measure(statistics)

    @property
    def emits_metrics(self) -> bool:
        """Whether the baseline wants CloudWatch metrics."""
        return bool(self._config.get("emit_metrics", _ENABLED) == _ENABLED)

    def violations(self) -> list[Violation]:
        """All of them, in the order of the baseline's columns."""
        if self._config.get("evaluate_constraints", _ENABLED) != _ENABLED:
            return []
        return [*self._columns(), *(each for feature in self._expected for each in self._feature(feature))]

    def _measure(self, statistics: Mapping[str, Any]) -> None:
        robust = str(self._distribution.get("comparison_method", "Robust")).removeprefix("linf_").lower() == "robust"
        for before in statistics.get("features", []):
            profile = self._found.get(before["name"])
            # a type that changed is a violation by itself: AWS's published run has no drift beside it
            if profile is None or _numerical(before) != _numerical(profile.feature):
                continue
            old, new = profiles.levels(before), profiles.levels(profile.feature)
            if old is not None and new is not None:
                self.drifts[profile.name] = drift.numerical(new, old, robust)
                continue
            known, now = profiles.categories(before), profiles.categories(profile.feature)
            if known and now:
                self.drifts[profile.name] = drift.categorical(now, known, robust)

    def _columns(self) -> Iterator[Violation]:
        now, before = len(self._found), len(self._expected)
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
        profile = self._found.get(expected["name"])
        overrides = expected.get("monitoringConfigOverrides") or {}
        config = {**self._config, **overrides}
        if profile is None or config.get("evaluate_constraints", _ENABLED) != _ENABLED:
            return
        yield from _type(profile, expected, float(config.get("datatype_check_threshold", 1.0)))
        yield from _completeness(profile, expected)
        yield from _domain(profile, expected, float(config.get("domain_content_threshold", 1.0)))
        yield from self._drift(profile, {**self._distribution, **(overrides.get("distribution_constraints") or {})})

    def _drift(self, profile: Profile, limits: Mapping[str, Any]) -> Iterator[Violation]:
        distance = self.drifts.get(profile.name)
        limit = limits.get("comparison_threshold", 0.1)
        if "numerical_statistics" not in profile.feature:
            limit = limits.get("categorical_comparison_threshold", limit)
        if distance is not None and limits.get("perform_comparison", _ENABLED) == _ENABLED and distance > limit:
            text = f"Baseline drift distance: {distance} exceeds threshold: {limit}"
            yield _violation(profile.name, "baseline_drift_check", text)


def _numerical(feature: Mapping[str, Any]) -> bool:
    return "numerical_statistics" in feature


def _type(profile: Profile, expected: Mapping[str, Any], threshold: float) -> Iterator[Violation]:
    wanted = expected.get("inferred_type")
    fitting = datatypes.FITTING.get(str(wanted))
    present = sum(profile.values.values())
    if fitting is None or not present:
        return
    share = sum(profile.kinds[kind] for kind in fitting) / present
    if share < threshold:
        yield _violation(
            profile.name,
            "data_type_check",
            f"Data type match requirement is not met. Expected data type: {wanted}, Expected match: "
            f"{threshold * 100}%. Observed: Only {share * 100}% of data is {wanted}.",
        )


def _completeness(profile: Profile, expected: Mapping[str, Any]) -> Iterator[Violation]:
    wanted, found = expected.get("completeness"), profile.statistics["completeness"]
    if wanted is not None and found < wanted:
        yield _violation(
            profile.name,
            "completeness_check",
            f"Value: {found} does not meet the constraint requirement! Expected completeness: {wanted}",
        )


def _domain(profile: Profile, expected: Mapping[str, Any], threshold: float) -> Iterator[Violation]:
    domain = (expected.get("string_constraints") or {}).get("domains")
    present = sum(profile.values.values())
    if domain is None or not present:
        return
    known = set(domain)
    share = sum(count for value, count in profile.values.items() if value in known) / present
    if share < threshold:
        yield _violation(
            profile.name,
            "categorical_values_check",
            f"Value: {share} does not meet the constraint requirement! Share of known values expected: {threshold}",
        )


def _violation(name: str, check: str, text: str) -> Violation:
    return {"feature_name": name, "constraint_check_type": check, "description": text}
