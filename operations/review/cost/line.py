"""One line of an estimate: what something costs a month, how that was reckoned, and how sure the price is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["fixed", "storage", "use"]
"""``fixed`` is billed whether or not anybody works, ``storage`` by what is kept, ``use`` by what is done."""


@dataclass(frozen=True)
class Line:
    """What one part of one resource costs.

    ``monthly`` is in US dollars, None when there is no price for it or its amount is not known; 0.0 is a price.
    ``each`` is what one ``unit`` costs (``hour``, ``run``). ``part`` tells the lines of a resource apart and does not
    change with its settings. ``assumption`` says how much of it is reckoned, or why nothing is. ``confidence`` is high,
    medium or low, empty without a price.
    """

    stack: str
    path: str
    part: str
    what: str
    monthly: float | None
    kind: Kind
    workload: str | None = None
    user: str | None = None
    assumption: str = ""
    confidence: str = ""
    source: str = ""
    each: float | None = None
    unit: str = ""
    retained: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What is the same thing in another estimate."""
        return self.stack, self.path, self.part

    @property
    def owner(self) -> str:
        """The workload or the user that it is for; empty for what is everybody's."""
        return self.workload or self.user or ""

    @property
    def name(self) -> str:
        """What it is and whose, in words."""
        return f"{self.owner}: {self.what}" if self.owner else self.what

    def changed(self, **values: Any) -> Line:
        """Return the line with other values."""
        return replace(self, **values)

    def document(self) -> dict[str, Any]:
        """Return the line for a machine."""
        names = ("stack", "path", "part", "what", "kind", "workload", "user", "assumption", "confidence", "source")
        found = {name: getattr(self, name) for name in names}
        return {**found, "monthly_usd": self.monthly, "usd": self.each, "unit": self.unit, "kept": self.retained}


@dataclass(frozen=True)
class Total:
    """A sum of lines: what is known of it, and the names of what has no price."""

    known: float = 0.0
    unpriced: tuple[str, ...] = field(default=())

    @staticmethod
    def of(lines: list[Line]) -> Total:
        """Add the lines up."""
        unpriced = sorted({one.name for one in lines if one.monthly is None})
        return Total(sum(one.monthly for one in lines if one.monthly is not None), tuple(unpriced))

    def document(self) -> dict[str, Any]:
        """Return the sum for a machine: it is the whole only when nothing is without a price."""
        return {"monthly_usd": round(self.known, 4), "no_price": list(self.unpriced)}
