"""One thing that belongs to an environment, and how an inventory decides that it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operations.audit.call import Call
from operations.project import ENVIRONMENT_TAG
from operations.stacks import tags
from sandcastle import tuning_names
from sandcastle.config.catalogue import HOURS_PER_MONTH

DOMAIN_TAG = "sagemaker:domain-arn"
"""What SageMaker itself puts on everything that is launched from Studio (facts on teardown, section 3)."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    ``monthly_usd`` is what it costs in a month of 730 hours if nobody touches it: 0.0 when it is free to keep,
    None when it costs something for which there is no price. ``removal`` is the call that removes it, ``by_hand`` what
    a person types where a single call does not do.
    """

    kind: str
    name: str
    state: str
    monthly_usd: float | None
    why: str
    removal: Call
    price: str = ""
    created: datetime | None = None
    by_hand: str = ""

    @property
    def service(self) -> str:
        """The service that has it, by boto3's name."""
        return self.removal.service

    @property
    def remove(self) -> str:
        """The command that removes it."""
        return self.by_hand or self.removal.command()

    @property
    def billable(self) -> bool:
        """Whether keeping it costs money, known or unknown."""
        return self.monthly_usd is None or self.monthly_usd > 0

    def so_far_usd(self, now: datetime) -> float | None:
        """Return what it has cost since it was made, at today's size and price; None when that is not known."""
        if self.monthly_usd is None or (self.created is None and self.monthly_usd):
            return None
        if self.created is None:
            return 0.0
        hours = (now - self.created).total_seconds() / 3600
        return self.monthly_usd * max(0.0, hours) / HOURS_PER_MONTH

    def document(self) -> dict[str, Any]:
        """Return the finding for a machine."""
        return {
            "service": self.service,
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "monthly_usd": self.monthly_usd,
            "billable": self.billable,
            "why": self.why,
            "remove": self.remove,
            "price": self.price,
            "created": self.created.isoformat() if self.created else None,
        }


@dataclass(frozen=True)
class Memory:
    """What was known to be an environment's before it was deleted: ids of Studio domains, names of what ran.

    Some of what SageMaker leaves behind names only these.
    """

    domains: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __or__(self, other: Memory) -> Memory:
        """Return what either knows."""
        return Memory(self.domains | other.domains, self.names | other.names)


@dataclass(frozen=True)
class Owner:
    """Decides whether something belongs to one environment.

    The tag ``sandcastle:environment`` decides; only what cannot carry tags, or lost them, is judged by name,
    and names are compared whole or up to a separator that no environment name can contain.
    """

    environment: str
    account: str
    region: str
    memory: Memory = Memory()

    def by_tags(self, pairs: Iterable[Any]) -> str | None:
        """Return the reason when the Key/Value pairs name this environment, else None."""
        return self.by_map(tags(pairs))

    def by_map(self, tag_map: Mapping[str, str]) -> str | None:
        """Return the reason when the tags name this environment, else None."""
        return f"tag {ENVIRONMENT_TAG}" if tag_map.get(ENVIRONMENT_TAG) == self.environment else None

    def by_run_time_name(self, name: str) -> str | None:
        """Return the reason when the name is one that the environment gives at run time, else None.

        Such names are ``sandcastle-<environment>--<workload>`` and what follows another double dash; an
        environment's or a workload's own name never contains a double dash.
        """
        return "name" if name.startswith(self.prefix) else None

    def by_tags_or_name(self, tag_map: Mapping[str, str], name: str) -> str | None:
        """Return the reason when the tags name this environment or, where they name none, the name does."""
        if ENVIRONMENT_TAG in tag_map:
            return self.by_map(tag_map)
        return self.by_run_time_name(name)

    @property
    def prefix(self) -> str:
        """What every name begins with that the environment gives at run time."""
        return f"sandcastle-{self.environment}--"

    @property
    def job_prefixes(self) -> tuple[str, str]:
        """What the names of the environment's jobs begin with, those of tuning jobs and their training jobs, too."""
        return self.prefix, tuning_names.of_environment(self.environment)

    def call(self, service: str, operation: str, **parameters: Any) -> Call:
        """Return a call in the environment's region."""
        return Call(service, operation, parameters, self.region)
