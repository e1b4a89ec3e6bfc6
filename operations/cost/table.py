"""An estimate as a person reads it: what is billed at rest, what use costs, whose it is, and what has no price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from operations.console import Console
from operations.review.cost import Estimate, Kind, Line, Total
from operations.words import duration, usd
from sandcastle.config.catalogue import HOURS_PER_MONTH

_EVERYBODY = "shared"
"""Whose something is that is nobody's alone."""

_SURE = {"high": "", "medium": "~", "low": "~~", "": ""}
_CENT = 0.005

NO_PRICE = "no price"

_NOTES = (
    "~ medium, ~~ low confidence in a price. Not reckoned: taxes, discounts, data transfer, requests to S3, and most\n"
    "of what AWS gives for nothing. Another amount of use: --assume app_hours=80 (docs/cost.md)."
)


@dataclass(frozen=True)
class Row:
    """Lines that say the same of the same owner."""

    owner: str
    what: str
    how: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Total:
        """Their sum."""
        return Total.of(list(self.lines))

    @property
    def thing(self) -> str:
        """What it is, and how many of it there are where that is not one."""
        return f"{len(self.lines)} x {self.what}" if len(self.lines) > 1 else self.what

    @property
    def each(self) -> str:
        """What one unit costs, and how sure that is; nothing where the lines differ in it."""
        one = self.lines[0]
        if one.each is None or {line.each for line in self.lines} != {one.each}:
            return ""
        figure = f"{float(f'{one.each:.4g}'):.8f}".rstrip("0").rstrip(".") or "0"
        return f"{_SURE[one.confidence]}{figure} / {one.unit.split(' after ')[0]}"


def show(estimate: Estimate, environment: str, console: Console) -> None:
    """Show an estimate."""
    where = estimate.region or "no region, or several"
    console.say(f"environment {environment}, {where}: US dollars a month, prices of {estimate.table_date}\n")
    console.show(_table(estimate, "Every month, whether or not anybody works", "fixed"))
    if estimate.lives_minutes:
        part = estimate.monthly * estimate.lives_minutes / (HOURS_PER_MONTH * 60)
        lives = f"It ends by itself after {duration(estimate.lives_minutes * 60)}"
        console.say(f"{lives}: until then that is {usd(part)}.\n" if part else f"{lives}.\n")
    console.show(_table(estimate, "Kept: billed by the gigabyte", "storage"))
    console.show(_table(estimate, "By use: billed when something is done", "use"))
    console.show(_owners(estimate))
    saved = summed(estimate.saved_by_destroy)
    console.say(
        "There is no price for what a destroy saves."
        if saved == NO_PRICE
        else f"A destroy saves {saved} a month, and all further use."
    )
    if left := estimate.left_by_destroy:
        names = ", ".join(sorted({f"{one.what} {one.path}" for one in left}))
        console.say(f"Billed on after a destroy, as the templates keep them: {names} ({summed(Total.of(list(left)))}).")
    if estimate.unpriced:
        console.say("NO PRICE, so in none of these sums:")
    for why, what in missing(estimate.unpriced).items():
        console.say(f"  {why}: {'; '.join(what)}")
    console.say(_NOTES)


def amount(value: float) -> str:
    """Return a sum with two digits, and what rounding would hide as less than a cent."""
    return "< 0.01" if 0 < value < _CENT else f"{value:,.2f}"


def summed(total: Total, unit: str = " USD") -> str:
    """Return a sum, and that it is not the whole, or nothing at all, where something has no price."""
    if total.unpriced and not total.known:
        return NO_PRICE
    return f"{amount(total.known)}{unit}" + (" + ?" if total.unpriced else "")


def rows(lines: Iterable[Line]) -> list[Row]:
    """Gather lines that say the same; what is everybody's comes first, then by owner, dearest first."""
    found: dict[tuple[str, str, str], list[Line]] = {}
    for one in lines:
        found.setdefault((one.owner, one.what, one.assumption), []).append(one)
    made = [Row(*key, tuple(gathered)) for key, gathered in found.items()]
    return sorted(made, key=lambda one: (one.owner, -abs(one.total.known)))


def missing(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Return what has no price by what there is no price for, each thing once with whom it is for."""
    found: dict[str, dict[str, set[str]]] = {}
    for one in lines:
        things = found.setdefault(one.assumption.removeprefix("no price for "), {})
        things.setdefault(one.what, set()).add(one.owner or _EVERYBODY)
    return {
        why: [f"{what} ({', '.join(sorted(owners))})" for what, owners in sorted(things.items())]
        for why, things in sorted(found.items())
    }


def _table(estimate: Estimate, title: str, kind: Kind) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_footer=True)
    table.add_column("USD", justify="right", footer=summed(estimate.total(kind), unit=""))
    table.add_column("for", footer="in all")
    for heading in ("what", "how reckoned", "price"):
        table.add_column(heading, overflow="fold")
    last = None
    for one in rows(line for line in estimate.lines if line.kind == kind):
        owner = one.owner or _EVERYBODY
        figure = NO_PRICE if one.total.unpriced else amount(one.total.known)
        table.add_row(figure, owner if owner != last else "", one.thing, one.how, one.each)
        last = owner
    return table


def _owners(estimate: Estimate) -> Table:
    table = Table(title="For each workload and each user", title_justify="left", box=box.SIMPLE)
    table.add_column("for")
    for heading in ("every month", "kept", "by use"):
        table.add_column(heading, justify="right")
    kinds: tuple[Kind, ...] = ("fixed", "storage", "use")
    for key, names in (("workload", estimate.workloads), ("user", estimate.users)):
        for name in names:
            sums = (summed(estimate.total(kind, **{key: name}), unit="") for kind in kinds)
            table.add_row(f"{key} {name}", *sums)
    shared = [one for one in estimate.lines if not one.owner]
    sums = (summed(Total.of([one for one in shared if one.kind == kind]), unit="") for kind in kinds)
    table.add_row(_EVERYBODY, *sums)
    return table
