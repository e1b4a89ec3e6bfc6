"""What depends on what in a template: CloudFormation deletes against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.synthesis import Template


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
