"""The budget must be above what the environment costs when nobody does anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from sandcastle.config import catalogue
from sandcastle.config.catalogue import HOURS_PER_MONTH
from sandcastle.config.checks import Pair
from sandcastle.config.checks_serving import serve_of
from sandcastle.config.environment import INTERFACE_ENDPOINTS, ZONES
from sandcastle.config.monitoring import CRON, expression_of, hours_of
from sandcastle.config.yaml_lines import Document

PRICED_REGION = "us-east-1"
"""The region whose prices are named for orientation where a region's own are not known."""


WATCHING_MINUTES = 10
"""What a monitoring job is reckoned at: it takes about eleven minutes from end to end (facts on teardown, 1.18), of
which an instance is billed for most."""

_OF_PIPELINES = (1, 1)
"""Hours between the runs of the two schedules of an endpoint that a pipeline deploys."""


def check_budget(document: Document, pairs: list[Pair], region: str) -> list[str]:
    """Note a budget below what the environment costs when idle; return notes on what has no known price.

    Idle cost is the endpoints' instance hours, their alarms, the jobs that watch endpoints, and, with a network without
    internet, its interface endpoints: everything else that a template of this version holds stops by itself, and costs
    nothing, or cents for its storage, while nothing happens. The dashboard is one of the three that an account has for
    nothing.
    """
    budget = document.at(("monthly_budget_usd",))
    notes, later = list[str](), list[str]()
    found = [serve for pair in pairs if (serve := serve_of(pair)) is not None]
    instances = sum((serve.idle_instances for serve in found), Counter[str]())
    total, unknown = 0.0, list[str]()
    if any(document.at((part, "network")) == "vpc-only" for part in ("studio", "notebook")):
        hours = len(INTERFACE_ENDPOINTS) * ZONES * HOURS_PER_MONTH
        total += _item("interface endpoint", "interface endpoints", hours, region, notes)
    for instance, count in instances.items():
        price = catalogue.instance_price("hosting", instance, region)
        if price is None:
            unknown.append(instance)
        else:
            total += price.usd * HOURS_PER_MONTH * count
    total += sum(_watching(pair, region, notes) for pair in pairs if pair.has_pipeline or pair.monitors)
    total += _item("alarm", "alarms", sum(serve.alarms for serve in found), region, later)
    if isinstance(budget, (int, float)) and not isinstance(budget, bool) and 0 < budget < total:
        document.problem(
            ("monthly_budget_usd",),
            f"below what the endpoints alone cost in a month, about {total:.0f} US dollars",
            allowed=f"at least {total:.0f}, or fewer workloads",
        )
    return [*notes, *(_no_price(name, region) for name in sorted(unknown)), *later]


def _watching(pair: Pair, region: str, notes: list[str]) -> float:
    """Return US dollars a month for the jobs that look for drift, which run on the instances that prepare the data."""
    instance = pair.setting("prepare", "instance").value
    price = catalogue.instance_price("processing", instance, region)
    if price is None:
        note = f"no price is known for {instance} processing in {region}, so the budget is not checked against it"
        notes.extend([] if note in notes else [note])
    runs = sum(HOURS_PER_MONTH / hours for hours in (_OF_PIPELINES if pair.has_pipeline else _rhythms(pair)))
    return price.usd * runs * WATCHING_MINUTES / 60 if price else 0.0


def _rhythms(pair: Pair) -> Iterator[int]:
    """Yield the hours between two runs of each monitor; what is not of its shape is reported already."""
    for written in pair.monitors.values():
        every = written.get("every", "hourly") if isinstance(written, dict) else "hourly"
        if isinstance(every, str) and re.fullmatch(CRON, expression_of(every)):
            yield hours_of(expression_of(every))


def _item(item: str, plural: str, units: float, region: str, notes: list[str]) -> float:
    """Return US dollars a month for so many units; note that there is no price."""
    price = catalogue.item_price(item, region)
    if price is None and units:
        notes.append(f"no price is known for {plural} in {region}, so the budget is not checked against them")
    return price.usd * units if price else 0.0


def _no_price(instance: str, region: str) -> str:
    """Say that the budget cannot be checked; elsewhere it may cost more or less, so the figure is no check either."""
    note = f"no price is known for {instance} hosting in {region}, so the budget is not checked against it"
    price = catalogue.instance_price("hosting", instance, PRICED_REGION)
    if price is None:
        return note
    month = price.usd * HOURS_PER_MONTH
    return f"{note}; for orientation: one in {PRICED_REGION} costs about {month:.0f} US dollars a month"
