"""What changes in each resource by itself, given the two templates and the registry's schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from operations.review.assembly import Assembly, Resource, Stack
from operations.review.change import Act, Change, Key, PropertyChange
from operations.review.schemas import CDK_SAYS_REPLACED, Path_, Schema, schema_of
from operations.review.values import entries, leaves, references, unfolded

_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_ASSET = re.compile(r"[0-9a-f]{64}")
"""The name that CDK gives to what it uploads: the hash of its content."""

_MISSING = object()


def differences(base: Assembly, head: Assembly) -> dict[Key, Change]:
    """Return what changes, by resource; resources that stay as they are do not appear."""
    found: dict[Key, Change] = {}
    for name in sorted({*base.stacks, *head.stacks}):
        old, new = base.stacks.get(name), head.stacks.get(name)
        before, after = (old.resources if old else {}), (new.resources if new else {})
        given = _given(old), _given(new)
        for key in sorted({*before, *after}):
            change = _change(before.get(key), after.get(key), given)
            if change:
                found[change.key] = change
    return found


Given = Mapping[str, Any]
"""What references to parameters, mappings and conditions stand for, by name."""


def _given(stack: Stack | None) -> Given:
    """Return the parts of a template that resources refer to without naming a resource."""
    found: dict[str, Any] = {}
    for section in ("Parameters", "Mappings", "Conditions"):
        part = stack.template.get(section) if stack else None
        for name, value in part.items() if isinstance(part, Mapping) else ():
            default = section == "Parameters" and isinstance(value, Mapping)
            found[f"{section}.{name}"] = value.get("Default") if default else value
    return found


def _change(old: Resource | None, new: Resource | None, given: tuple[Given, Given]) -> Change | None:
    one = new or old
    assert one is not None  # noqa: S101  # an id comes from one of the two templates
    made = Change(one.stack, one.logical_id, one.path, one.type, Act.NONE)
    if old is None or new is None:
        return replace(made, act=Act.CREATE if old is None else Act.DELETE)
    if old.type != new.type:
        return replace(made, act=Act.REPLACE, forced_by=("Type",), notes=(f"was {old.type or 'of no type'}",))
    policies = {
        name: (old.body.get(name), new.body.get(name)) for name in _POLICIES if old.body.get(name) != new.body.get(name)
    }
    schema = schema_of(one.type)
    touched = _touched(new.body, given)
    changed = sorted(
        key
        for key in {*old.properties, *new.properties}
        if _sorted_tags(old.properties.get(key, _MISSING)) != _sorted_tags(new.properties.get(key, _MISSING))
    )
    conditional = old.body.get("Condition"), new.body.get("Condition")
    if not changed and not touched and conditional[0] == conditional[1]:
        return replace(made, policies=policies) if policies or _beside(old) != _beside(new) else None
    found = tuple(
        PropertyChange(path, before, after)
        for key in changed
        for path, before, after in leaves(
            {key: unfolded(old.properties.get(key))}, {key: unfolded(new.properties.get(key))}
        )
    )
    found += tuple(PropertyChange(name, *(one.get(name) for one in given)) for name in touched)
    others = {key for key in new.properties if touched and _touched(new.properties[key], given)}
    forced = tuple(_named(schema.create_only, old, new, others))
    perhaps = tuple(_named(schema.maybe_create_only, old, new, others))
    act, notes = _act(schema, {*changed, *others}, forced, perhaps, found, one.type)
    if act is not Act.REPLACE and (conditional[0] != conditional[1] or f"Conditions.{conditional[1]}" in touched):
        act, notes = Act.MAYBE, (*notes, "its condition changed: it may be made or deleted")
    return replace(made, act=act, properties=found, forced_by=forced or perhaps, policies=policies, notes=notes)


def _act(
    schema: Schema,
    changed: set[str],
    forced: tuple[str, ...],
    perhaps: tuple[str, ...],
    found: tuple[PropertyChange, ...],
    type_: str,
) -> tuple[Act, tuple[str, ...]]:
    """Return what happens, and what a reader must know about how that is known."""
    disputed = sorted(changed & CDK_SAYS_REPLACED.get(type_, frozenset()))
    notes = (
        (
            f"sources disagree on {', '.join(disputed)}: CDK's own data says that it replaces this resource, AWS's "
            "registry that it is updated in place; the registry is followed",
        )
        if disputed and not forced
        else ()
    )
    if forced:
        return Act.REPLACE, notes
    if not schema.known:
        return Act.MAYBE, ("a type without a schema in AWS's registry: whether it is replaced is not known",)
    if perhaps:
        return Act.MAYBE, notes
    if changed <= {schema.tag_property, "Tags"}:
        return Act.TAGS, notes
    if found and all(_asset_only(one) for one in found):
        return Act.CODE, notes
    return Act.UPDATE, notes


def _beside(one: Resource) -> dict[str, Any]:
    """Return what the template says beside the properties."""
    return {name: value for name, value in one.body.items() if name != "Properties"}


def _asset_only(change: PropertyChange) -> bool:
    """Say whether nothing but the hash of uploaded files differs."""
    before, after = change.before, change.after
    if not isinstance(before, str) or not isinstance(after, str) or not _ASSET.search(after):
        return False
    return _ASSET.sub("", before) == _ASSET.sub("", after)


def _touched(value: Any, given: tuple[Given, Given]) -> list[str]:
    """Return the parameters, mappings and conditions that the value uses and that changed."""
    changed = {name for name in {*given[0], *given[1]} if given[0].get(name) != given[1].get(name)}
    if not changed:
        return []
    used = {f"Parameters.{name}" for name, _ in references(value)}
    used |= {f"{section}.{name}" for section, name in _sections(value)}
    return sorted(changed & used)


def _sections(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the conditions and mappings that the value uses."""
    for name, argument in entries(value):
        if name == "Condition" and isinstance(argument, str):
            yield "Conditions", argument
        elif name == "Fn::If" and isinstance(argument, list) and argument:
            yield "Conditions", str(argument[0])
        elif name == "Fn::FindInMap" and isinstance(argument, list) and argument:
            yield "Mappings", str(argument[0])


def _sorted_tags(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "Key" in one for one in value):
        return sorted(value, key=lambda one: str(one["Key"]))
    return value


def _named(paths: Iterable[Path_], old: Resource, new: Resource, others: set[str]) -> Iterator[str]:
    for path in paths:
        if path[0] in others or list(_at(old.properties, path)) != list(_at(new.properties, path)):
            yield ".".join(path)


def _at(value: Any, path: Path_) -> Iterator[Any]:
    """Yield what stands at the path; of a list, ``*`` stands for each entry."""
    if not path:
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _at(one, path[1:] if path[0] == "*" else path)
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(value[path[0]], path[1:])
