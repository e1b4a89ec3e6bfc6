"""What a change does to the bill: two estimates, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Assembly
from operations.review.cost.assumed import Assumptions
from operations.review.cost.estimate import Estimate, estimate
from operations.review.cost.line import Line, Total


@dataclass(frozen=True)
class LineChange:
    """One line before and after; one of them is None for what is new or gone."""

    before: Line | None
    after: Line | None

    @property
    def line(self) -> Line:
        """The line as it will be, or as it was."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change has a line before or after")
        return found

    @property
    def delta(self) -> float | None:
        """US dollars a month more, negative for less; None when a side has no price."""
        sides = [0.0 if one is None else one.monthly for one in (self.before, self.after)]
        before, after = sides
        return None if before is None or after is None else after - before

    @property
    def words(self) -> str:
        """The change in words: what, whose, from what to what, and how that was reckoned."""
        if self.before and self.after:
            return f"{self.line.name}: {_usd(self.before)} → {_usd(self.after)} ({self.after.assumption})"
        return f"{self.line.name}: {'new' if self.after else 'gone'}, {_usd(self.line)} ({self.line.assumption})"

    def document(self) -> dict[str, Any]:
        """Return the change for a machine."""
        sides = {"before": self.before, "after": self.after}
        return {
            **{name: one.document() if one else None for name, one in sides.items()},
            "delta_usd": self.delta,
            "words": self.words,
        }


@dataclass(frozen=True)
class CostChange:
    """Lines that differ. ``monthly_before`` and ``monthly_after`` are what is billed if nobody does anything.

    ``unpriced`` names what the change brings, or changes, that has no price: the sums say nothing about it.
    """

    lines: tuple[LineChange, ...]
    monthly_before: float
    monthly_after: float
    unpriced: tuple[str, ...]
    base: Estimate
    head: Estimate

    @property
    def delta(self) -> float:
        """US dollars a month more at rest, negative for less, as far as there are prices."""
        return self.monthly_after - self.monthly_before

    @property
    def use_delta(self) -> float:
        """US dollars a month more for use and storage, under the assumptions of the estimates."""
        return self.head.total("use", "storage").known - self.base.total("use", "storage").known

    @property
    def saved_by_destroy(self) -> Total:
        """What a destroy of the result saves a month."""
        return self.head.saved_by_destroy

    def document(self) -> dict[str, Any]:
        """Return everything for a machine, without the lines that stay as they are."""
        return {
            "region": self.head.region,
            "prices": self.head.table_date,
            "assumptions": self.head.assumptions.document(),
            "monthly_before_usd": round(self.monthly_before, 4),
            "monthly_after_usd": round(self.monthly_after, 4),
            "use_delta_usd": round(self.use_delta, 4),
            "no_price": list(self.unpriced),
            "saved_by_destroy": self.saved_by_destroy.document(),
            "lines": [one.document() for one in self.lines],
        }


def difference(base: Assembly, head: Assembly, assumptions: Assumptions | None = None) -> CostChange:
    """Return what the change from one app to the other does to the bill; dearest lines first."""
    before, after = estimate(base, assumptions), estimate(head, assumptions)
    old, new = ({line.key: line for line in one.lines} for one in (before, after))
    changed = [
        LineChange(old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if _seen(old.get(key)) != _seen(new.get(key))
    ]
    changed.sort(key=lambda one: (one.line.kind != "fixed", -abs(one.delta or 0.0), one.line.key))
    unpriced = sorted({one.after.name for one in changed if one.after and one.after.monthly is None})
    return CostChange(tuple(changed), before.monthly, after.monthly, tuple(unpriced), before, after)


def _seen(line: Line | None) -> tuple[object, ...]:
    """Return what of a line is worth telling: its amount, what it is about, and why it has no price."""
    if line is None:
        return ()
    amount = None if line.monthly is None else round(line.monthly, 4)
    return amount, line.what, line.kind, line.assumption if line.monthly is None else "", line.retained


def _usd(line: Line) -> str:
    return "no price" if line.monthly is None else f"${line.monthly:,.2f}"
