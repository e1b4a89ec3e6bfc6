"""Resources that only got another logical id or another stack: for CloudFormation a deletion and a creation."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from operations.review.assembly import Assembly, Resource
from operations.review.change import Act, Change, Key
from operations.review.values import DEPTH, references


def with_moves(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> dict[Key, Change]:
    """Return the changes, a deletion and a creation of the same thing told as one."""
    gone, come = _by_likeness(changes, base, Act.DELETE), _by_likeness(changes, head, Act.CREATE)
    found = dict(changes)
    for likeness, new in come.items():
        left = list(gone.get(likeness, ()))
        for key in new:
            if left:
                old = max(left, key=lambda one: (one[0] == key[0], _alike(one, key), one))
                left.remove(old)
                found[key] = replace(found[key], act=Act.MOVED, moved_from=old)
                del found[old]
    return dict(sorted(found.items()))


def _by_likeness(changes: Mapping[Key, Change], assembly: Assembly, act: Act) -> dict[str, list[Key]]:
    found = defaultdict(list)
    types = {name: {key: one.type for key, one in stack.resources.items()} for name, stack in assembly.stacks.items()}
    for key, change in changes.items():
        if change.act is act:
            resource = assembly.stacks[key[0]].resources[key[1]]
            found[_likeness(resource, types[key[0]])].append(key)
    return found


def _likeness(resource: Resource, types: Mapping[str, str]) -> str:
    """Return a hash of the type and the properties, the ids of other resources replaced by their types."""
    told = json.dumps(_nameless(dict(resource.properties), types, 0), sort_keys=True, default=str)
    return hashlib.sha256(f"{resource.type} {told}".encode()).hexdigest()


def _nameless(value: Any, types: Mapping[str, str], depth: int) -> Any:
    if depth > DEPTH:
        return str(value)
    if isinstance(value, list):
        return [_nameless(one, types, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and set(value) <= {"Ref", "Fn::GetAtt"}:
        return {"to": sorted(types.get(name, name) for name, _ in references(value))}
    return {
        key: None if key == "Fn::ImportValue" else _nameless(one, types, depth + 1)
        for key, one in value.items()
        if not key.endswith("Tags")
    }


def _alike(one: Key, other: Key) -> float:
    return SequenceMatcher(None, one[1], other[1]).ratio()
