"""Which instance types each use offers in each region, and what they cost: committed data, read without a network.

``instance_types.json`` is made by ``operations/tools/instance_catalogue.py``; ``prices.json`` is written by hand from
price lists and names date, source and confidence of each figure. Both describe AWS at their date.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Use = Literal["processing", "training", "hosting", "notebook", "studio"]
"""What an instance is rented for. Each use has its own list of types and its own prices."""

PricedUse = Use | Literal["transform"]
"""A batch transform has prices of its own, and the types of hosting."""

ALGORITHMS = ("kmeans", "linear-learner", "xgboost")
"""Built-in algorithms: keys of images that train and serve."""

FRAMEWORKS = {"pytorch": "pytorch-inference", "sklearn": "sklearn"}
"""Frameworks that run a workload's own scripts: key of the image that trains, and of the one that serves."""

HOURS_PER_MONTH = 730
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Price:
    """US dollars for one unit, how sure that is (high, medium, low), and where the figure comes from."""

    usd: float
    unit: str
    confidence: str
    source: str


def table_date() -> str:
    """Return the date of the price table, ``YYYY-MM-DD``."""
    return str(_read("prices.json")["date"])


@cache
def _read(name: str) -> Any:
    return json.loads((_PACKAGE / name).read_text(encoding="utf-8"))


def regions() -> tuple[str, ...]:
    """Return the regions that the image map knows: those in which SageMaker runs."""
    return tuple(sorted(_read("image_uris.json")["regions"]))


def instance_types(use: Use, region: str) -> tuple[str, ...]:
    """Return the instance types offered for the use in the region, none if the catalogue has no data on it."""
    return tuple(f"ml.{name}" for name in _read("instance_types.json")["uses"][use].get(region, "").split())


def images() -> tuple[str, ...]:
    """Return the keys of the image map, such as ``xgboost``."""
    return tuple(sorted(_read("image_uris.json")["images"]))


def image_uri(key: str, region: str) -> str | None:
    """Return the container image's URI, or None when AWS does not publish it in the region."""
    uri: str | None = _read("image_uris.json")["regions"].get(region, {}).get(key)
    return uri


def instance_price(use: PricedUse, instance: str, region: str) -> Price | None:
    """Return the price of one instance-hour, or None when the table has none."""
    for row in _read("prices.json")["instances"]:
        if row["instance"] == instance and row["region"] == region and use in row["uses"]:
            return Price(row["usd"], "hour", row["confidence"], row["source"])
    return None


def item_price(item: str, region: str) -> Price | None:
    """Return the price of one unit of something that is not an instance, or None when the table has none."""
    for row in _read("prices.json")["items"]:
        if row["item"] == item and row["region"] == region:
            return Price(row["usd"], row["unit"], row["confidence"], row["source"])
    return None
