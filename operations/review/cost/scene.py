"""Where a resource stands: its stack, its region, whose it is; and lines about it, priced there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from operations.project import ENVIRONMENT_TAG, WORKLOAD_TAG, stack_prefix
from operations.review.assembly import Assembly, Resource, Stack
from operations.review.cost.assumed import Assumptions
from operations.review.cost.line import Kind, Line
from operations.review.cost.reading import tags
from sandcastle.config.catalogue import Price, PricedUse, instance_price, item_price

USER_TAG = "sandcastle:user"
_WORKLOAD_STACK = re.compile(r"(?:workload|pipeline)-(.+)")


@dataclass(frozen=True)
class Scene:
    """One stack of an assembly, and what the estimate reckons with."""

    assembly: Assembly
    stack: Stack
    region: str | None
    assumed: Assumptions = field(default_factory=Assumptions)
    asleep: float = 0.0
    """The part of a day for which the night takes endpoints away, 0 to 1."""

    @cached_property
    def prefix(self) -> str:
        """What the names of the environment's stacks begin with; empty for an app that is no environment."""
        found = (tags(one).get(ENVIRONMENT_TAG) for one in self.stack.resources.values())
        name = next((one for one in found if one), None)
        return stack_prefix(name) if name else ""

    def line(self, resource: Resource, part: str, what: str, kind: Kind, monthly: float | None, **more: Any) -> Line:
        """Return a line of the resource, with whose it is."""
        found = tags(resource)
        match = _WORKLOAD_STACK.fullmatch(self.stack.name.removeprefix(self.prefix)) if self.prefix else None
        whose = {"workload": found.get(WORKLOAD_TAG) or (match[1] if match else None), "user": found.get(USER_TAG)}
        kept = {"retained": resource.retained}
        return Line(resource.stack, resource.path, part, what, monthly, kind, **{**whose, **kept, **more})

    def item(
        self,
        resource: Resource,
        part: str,
        what: str,
        kind: Kind,
        item: str,
        units: float | None,
        how: str,
        **more: Any,
    ) -> Line:
        """Return a line for so many units a month of an item of the price table; None is an amount nobody knows."""
        return self._priced(resource, part, what, kind, self._item(item), units, how, item, more)

    def instance(
        self,
        resource: Resource,
        part: str,
        what: str,
        kind: Kind,
        use: PricedUse,
        instance: str | None,
        hours: float | None,
        how: str,
        **more: Any,
    ) -> Line:
        """Return a line for so many hours a month of an instance type; None is a type that only the deploy knows."""
        if instance is None:
            return self.line(resource, part, what, kind, None, assumption="its type is only known at the deploy")
        price = instance_price(use, instance, self.region) if self.region else None
        return self._priced(resource, part, what, kind, price, hours, how, f"{instance} {use}", more)

    def hourly(self, use: PricedUse, instance: str) -> Price | None:
        """Return the price of an instance-hour here."""
        return instance_price(use, instance, self.region) if self.region else None

    def unpriced(self, resource: Resource, part: str, what: str, kind: Kind, why: str = "", **more: Any) -> Line:
        """Return a line for which there is no price."""
        return self.line(resource, part, what, kind, None, assumption=why or self.no_price(what), **more)

    def night(self, line: Line) -> Line | None:
        """Return what the night takes off a line that is billed around the clock, None where it takes nothing."""
        if not self.asleep or not line.monthly:
            return None
        return line.changed(
            part=f"night {line.part}",
            what=f"asleep: {line.what}",
            monthly=-line.monthly * self.asleep,
            assumption=f"{self.asleep * 24:g} of 24 hours, as the nightly stop deletes endpoints until they are woken",
        )

    def no_price(self, what: str) -> str:
        """Say that the table has no price of it here."""
        return f"no price for {what} in {self.region}" if self.region else f"no region, so no price for {what}"

    def _item(self, item: str) -> Price | None:
        return (item_price(item, self.region) if self.region else None) or item_price(item, "*")

    def _priced(
        self,
        resource: Resource,
        part: str,
        what: str,
        kind: Kind,
        price: Price | None,
        units: float | None,
        how: str,
        named: str,
        more: dict[str, Any],
    ) -> Line:
        if price is None:
            return self.line(resource, part, what, kind, None, **{**more, "assumption": self.no_price(named)})
        about = {"confidence": price.confidence, "source": price.source, "each": price.usd, "unit": price.unit}
        monthly = None if units is None else price.usd * units
        return self.line(resource, part, what, kind, monthly, **{**about, "assumption": how, **more})
