"""What an environment is billed for when nobody does anything, as units of items of the price table.

The check of the budget, the doctor and the estimate of templates (``operations/review/cost``) reckon with the same
units; a test compares them for every environment file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandcastle.config import catalogue
from sandcastle.config.catalogue import HOURS_PER_MONTH, Price, Use
from sandcastle.config.environment import INTERFACE_ENDPOINTS, ZONES, Environment
from sandcastle.config.monitoring import ALARMS_OF_A_MONITOR
from sandcastle.config.serving import Serve

WATCHING_MINUTES = 10
"""What a monitoring job is reckoned at: it takes about eleven minutes from end to end (facts on teardown, 1.18), of
which an instance is billed for most."""

PIPELINE_MONITORS = (1.0, 1.0)
"""Hours between the looks of the two monitors of an endpoint that a pipeline deploys."""

Watching = tuple[str, float]
"""The instance type that a monitor's jobs run on, and the hours between two of them."""


@dataclass(frozen=True)
class Standing:
    """So many units a month of one item: of an instance for ``use``, or else of what is no instance."""

    item: str
    units: float
    name: str
    use: Use | None = None

    def price(self, region: str) -> Price | None:
        """Return the price of a unit, None when the table has none."""
        if self.use:
            return catalogue.instance_price(self.use, self.item, region)
        return catalogue.item_price(self.item, region)


def standing(
    serves: Iterable[Serve], watching: Iterable[Watching], *, vpc_only: bool, notebook_gb: float
) -> Iterator[Standing]:
    """Yield what is billed at rest, each item once.

    Everything else that a template of this version holds stops by itself, and costs nothing, or cents for its storage,
    while nothing happens. The dashboard is one of the three that an account has for nothing.
    """
    known, monitors = list(serves), list(watching)
    if vpc_only:
        yield Standing("interface endpoint", len(INTERFACE_ENDPOINTS) * ZONES * HOURS_PER_MONTH, "interface endpoints")
    looks: dict[str, float] = {}
    for instance, hours in monitors:
        looks[instance] = looks.get(instance, 0.0) + HOURS_PER_MONTH / hours * WATCHING_MINUTES / 60
    for instance, units in sorted(looks.items()):
        yield Standing(instance, units, f"{instance} processing", "processing")
    instances = sum((one.idle_instances for one in known), Counter[str]())
    for instance, count in sorted(instances.items()):
        yield Standing(instance, count * HOURS_PER_MONTH, f"{instance} hosting", "hosting")
    if notebook_gb:
        yield Standing("notebook storage", notebook_gb, "the notebook's disk")
    if alarms := sum(one.alarms for one in known) + ALARMS_OF_A_MONITOR * len(monitors):
        yield Standing("alarm", alarms, "alarms")


def standing_of(environment: Environment) -> list[Standing]:
    """Return what the environment is billed for at rest."""
    workloads = environment.workloads
    hours = {one.name: PIPELINE_MONITORS if one.pipeline else [float(look.hours) for look in one.monitors]
             for one in workloads}  # fmt: skip
    watching = [(one.prepare.instance, gap) for one in workloads for gap in hours[one.name]]
    disk = environment.notebook.volume_gb if environment.notebook else 0
    serves = [one.serve for one in workloads]
    return list(standing(serves, watching, vpc_only=environment.vpc_only, notebook_gb=disk))
