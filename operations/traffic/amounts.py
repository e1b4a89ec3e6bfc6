"""Amounts as people write them on the command line: ``20/s``, ``2h``, ``10%``. For argparse's ``type``."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = r"(\d+(?:\.\d+)?)"


def rate(text: str) -> float:
    """Return requests per second of ``20``, ``20/s``, ``90/m`` or ``1000/h``."""
    found = re.fullmatch(rf"{_NUMBER}(?:/([smh]))?", text)
    if not found or not float(found[1]):
        raise ArgumentTypeError(f"{text}: expected requests per second, minute or hour, such as 20, 90/m or 1000/h")
    return float(found[1]) / _SECONDS[found[2] or "s"]


def length(text: str) -> float:
    """Return the seconds of ``30s``, ``90m``, ``2h`` or ``1d``."""
    found = re.fullmatch(rf"{_NUMBER}([smhd])", text)
    if not found:
        raise ArgumentTypeError(f"{text}: expected a length of time, such as 30s, 90m, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def some_time(text: str) -> float:
    """Return the same, of a time that is longer than nothing."""
    seconds = length(text)
    if not seconds:
        raise ArgumentTypeError(f"{text}: must be longer than nothing")
    return seconds


def share(text: str) -> float:
    """Return a share from 0 to 1 of ``0.8`` or ``80%``."""
    found = re.fullmatch(rf"{_NUMBER}(%?)", text)
    value = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text}: expected a share, such as 5% or 0.05, at most 1")
    return value
