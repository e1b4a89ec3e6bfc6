"""What people have been told of a monitor: kept in S3, so that they hear what is new and not the same thing each hour.

A violation is the same as one before if it is about the same feature or metric and of the same check. By how much may
differ from hour to hour; how often it differs is nobody's mail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MOST = 50
"""Violations in one message."""


@dataclass(frozen=True)
class Told:
    """Violations by what they are about, and whether runs fail; ``at`` is when that run began (Unix milliseconds)."""

    at: float = 0.0
    failed: bool = False
    violations: Mapping[str, str] = field(default_factory=dict)

    def after(self, at: float, violations: Mapping[str, str] | None, failed: bool) -> Told:
        """Return what people are to know after another run, which has judged something or failed."""
        return replace(self, at=at, failed=failed, violations=self.violations if violations is None else violations)

    def same_as(self, other: Told) -> bool:
        """Whether there is nothing new."""
        return self.failed == other.failed and set(self.violations) == set(other.violations)


def read(s3: Any, address: str) -> Told:
    """Return what was told, which is nothing at first. Raises ClientError."""
    bucket, key = _place(address)
    # asked for like this, as S3 says of an object that is not there only to who may list everything
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount", 0):
        return Told()
    return Told(**json.load(s3.get_object(Bucket=bucket, Key=key)["Body"]))


def write(s3: Any, address: str, told: Told) -> None:
    """Keep it. Raises ClientError."""
    bucket, key = _place(address)
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(asdict(told)).encode(), ContentType="application/json")


def name(violation: Mapping[str, Any]) -> str:
    """Return what a violation is about: ``age: baseline_drift_check``."""
    about = violation.get("feature_name") or violation.get("metric_name") or "the data"
    return f"{about}: {violation['constraint_check_type']}"


def lines(found: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """Return a line for each violation, what is new first and what is over last."""
    said = [*_said("new", found, set(found) - set(before)), *_said("still", found, set(found) & set(before))]
    said += _said("over", before, set(before) - set(found))
    return [*said[:MOST], *([f"and {len(said) - MOST} more"] if len(said) > MOST else [])]


def _said(word: str, texts: Mapping[str, str], which: set[str]) -> Iterator[str]:
    """In the order of the report."""
    for one, text in texts.items():
        if one in which:
            yield f"{word}: {one}" if word == "over" else f"{word}: {one}: {text}"


def _place(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key
