"""The budget must be above what the environment costs when nobody does anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from sandcastle.config import catalogue
from sandcastle.config.catalogue import HOURS_PER_MONTH
from sandcastle.config.checks import Pair
from sandcastle.config.checks_serving import serve_of
from sandcastle.config.idle import PIPELINE_MONITORS, Standing, Watching, standing
from sandcastle.config.models import NotebookSpec
from sandcastle.config.monitoring import CRON, expression_of, hours_of
from sandcastle.config.yaml_lines import Document

PRICED_REGION = "us-east-1"
"""The region whose prices are named for orientation where a region's own are not known."""


def check_budget(document: Document, pairs: list[Pair], region: str) -> list[str]:
    """Note a budget below what the environment costs when idle; return notes on what has no known price."""
    budget = document.at(("monthly_budget_usd",))
    total, notes = 0.0, list[str]()
    for one in _standing(document, pairs):
        price = one.price(region)
        if price is None:
            notes.append(_no_price(one, region))
        else:
            total += price.usd * one.units
    if isinstance(budget, (int, float)) and not isinstance(budget, bool) and 0 < budget < total:
        document.problem(
            ("monthly_budget_usd",),
            f"below what it costs in a month when nobody does anything, about {total:.0f} US dollars",
            allowed=f"at least {ceil(total)}, or fewer workloads",
        )
    return notes


def _standing(document: Document, pairs: list[Pair]) -> Iterator[Standing]:
    """Yield what is billed at rest, as far as what is written can be read."""
    found = [serve for pair in pairs if (serve := serve_of(pair)) is not None]
    watching = [one for pair in pairs if pair.has_pipeline or pair.monitors for one in _watching(pair)]
    vpc_only = any(document.at((part, "network")) == "vpc-only" for part in ("studio", "notebook"))
    return standing(found, watching, vpc_only=vpc_only, notebook_gb=_disk(document))


def _watching(pair: Pair) -> Iterator[Watching]:
    """Yield each monitor, which runs on the instance that prepares the data; what has no shape is reported already."""
    instance = pair.setting("prepare", "instance").value
    if not isinstance(instance, str):
        return
    for hours in PIPELINE_MONITORS if pair.has_pipeline else _rhythms(pair):
        yield instance, hours


def _rhythms(pair: Pair) -> Iterator[float]:
    """Yield the hours between two runs of each monitor; what is not of its shape is reported already."""
    for written in pair.monitors.values():
        every = written.get("every", "hourly") if isinstance(written, dict) else "hourly"
        if isinstance(every, str) and re.fullmatch(CRON, expression_of(every)):
            yield hours_of(expression_of(every))


def _disk(document: Document) -> float:
    """Return the notebook instance's gigabytes, 0 without one."""
    if not isinstance(document.at(("notebook",)), dict):
        return 0
    written = document.at(("notebook", "volume_gb"))
    return written if isinstance(written, int) else NotebookSpec.model_fields["volume_gb"].default


def _no_price(one: Standing, region: str) -> str:
    """Say that the budget cannot be checked; elsewhere it may cost more or less, so the figure is no check either."""
    against = "them" if one.name.endswith("s") and not one.use else "it"
    note = f"no price is known for {one.name} in {region}, so the budget is not checked against {against}"
    price = catalogue.instance_price("hosting", one.item, PRICED_REGION)
    if one.use != "hosting" or price is None:
        return note
    month = price.usd * HOURS_PER_MONTH
    return f"{note}; for orientation: one in {PRICED_REGION} costs about {month:.0f} US dollars a month"
