"""Every environment that left a trace in an account's region, whether its stacks stand or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operations.audit.finding import Owner
from operations.audit.inventory import Inventory, take_inventory
from operations.project import ENVIRONMENT_TAG, is_name
from operations.stacks import deployed_environments
from operations.target import Target


@dataclass(frozen=True)
class Everywhere:
    """The inventories of all environments by name, and the names of those that have stacks."""

    inventories: dict[str, Inventory]
    deployed: frozenset[str]

    @property
    def leftovers(self) -> list[Inventory]:
        """Environments without a stack that still cost something, or about which a service did not answer."""
        gone = [one for name, one in self.inventories.items() if name not in self.deployed]
        return [one for one in gone if one.billable or one.unanswered]

    def document(self) -> dict[str, Any]:
        """Return all of it for a machine."""
        return {
            "environments": [
                {**one.document(), "deployed": name in self.deployed} for name, one in self.inventories.items()
            ],
            "left_over": [one.environment for one in self.leftovers],
        }


def audit_everywhere(target: Target, more: set[str]) -> Everywhere:
    """Take the inventory of each environment that has a stack or a tagged resource, and of those named in ``more``.

    What carries another's tag value that can be no name of an environment is not ours.
    """
    deployed = frozenset(deployed_environments(target))
    names = {name for name in deployed | _tagged(target) | more if is_name(name)}
    found = {name: take_inventory(target, Owner(name, target.account, target.region)) for name in sorted(names)}
    return Everywhere({name: one for name, one in found.items() if name in deployed or not one.clean}, deployed)


def _tagged(target: Target) -> set[str]:
    """Return the values of the environment's tag: AWS remembers those of deleted resources for a while, too."""
    pages = target.client("resourcegroupstaggingapi").get_paginator("get_tag_values").paginate(Key=ENVIRONMENT_TAG)
    return {value for page in pages for value in page["TagValues"]}
