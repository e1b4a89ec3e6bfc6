"""One thing that belongs to an environment, and how an inventory decides that it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from operations.project import ENVIRONMENT_TAG
from operations.stacks import tags


@dataclass(frozen=True)
class Finding:
    """One thing found.

    ``monthly_usd`` is what it costs in a month of 730 hours if nobody touches it: 0.0 when it is free to keep,
    None when it costs something for which there is no price. ``remove`` is the command that removes it.
    """

    service: str
    kind: str
    name: str
    state: str
    monthly_usd: float | None
    why: str
    remove: str
    price: str = ""

    @property
    def billable(self) -> bool:
        """Whether keeping it costs money, known or unknown."""
        return self.monthly_usd is None or self.monthly_usd > 0

    def document(self) -> dict[str, Any]:
        """Return the finding for a machine."""
        return {**asdict(self), "billable": self.billable}


@dataclass(frozen=True)
class Owner:
    """Decides whether something belongs to one environment.

    The tag ``sandcastle:environment`` decides; only what cannot carry tags, or lost them, is judged by name,
    and names are compared whole or up to a separator that no environment name can contain.
    """

    environment: str
    account: str
    region: str

    def by_tags(self, pairs: Iterable[Any]) -> str | None:
        """Return the reason when the Key/Value pairs name this environment, else None."""
        return self.by_map(tags(pairs))

    def by_map(self, tag_map: dict[str, str]) -> str | None:
        """Return the reason when the tags name this environment, else None."""
        return f"tag {ENVIRONMENT_TAG}" if tag_map.get(ENVIRONMENT_TAG) == self.environment else None

    def by_run_time_name(self, name: str) -> str | None:
        """Return the reason when the name is one that the environment gives at run time, else None.

        Such names are ``sandcastle-<environment>--<workload>`` and what follows another double dash; an
        environment's or a workload's own name never contains a double dash.
        """
        return "name" if name.startswith(f"sandcastle-{self.environment}--") else None


class Clients(Protocol):
    """Hands out boto3 clients; a Target does."""

    def client(self, service: str) -> Any:
        """Return the client of the service."""


class Collector(Protocol):
    """Asks one service for everything of one owner."""

    def __call__(self, clients: Clients, owner: Owner) -> Iterator[Finding]:
        """Yield what belongs."""
