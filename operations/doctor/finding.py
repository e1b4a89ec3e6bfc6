"""What a check says, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from operations.audit import Inventory, take_inventory
from operations.audit.finding import Owner
from operations.stacks import Stack, environment_stacks
from operations.target import Target
from sandcastle.config import Environment

Level = Literal["ok", "warning", "blocker"]


@dataclass(frozen=True)
class Finding:
    """One finding: what was found and, unless all is well, what to do: the command, or the place in the console.

    ``blocker``: the deployment would fail. ``warning``: it would work, or nobody can tell; read it.
    """

    level: Level
    check: str
    found: str
    do: str = ""

    def document(self) -> dict[str, Any]:
        """Return the finding for a machine."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """An environment that is to be deployed, where, and the name of its file as the command takes it."""

    target: Target
    environment: Environment
    file: str

    @cached_property
    def stacks(self) -> list[Stack]:
        """The environment's stacks that exist already."""
        return environment_stacks(self.target, self.environment.name)

    @cached_property
    def inventory(self) -> Inventory:
        """All that exists of it already."""
        where = self.target
        return take_inventory(where, Owner(self.environment.name, where.account, where.region))

    @property
    def command(self) -> str:
        """The options by which another command means the same environment."""
        return f"--environment {self.file}" + (" --target aws" if self.target.name == "aws" else "")


class Check(Protocol):
    """Looks at one thing. A refusal of AWS (ClientError) means that it could not be told."""

    def __call__(self, case: Case) -> Iterator[Finding]:
        """Yield what was found."""
