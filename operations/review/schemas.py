"""What AWS's registry says about types of resources: which properties can only be set at creation.

The schemas are those that cfn-lint ships (MIT-0, refreshed with each of its releases). They are read as files:
importing cfn-lint itself takes longer than a whole review.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from operations.errors import OperationError

Path_ = tuple[str, ...]
"""A property's path below ``Properties``; ``*`` stands for every entry of a list."""

CDK_SAYS_REPLACED: Mapping[str, frozenset[str]] = {
    "AWS::SageMaker::App": frozenset({"Tags"}),
    "AWS::SageMaker::AppImageConfig": frozenset({"Tags"}),
    "AWS::SageMaker::Domain": frozenset({"Tags"}),
    "AWS::SageMaker::UserProfile": frozenset({"Tags"}),
}
"""Where CDK's own database (aws-cdk-lib 2.275.0, cdk diff) calls a change a replacement and the registry does not.

The registry has ``tagUpdatable: true`` for all four (schemas of 2026-10-20); facts/review.md, section 0.4, measured it.
"""


@dataclass(frozen=True)
class Schema:
    """What the registry says about one type. ``known`` is False for a type that it has no schema of."""

    known: bool
    create_only: tuple[Path_, ...] = ()
    maybe_create_only: tuple[Path_, ...] = ()
    tag_property: str = "Tags"
    primary: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()

    def name_property(self, type_: str) -> str | None:
        """Return the property that holds the resource's own name: no two can have the same at a time."""
        last = type_.rsplit("::", 1)[-1]
        top = {path[0] for path in self.create_only if len(path) == 1}
        wanted = (f"{last}Name", f"{last}Identifier", "Name", "GroupName", "AliasName", "ClusterIdentifier")
        return next((one for one in wanted if one in top), None)


@cache
def schema_of(type_: str) -> Schema:
    """Return what is known about the type. Raises OperationError when cfn-lint is not installed."""
    file = _index().get(type_)
    if type_.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return Schema(known=True, create_only=(("ServiceToken",),))
    if file is None:
        return Schema(known=False)
    document = json.loads((_folder() / "resources" / f"{file}.json").read_text(encoding="utf-8"))
    tagging = document.get("tagging") or {}
    return Schema(
        known=True,
        create_only=_paths(document.get("createOnlyProperties")),
        maybe_create_only=_paths(document.get("conditionalCreateOnlyProperties")),
        tag_property=str(tagging.get("tagProperty", "/properties/Tags")).rsplit("/", 1)[-1],
        primary=frozenset(path[0] for path in _paths(document.get("primaryIdentifier")) if path),
        properties=frozenset(document.get("properties", ())),
    )


@cache
def _folder() -> Path:
    found = find_spec("cfnlint")
    if found is None or found.origin is None:
        raise OperationError("cfn-lint, which ships the registry's schemas, is not installed. Run: make install")
    return Path(found.origin).parent / "data" / "schemas"


@cache
def _index() -> Mapping[str, str]:
    """Return the files of schemas by type; every type that AWS has anywhere is in us-east-1."""
    found: Mapping[str, str] = json.loads((_folder() / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    return found


def _paths(pointers: Any) -> tuple[Path_, ...]:
    return tuple(tuple(str(one).split("/")[2:]) for one in pointers or ())
