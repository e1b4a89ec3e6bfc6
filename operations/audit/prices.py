"""Modelled cost of a month, from the price table that the checks of the environment file use too."""

from __future__ import annotations

from sandcastle.config.catalogue import HOURS_PER_MONTH, Use, instance_price, item_price


def instance_month(region: str, use: Use, instance_type: str, count: int) -> float | None:
    """Return US dollars for ``count`` instances over a month, None when the table has no price."""
    price = instance_price(use, instance_type, region)
    return None if price is None else price.usd * count * HOURS_PER_MONTH


def item_month(region: str, item: str, units: float) -> float | None:
    """Return US dollars a month for ``units`` of an item (gigabytes, alarms), None when the table has no price.

    Nothing costs nothing, priced or not.
    """
    if units == 0:
        return 0.0
    price = item_price(item, region)
    return None if price is None else price.usd * units


def hours_month(region: str, item: str, units: float) -> float | None:
    """Return US dollars for ``units`` of an item that is billed by the hour over a month, None without a price."""
    month = item_month(region, item, units)
    return None if month is None else month * HOURS_PER_MONTH
