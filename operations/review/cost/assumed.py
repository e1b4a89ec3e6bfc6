"""How much use a month is reckoned with. Nobody knows it beforehand: each figure is said, and can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches

from operations.errors import UsageError


@dataclass(frozen=True)
class Assumptions:
    """Amounts of use in a month. They are conventions, not forecasts: a small team that works a few hours a week."""

    trainings: float = 1
    """Deploys, or runs of a pipeline, that prepare the data and train."""
    job_minutes: float = 5
    """Minutes for which a job's instances are billed, if its own limit is not lower."""
    app_hours: float = 20
    """Hours of an app in Studio, for each user."""
    notebook_hours: float = 20
    """Hours of a notebook instance that stops itself."""
    busy_hours: float = 10
    """Hours of each instance that scaling adds."""
    requests: float = 10_000
    """Requests to an endpoint that is billed by them."""
    request_seconds: float = 1
    """Seconds of computing that such a request takes."""
    stored_gb: float = 1
    """Gigabytes in each bucket and file system."""
    log_gb: float = 1
    """Gigabytes that all logs together take in."""
    calls: float = 100
    """Calls of each function."""
    call_seconds: float = 10
    """Seconds that a call takes."""
    transitions: float = 1_000
    """Transitions of each state machine."""
    data_gb: float = 10
    """Gigabytes through each NAT gateway and interface endpoint."""
    asked_hours: float = 100
    """Hours in which a monitored endpoint is asked: only then its columns have metrics."""
    columns: float = 10
    """Columns of each table that a monitor of data quality looks at."""
    key_requests: float = 10_000
    """Requests to each key."""

    def document(self) -> dict[str, float]:
        """Return them for a machine."""
        return asdict(self)


def assumed(texts: Sequence[str]) -> Assumptions:
    """Return the assumptions with those replaced that are given as ``name=number``.

    Raises UsageError naming what is wrong and what is allowed.
    """
    known = [one.name for one in fields(Assumptions)]
    values: dict[str, float] = {}
    for text in texts:
        name, _, written = text.partition("=")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise UsageError(
                f"--assume {text}: there is no assumption {name!r}"
                + (f"; did you mean {near[0]}?" if near else "")
                + f" Allowed: {', '.join(known)}."
            )
        try:
            number = float(written)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e12:
            raise UsageError(f"--assume {text}: {name} must be a number, 0 or more.")
        values[name] = number
    return replace(Assumptions(), **values)
