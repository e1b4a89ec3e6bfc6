"""What depends on what in a template: CloudFormation deletes against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.synthesis import Template, resources


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0]
            else:
                yield from references(item)


def dependencies(template: Template, logical_id: str) -> set[str]:
    """Return everything that is created before the resource and deleted after it, step by step to the end."""
    found: set[str] = set()
    todo = [logical_id]
    while todo:
        resource = template["Resources"][todo.pop()]
        depends = resource.get("DependsOn", [])
        named = [depends] if isinstance(depends, str) else depends
        for other in [*named, *references(resource.get("Properties", {}))]:
            if other in template["Resources"] and other not in found:
                found.add(other)
                todo.append(other)
    return found


def ids(template: Template, kind: str, part: str) -> set[str]:
    """Return the ids of a type that hold the part; there is at least one."""
    found = {key for key in resources(template, kind) if part in key}
    assert found, f"no {kind} with {part} in its id"
    return found


def matching(template: Template, pattern: str) -> set[str]:
    """Return the resource of the id, if there is one without its hash, else all whose id matches the pattern.

    A construct's parts (the function of a janitor, its role) have longer ids than its own resource.
    """
    own = {key for key in template["Resources"] if re.fullmatch(rf"{pattern}[0-9A-F]{{8}}", key)}
    own = own or {key for key in template["Resources"] if re.fullmatch(pattern, key)}
    return own


def keeps_its_tools(template: Template, janitor: str) -> bool:
    """Say whether function, permissions and log group of a janitor are there as long as the janitor is."""
    (resource,) = matching(template, janitor)
    before = dependencies(template, resource)
    kinds = ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Logs::LogGroup")
    return all(ids(template, kind, janitor) <= before for kind in kinds)


def without_each_dependency(template: Template) -> Iterator[tuple[str, Template]]:
    """Yield the template without one ``DependsOn`` after the other, with which it was in words."""
    for key, resource in template["Resources"].items():
        for other in resource.get("DependsOn", []):
            fewer = {**resource, "DependsOn": [one for one in resource["DependsOn"] if one != other]}
            yield f"{key} -> {other}", {**template, "Resources": {**template["Resources"], key: fewer}}
