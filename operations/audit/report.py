"""An inventory as a person reads it."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from operations.audit.finding import Finding
from operations.audit.inventory import COLLECTORS, Inventory
from operations.console import Console


def show_inventory(inventory: Inventory, console: Console) -> None:
    """Show what costs money one by one, what is free counted by kind, and who did not answer."""
    if inventory.billable:
        table = Table(title=f"billable in environment {inventory.environment}", title_justify="left")
        for heading in ("kind", "name", "state", "USD/month", "how reckoned", "found by"):
            table.add_column(heading, overflow="fold", justify="right" if heading == "USD/month" else "left")
        for finding in sorted(inventory.billable, key=lambda found: -(found.monthly_usd or 0.0)):
            table.add_row(finding.kind, finding.name, finding.state, _usd(finding), finding.price, finding.why)
        console.show(table)
        console.say(f"Known cost if nothing changes: {inventory.monthly_usd:.2f} USD a month.")
        for finding in inventory.billable:
            if finding.monthly_usd is None:
                console.say(f"No price for {finding.kind} {finding.name}: {finding.price or 'not in the table'}.")
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


def _usd(finding: Finding) -> str:
    if finding.monthly_usd is None:
        return "no price"
    return f"{finding.monthly_usd:.2f}" if finding.monthly_usd >= 0.01 else "< 0.01"
