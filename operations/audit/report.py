"""An inventory as a person reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.table import Table

from operations.audit.finding import Finding
from operations.audit.inventory import COLLECTORS, Inventory
from operations.console import Console

CENT = 0.01
"""US dollars a month from which a finding gets a line of its own; what costs less is shown by kind."""


def show_inventory(inventory: Inventory, console: Console) -> None:
    """Show what costs money one by one, what costs less than a cent or nothing by kind, and who did not answer."""
    dear = [finding for finding in inventory.billable if finding.monthly_usd is None or finding.monthly_usd >= CENT]
    cheap = [finding for finding in inventory.billable if finding not in dear]
    if inventory.billable:
        table = Table(
            title=f"environment {inventory.environment}, a month from now on", title_justify="left", box=box.SIMPLE
        )
        table.add_column("USD", justify="right")
        for heading in ("what", "state", "how reckoned"):
            table.add_column(heading, overflow="fold")
        for finding in sorted(dear, key=lambda found: -(found.monthly_usd or 0.0)):
            usd = "no price" if finding.monthly_usd is None else f"{finding.monthly_usd:.2f}"
            table.add_row(usd, f"{finding.kind} {finding.name}", finding.state, finding.price)
        for kind, findings in _by_kind(cheap).items():
            total = sum(finding.monthly_usd or 0.0 for finding in findings)
            table.add_row(
                f"{total:.2f}" if total >= CENT else "< 0.01", f"{len(findings)} x {kind}", "", findings[0].price
            )
        unknown = any(finding.monthly_usd is None for finding in dear)
        known = f"{inventory.monthly_usd:.2f}"
        table.add_row(
            f"{known} + ?" if unknown else known, "in all" + (", and what has no price" if unknown else ""), "", ""
        )
        console.show(table)
    free = Counter(f"{finding.service} {finding.kind}" for finding in inventory.findings if not finding.billable)
    if free:
        console.say("Free to keep: " + ", ".join(f"{count} x {kind}" for kind, count in sorted(free.items())) + ".")
    for service, reason in inventory.unanswered.items():
        console.say(f"NOT ASKED: {service} did not answer: {reason}")
    if inventory.clean:
        console.say(
            f"Environment {inventory.environment}: 0 resources, 0 billable, 0.00 USD a month "
            f"({len(COLLECTORS)} inventories of AWS services taken, all answered)."
        )


def _by_kind(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return kinds
