"""What a review is made of: changes of resources, and concerns about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Key = tuple[str, str]
"""A resource: its stack's name and its logical id."""


class Act(StrEnum):
    """What CloudFormation does with a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    MAYBE = "maybe-replace"
    """Updated or replaced: only the deployment shows which."""
    DELETE = "delete"
    MOVED = "moved"
    """The same thing under a new logical id or in another stack: made anew there, deleted here."""
    CODE = "code"
    """Only files that it is made of changed: a function's code, for one."""
    TAGS = "tags"
    NONE = "none"
    """The template changed, the resource does not: its metadata or its order."""


FOLDED = frozenset({Act.CODE, Act.TAGS, Act.NONE})
"""What is counted, not told one by one."""


@dataclass(frozen=True)
class PropertyChange:
    """One place where a resource's properties differ; None where there is nothing."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Fate:
    """What becomes of data: ``lost``; ``orphaned``, where it stays but nothing uses it; ``kept``; ``unknown``.

    ``minor`` says that what is lost are logs or messages, which nobody counts on.
    """

    kind: Literal["lost", "orphaned", "kept", "unknown"]
    words: str
    minor: bool = False


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    stack: str
    logical_id: str
    path: str
    type: str
    act: Act
    properties: tuple[PropertyChange, ...] = ()
    forced_by: tuple[str, ...] = ()
    """The properties that can only be set at creation and changed."""
    because: tuple[str, ...] = ()
    """What else changes that makes this one change, in words."""
    causes: tuple[Key, ...] = ()
    """The resources that these words are about."""
    policies: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """``DeletionPolicy`` and ``UpdateReplacePolicy`` where they changed: before and after."""
    notes: tuple[str, ...] = ()
    moved_from: Key | None = None
    fate: Fate | None = None
    downtime: str = ""
    """What who uses it feels, in words; empty for nothing."""
    source: str = ""
    """Where in the code it is made: ``file:line``, empty when not known."""

    @property
    def key(self) -> Key:
        """The resource's key."""
        return self.stack, self.logical_id


@dataclass(frozen=True)
class Concern:
    """Something that a reviewer must know. ``blocks`` until somebody approves it."""

    rule: str
    stack: str
    path: str
    words: str
    blocks: bool
    source: str = ""

    @property
    def place(self) -> str:
        """The construct's path with its stack's name; the stack's alone for what concerns all of it."""
        return f"{self.stack}/{self.path}" if self.path else self.stack
