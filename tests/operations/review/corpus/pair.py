"""What a pair is, and how it becomes two folders like those that `cdk synth` writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.operations.review.corpus.world import DEPENDS, world

Templates = dict[str, Any]
"""Templates by stack name."""


@dataclass(frozen=True)
class Pair:
    """A change and what a review must say about it.

    ``blockers`` are all blockers, as ``rule path``; ``acts`` what happens to some resources, as ``stack/id``; ``only``
    says that nothing else changes; ``says`` are texts that the comment must have, ``silent`` texts that it must not.
    """

    name: str
    head: Callable[[Templates], None]
    verdict: Literal["clean", "look", "blocked"]
    blockers: frozenset[str] = frozenset()
    acts: Mapping[str, str] = field(default_factory=dict)
    only: bool = False
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    base: Callable[[Templates], None] = lambda _: None
    """What BASE has beside the world that all pairs share."""

    def templates(self) -> tuple[Templates, Templates]:
        """Return BASE's and HEAD's templates."""
        before = world()
        self.base(before)
        after = deepcopy(before)
        self.head(after)
        return before, after


def write(folder: Path, templates: Templates) -> Path:
    """Write the templates as an assembly, and return its folder."""
    folder.mkdir(parents=True)
    artifacts = {}
    for name, template in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/us-east-1",
            "properties": {"templateFile": f"{name}.template.json"},
            "dependencies": [one for one in DEPENDS.get(name, ()) if one in templates],
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    return folder
