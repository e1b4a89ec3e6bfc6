"""From data points to an alarm's state: [CW] alarm-evaluation, alarms-and-missing-data.

Values are None where a period has no data. An alarm looks back further than its evaluation periods, so that late or
sparse data still counts; how far AWS looks is only shown by its examples (3 periods: 5 data points).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: how many periods more than the evaluation periods are looked at ([CW] the examples)
EXTRA_PERIODS = 2

_COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, limit: value >= limit),
    "GreaterThanThreshold": ("greater than", lambda value, limit: value > limit),
    "LessThanThreshold": ("less than", lambda value, limit: value < limit),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, limit: value <= limit),
}


@dataclass(frozen=True)
class Verdict:
    """A state (None: the one it has) and why."""

    state: str | None
    reason: str


def periods(alarm: Mapping[str, Any]) -> int:
    """How many data points ``verdict`` wants to see."""
    return int(alarm["EvaluationPeriods"]) + EXTRA_PERIODS


def supported(alarm: Mapping[str, Any]) -> bool:
    """Whether its comparison is one with a fixed threshold."""
    return alarm.get("ComparisonOperator") in _COMPARISONS


def verdict(alarm: Mapping[str, Any], values: Sequence[float | None]) -> Verdict:
    """The state of an alarm (members as in PutMetricAlarm) by its last ``periods`` values, the newest last."""
    wanted = int(alarm["EvaluationPeriods"])
    to_alarm = int(alarm.get("DatapointsToAlarm") or wanted)
    words, breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    limit = float(alarm["Threshold"])
    real = [value for value in values if value is not None][-wanted:]
    breaching = sum(breaches(value, limit) for value in real)
    missing = wanted - len(real)
    reason = _reason(real, breaching, words, limit)
    treatment = alarm.get("TreatMissingData") or "missing"
    if treatment in ("breaching", "notBreaching") and missing:
        reason += f" {missing} missing datapoints were treated as [{treatment[0].upper()}{treatment[1:]}]."
        breaching += missing * (treatment == "breaching")
    if breaching >= to_alarm:
        return Verdict("ALARM", reason)
    if not missing or treatment in ("breaching", "notBreaching"):
        return Verdict("OK", reason)
    if not real:
        insufficient = None if treatment == "ignore" else "INSUFFICIENT_DATA"
        return Verdict(insufficient, f"Insufficient Data: {wanted} datapoints were unknown.")
    if breaching < len(real):
        return Verdict("OK", reason)
    # every real one is breaching, but there are too few
    oldest = max(age for age, value in enumerate(reversed(values), start=1) if value is not None)
    if treatment == "missing" and oldest >= to_alarm:
        return Verdict("ALARM", reason)
    return Verdict(None, reason)


def _reason(real: Sequence[float], breaching: int, words: str, limit: float) -> str:
    """AWS's kind of text ([R])."""
    was = "was" if breaching else "was not"
    shown = ", ".join(repr(value) for value in reversed(real))
    which = f"{breaching or len(real)} out of the last {len(real)} datapoints [{shown}]"
    return f"Threshold Crossed: {which} {was} {words} the threshold ({limit})."
