"""The sweep: kind after kind, in an order in which nothing holds another back; what refuses is reported and stays.

Only findings of the inventory are touched, and an inventory holds only what is proved to be the environment's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.audit import Inventory
from operations.audit.finding import Finding
from operations.console import Console
from operations.errors import OperationError
from operations.sweep.order import ORDER, Step
from operations.target import Target

_SIDE_BY_SIDE = 8
"""How many things of a kind are removed at a time: removing is mostly waiting."""


@dataclass(frozen=True)
class Swept:
    """What became of one finding: gone after some seconds, or refused for a reason."""

    finding: Finding
    begin: datetime
    seconds: float
    refused: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        found = self.finding.document()
        kept = {key: found[key] for key in ("service", "kind", "name", "monthly_usd", "remove")}
        return {**kept, "seconds": round(self.seconds, 1), "refused": self.refused}


def sweep(
    target: Target, inventory: Inventory, console: Console, *, only: Callable[[Finding], bool] | None = None
) -> list[Swept]:
    """Remove the findings, all or ``only`` those of which it says so, and return what became of each."""
    swept: list[Swept] = []
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for step in ORDER:
            found = [finding for finding in inventory.of(step.kind) if only is None or only(finding)]
            if not found:
                continue
            if step.first:
                step.first(target, found)
            swept += pool.map(lambda finding, step=step: _remove(target, step, finding, console), found)
    return swept


def _remove(target: Target, step: Step, finding: Finding, console: Console) -> Swept:
    begin, started = datetime.now(UTC), time.monotonic()
    try:
        step.remove(target, finding)
    except (ClientError, BotoCoreError, OperationError) as error:
        console.warn(f"{finding.kind} {finding.name} could not be removed: {error}\n  by hand: {finding.remove}")
        return Swept(finding, begin, time.monotonic() - started, str(error))
    console.step(f"removed {finding.kind} {finding.name}, which no stack knew")
    return Swept(finding, begin, time.monotonic() - started)
