"""What a step says about being repeated: how long its results may be used again, and which failures it tries again.

[DG] pipelines-caching-enabling, pipelines-retry-policy. Which types of steps may say it is theirs, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
#: types of steps that are cached, and those that are retried
CACHED: Final = frozenset({"Processing", "Training", "Tuning", "Transform", "QualityCheck"})
RETRIED: Final = frozenset({"Processing", "Training", "Tuning", "Transform", "Model", "RegisterModel"})
SERVICE_FAULT, THROTTLING = "Step.SERVICE_FAULT", "Step.THROTTLING"
JOB_FAULT, CAPACITY, LIMIT = "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"
_EXCEPTIONS = (SERVICE_FAULT, THROTTLING, JOB_FAULT, CAPACITY, LIMIT)
#: ISO 8601, as loosely as the guide's own examples: "P30D", "30d", "T16m", "30dT5h". A year has 365 days, a month 30.
_DURATION = re.compile(
    r"P?(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
_UNITS = (365 * _DAY, 30 * _DAY, 7 * _DAY, _DAY, _HOUR, _MINUTE, 1.0)
_MOST: Mapping[str, float] = {"IntervalSeconds": 43200, "MaxAttempts": 20, "ExpireAfterMin": 14400}


@dataclass(frozen=True)
class RetryPolicy:
    """When a step is tried again."""

    exceptions: frozenset[str]
    #: virtual seconds before the first repetition, and by how much that grows each time
    interval: float = 1.0
    backoff: float = 2.0
    #: repetitions; None: as many as fit before ``expires``, seconds after the step began
    attempts: int | None = 5
    expires: float | None = None

    def wait(self, repeated: int, elapsed: float) -> float | None:
        """Seconds until the next repetition after ``repeated`` of them, ``elapsed`` seconds after the step began.

        None: there is none.
        """
        wait = self.interval * self.backoff**repeated
        if self.attempts is not None and repeated >= self.attempts:
            return None
        return None if self.expires is not None and elapsed + wait > self.expires else wait


#: what Pipelines does by itself where a step says nothing else
AUTOMATIC: Final = RetryPolicy(frozenset({SERVICE_FAULT, THROTTLING}))


def cache_of(entry: Mapping[str, Any]) -> float | None:
    """How old, in seconds, a result may be that is used again; None: none is. Raises ValueError."""
    config = entry.get("CacheConfig") or {}
    if not config.get("Enabled"):
        return None
    text = str(config.get("ExpireAfter", ""))
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"CacheConfig.ExpireAfter {text!r} is not an ISO 8601 duration such as P30D or PT1H")
    return sum(int(count) * unit for count, unit in zip(match.groups(), _UNITS, strict=True) if count)


def retries_of(entry: Mapping[str, Any]) -> tuple[RetryPolicy, ...]:
    """The policies of a step, in the order in which they are asked. Raises ValueError."""
    return tuple(_policy(policy) for policy in entry.get("RetryPolicies") or [])


def _policy(given: Mapping[str, Any]) -> RetryPolicy:
    unknown = sorted(set(given.get("ExceptionType") or [""]) - set(_EXCEPTIONS))
    if unknown:
        raise ValueError(f"RetryPolicies: ExceptionType {unknown[0]!r} is not one of {', '.join(_EXCEPTIONS)}")
    for member, most in _MOST.items():
        if given.get(member) is not None and not 0 <= given[member] <= most:
            raise ValueError(f"RetryPolicies: {member} {given[member]} is not between 0 and {most:.0f}")
    attempts, minutes = given.get("MaxAttempts"), given.get("ExpireAfterMin")
    if attempts is not None and minutes is not None:
        raise ValueError("RetryPolicies: only one of MaxAttempts and ExpireAfterMin can be given")
    return RetryPolicy(
        frozenset(given["ExceptionType"]),
        float(given.get("IntervalSeconds", 1)),
        float(given.get("BackoffRate", 2)),
        attempts if minutes is not None or attempts is not None else 5,
        None if minutes is None else minutes * _MINUTE,
    )
