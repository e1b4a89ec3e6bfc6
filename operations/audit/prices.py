"""Modelled cost per month, from the price table that the environment file's checks use too."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from operations.project import ROOT

HOURS_PER_MONTH = 730
_TABLE = ROOT / "constructs" / "sandcastle" / "prices.json"


@cache
def _table() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return document


def instance_month(region: str, use: str, instance_type: str, count: int) -> float | None:
    """Return US dollars for ``count`` instances over a month, None when the table has no price.

    ``use`` is hosting, training or processing.
    """
    hourly = _instance_hour(region, use, instance_type)
    return None if hourly is None else round(hourly * count * HOURS_PER_MONTH, 2)


def _instance_hour(region: str, use: str, instance_type: str) -> float | None:
    raise NotImplementedError(region, use, instance_type)
