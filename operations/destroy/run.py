"""One destroy as it goes, and what is told of it in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operations.audit import Inventory, take_inventory
from operations.audit.finding import Finding, Memory, Owner
from operations.console import Console
from operations.destroy.history import Parts, StackHistory
from operations.stacks import Stack
from operations.sweep import Swept
from operations.sweep.order import NEEDS_ITS_ROLE
from operations.target import Target


@dataclass
class Run:
    """One destroy as it goes: what was there, what was done, and how often anything had to be tried."""

    target: Target
    environment: str
    console: Console
    started: datetime
    stacks: list[Stack] = field(default_factory=list)
    parts: Parts = field(default_factory=Parts)
    before: Inventory | None = None
    attempts: int = 0
    quiesced: list[str] = field(default_factory=list)
    swept: list[Swept] = field(default_factory=list)
    history: list[StackHistory] = field(default_factory=list)
    audit: Inventory | None = None
    seconds: float = 0.0

    @property
    def memory(self) -> Memory:
        """What is known to have been the environment's."""
        return Memory() if self.before is None else self.before.memory

    def strange(self, finding: Finding) -> bool:
        """Say whether it was made at run time, by nobody's template, and SageMaker needs its role to remove it."""
        return finding.kind in NEEDS_ITS_ROLE and self.parts.stack_of(finding) is None

    def ask(self) -> Inventory:
        """Ask every service."""
        where = self.target
        return take_inventory(where, Owner(self.environment, where.account, where.region, self.memory))

    @property
    def refused(self) -> list[Swept]:
        """What the sweep could not remove and the last audit still finds."""
        left = {(finding.kind, finding.name) for finding in self.audit.findings} if self.audit else set()
        last = {(one.finding.kind, one.finding.name): one for one in self.swept}
        return [one for key, one in last.items() if one.refused and key in left]

    def document(self) -> dict[str, Any]:
        """Return the run for a machine."""
        audit = self.audit or self.ask()
        return {
            "environment": self.environment,
            "target": self.target.name,
            "account": self.target.account,
            "region": self.target.region,
            "started": self.started.isoformat(),
            "seconds": self.seconds,
            "attempts": self.attempts,
            "calls": self.target.traffic.calls,
            "retries": self.target.traffic.retries,
            "before": None if self.before is None else self.before.document(),
            "quiesced": self.quiesced,
            "destroyed": [stack.name for stack in self.stacks],
            "stacks": [one.document() for one in self.history],
            "swept": [one.finding.name for one in self.swept if not one.refused],
            "refused": [one.document() for one in self.refused],
            "audit": audit.document(),
            "clean": audit.clean,
        }
