"""Lengths of time as people write them: ``90m``, ``12h``, ``3d``."""

from __future__ import annotations

import re

from sandcastle.config.models import DURATION

SHORTEST, LONGEST = 30, 365 * 24 * 60
"""Minutes. An environment takes minutes to deploy; one that is to live longer than a year does not expire."""

ALLOWED = "30m to 365d: a whole number and m, h or d"

_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def minutes_of(text: str) -> int | None:
    """Return the minutes of a text such as ``3d``; None when it is not of that form."""
    if re.fullmatch(DURATION, text) is None:
        return None
    return int(text[:-1]) * _MINUTES[text[-1]]


def is_life(minutes: int | None) -> bool:
    """Say whether an environment can live that long."""
    return minutes is not None and SHORTEST <= minutes <= LONGEST
