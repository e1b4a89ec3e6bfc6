"""What a synthesised app costs a month: every line, and sums of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Assembly, Resource
from operations.review.cost.assumed import Assumptions
from operations.review.cost.kinds import lines_of
from operations.review.cost.line import Kind, Line, Total
from operations.review.cost.night import asleep
from operations.review.cost.reading import number, text
from operations.review.cost.scene import Scene
from sandcastle.config.catalogue import HOURS_PER_MONTH, item_price, table_date

FREE_BUDGET_DAYS = 62
"""Of budgets with actions, a month (price table): two budgets."""

_EXPIRY = "Custom::SandcastleExpiry"


@dataclass(frozen=True)
class Estimate:
    """All lines, in order. ``region`` is None when the templates are for none, or for several.

    ``lives_minutes`` is after how long the environment ends by itself, None when it does not.
    """

    lines: tuple[Line, ...]
    region: str | None
    table_date: str
    assumptions: Assumptions
    lives_minutes: float | None = None

    def total(self, *kinds: Kind, **whose: str) -> Total:
        """Add up the lines of these kinds, all of them without any; ``workload=`` or ``user=`` narrows it."""
        found = [one for one in self.lines if not kinds or one.kind in kinds]
        return Total.of([one for one in found if all(getattr(one, key) == value for key, value in whose.items())])

    @property
    def monthly(self) -> float:
        """What is billed a month if nobody does anything and nothing is kept, as far as there are prices."""
        return self.total("fixed").known

    @property
    def unpriced(self) -> tuple[Line, ...]:
        """Lines without a price."""
        return tuple(one for one in self.lines if one.monthly is None)

    @property
    def saved_by_destroy(self) -> Total:
        """What is billed no longer once it is destroyed: all that is fixed or stored, and not kept."""
        return Total.of([one for one in self.lines if one.kind != "use" and not one.retained])

    @property
    def left_by_destroy(self) -> tuple[Line, ...]:
        """What is billed on after a destroy: what its template keeps."""
        return tuple(one for one in self.lines if one.kind != "use" and one.retained)

    @property
    def workloads(self) -> tuple[str, ...]:
        """The workloads that lines are about."""
        return tuple(sorted({one.workload for one in self.lines if one.workload}))

    @property
    def users(self) -> tuple[str, ...]:
        """The people that lines are about."""
        return tuple(sorted({one.user for one in self.lines if one.user}))

    def document(self) -> dict[str, Any]:
        """Return everything for a machine."""
        kinds: tuple[Kind, ...] = ("fixed", "storage", "use")
        return {
            "region": self.region,
            "prices": self.table_date,
            "assumptions": self.assumptions.document(),
            "lives_minutes": self.lives_minutes,
            "totals": {kind: self.total(kind).document() for kind in kinds},
            "workloads": {
                one: {kind: self.total(kind, workload=one).document() for kind in kinds} for one in self.workloads
            },
            "users": {one: {kind: self.total(kind, user=one).document() for kind in kinds} for one in self.users},
            "saved_by_destroy": self.saved_by_destroy.document(),
            "left_by_destroy": [one.document() for one in self.left_by_destroy],
            "lines": [one.document() for one in self.lines],
        }


def estimate(assembly: Assembly, assumptions: Assumptions | None = None, region: str | None = None) -> Estimate:
    """Return what the app costs. ``region`` counts for stacks whose templates name none."""
    known, away = assumptions or Assumptions(), asleep(assembly)
    scenes = [
        Scene(assembly, stack, stack.region or region, known, away) for _, stack in sorted(assembly.stacks.items())
    ]
    found = [
        line for scene in scenes for _, one in sorted(scene.stack.resources.items()) for line in lines_of(scene, one)
    ]
    found += _together(scenes)
    regions = {scene.region for scene in scenes}
    ends = [number(one.properties.get("ExpiresAfterMinutes"), scene.stack) for scene, one in _all(scenes, _EXPIRY)]
    return Estimate(
        tuple(sorted(found, key=lambda one: (one.kind != "fixed", one.kind, one.stack, one.path, one.part))),
        regions.pop() if len(regions) == 1 else None,
        table_date(),
        known,
        min((one for one in ends if one is not None), default=None),
    )


def _together(scenes: Iterable[Scene]) -> Iterator[Line]:
    """Yield what is reckoned for all resources of a type at once: logs, and budgets with actions."""
    scenes = list(scenes)
    if logs := next(_all(scenes, "AWS::Logs::LogGroup"), None):
        scene, one = logs
        size, shared = scene.assumed.log_gb, {"workload": None, "user": None, "retained": False}
        everybodys = Resource(one.stack, one.logical_id, "(all logs)", one.body)
        how = f"{size:g} GB a month of all logs together"
        yield scene.item(everybodys, "taken in", "logs, taken in", "use", "log ingestion", size, how, **shared)
        yield scene.item(everybodys, "kept", "logs, kept", "storage", "log storage", size, how, **shared)
    actions = list(_all(scenes, "AWS::Budgets::BudgetsAction"))
    acting = {_budget(one.properties.get("BudgetName")) for _, one in actions}
    if actions:
        scene, one = actions[0]
        shared = {"workload": None, "user": None}
        days = max(0.0, len(acting) * HOURS_PER_MONTH / 24 - FREE_BUDGET_DAYS)
        how = f"{len(acting)} of them; an account has {FREE_BUDGET_DAYS} budget-days a month for nothing"
        price, everybodys = item_price("budget with actions", "*"), Resource(one.stack, one.logical_id, "(budgets)", {})
        more = (
            {"confidence": price.confidence, "source": price.source, "each": price.usd, "unit": "day"} if price else {}
        )
        monthly = price.usd * days if price else None
        yield scene.line(
            everybodys, "actions", "budgets with actions", "fixed", monthly, assumption=how, **more, **shared
        )


def _all(scenes: Iterable[Scene], kind: str) -> Iterator[tuple[Scene, Resource]]:
    for scene in scenes:
        for _, one in sorted(scene.stack.resources.items()):
            if one.type == kind:
                yield scene, one


def _budget(name: Any) -> str:
    """Return what tells budgets apart: a reference, an import's name, or the name itself."""
    if isinstance(name, dict) and len(name) == 1:
        ((function, argument),) = name.items()
        return f"{function} {text(argument) if function == 'Fn::ImportValue' else argument}"
    return text(name)
