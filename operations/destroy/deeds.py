"""Who removed what: CloudFormation with its stack, a janitor, the sweep, or nobody yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from operations.audit import Inventory
from operations.audit.finding import Finding
from operations.destroy.history import Parts
from operations.sweep import Swept

By = Literal["stack", "janitor", "sweep", "left"]


@dataclass(frozen=True)
class Deed:
    """One thing that existed, and who removed it. ``cost_so_far`` in US dollars, None when it is not known."""

    finding: Finding
    by: By
    cost_so_far: float | None


def deeds(before: Inventory, after: Inventory, swept: list[Swept], parts: Parts, now: datetime) -> list[Deed]:
    """Return what became of everything that was found before, and of what the sweep met besides."""
    removed = {(one.finding.kind, one.finding.name) for one in swept if not one.refused}
    left = {(finding.kind, finding.name) for finding in after.findings}
    seen = {(finding.kind, finding.name): finding for finding in before.findings}
    more = (*after.findings, *(one.finding for one in swept))
    everything = {**{(finding.kind, finding.name): finding for finding in more}, **seen}
    return [Deed(one, _by(one, removed, left, parts), one.so_far_usd(now)) for one in everything.values()]


def _by(finding: Finding, removed: set[tuple[str, str]], left: set[tuple[str, str]], parts: Parts) -> By:
    """Judge one: what neither a stack nor the sweep removed went with a janitor, or with what a janitor removed."""
    key = (finding.kind, finding.name)
    if key in left:
        return "left"
    if key in removed:
        return "sweep"
    return "stack" if finding.kind == "stack" or parts.stack_of(finding) else "janitor"
