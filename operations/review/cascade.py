"""What changes because something else does: an endpoint rolls when its configuration is replaced.

CloudFormation gives whatever refers to a replaced resource its new name. So a change goes on from there: to properties
that can only be set at creation as another replacement, to others as an update; to other stacks through exports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from operations.review.assembly import Assembly, Resource
from operations.review.change import Act, Change, Key
from operations.review.outputs import export_names
from operations.review.schemas import schema_of
from operations.review.values import imports, references

_JOBS = ("Custom::SandcastleDataset", "Custom::SandcastleTrainedModel")
"""Custom resources whose results are others whenever their ``Fingerprint`` is."""

_CHANGING: Mapping[str, frozenset[str]] = {"AWS::EC2::LaunchTemplate": frozenset({"LatestVersionNumber"})}
"""Attributes that an update in place changes (CloudFormation's template reference, return values)."""

_STRENGTH = {Act.REPLACE: 3, Act.MAYBE: 2, Act.UPDATE: 1}


@dataclass(frozen=True)
class _Use:
    """A property of a resource that uses another's name or attribute, directly or through an export."""

    user: Key
    property: str
    attribute: str


def with_cascade(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> dict[Key, Change]:
    """Return the changes together with those that they bring about."""
    found = dict(changes)
    uses = _uses(head)
    resources = {(one.stack, one.logical_id): one for one in head.resources()}
    existed = {(one.stack, one.logical_id) for one in base.resources()}
    work = sorted(found)
    while work:
        key = work.pop(0)
        cause = found[key]
        for use in uses.get(key, ()):
            sure = _spreads(cause, use.attribute)
            if sure is None or use.user not in existed or use.user == key:
                continue
            if _carry_on(found, resources[use.user], use, cause, sure):
                work.append(use.user)
    return dict(sorted(found.items()))


def _carry_on(found: dict[Key, Change], user: Resource, use: _Use, cause: Change, sure: bool) -> bool:
    """Add the effect on the user; say whether more happens to it than was known before."""
    before = found.get(use.user) or Change(user.stack, user.logical_id, user.path, user.type, Act.NONE)
    if before.act in (Act.CREATE, Act.DELETE, Act.MOVED):
        return False
    schema = schema_of(user.type)
    only, perhaps = ({path[0] for path in paths} for paths in (schema.create_only, schema.maybe_create_only))
    in_place = Act.MAYBE if use.property in perhaps or not schema.known else Act.UPDATE
    act = in_place if use.property not in only else Act.REPLACE if sure else Act.MAYBE
    stronger = _STRENGTH.get(act, 0) > _STRENGTH.get(before.act, 0)
    told = f"{cause.path or cause.logical_id} {_told(cause, sure)}: {use.property}"
    forced = (use.property,) if use.property in only and use.property not in before.forced_by else ()
    if told in before.because and not stronger:
        return False
    found[use.user] = replace(
        before,
        act=act if stronger else before.act,
        because=(*before.because, told) if told not in before.because else before.because,
        causes=(*before.causes, cause.key) if cause.key not in before.causes else before.causes,
        forced_by=(*before.forced_by, *forced),
    )
    return stronger


def _told(cause: Change, sure: bool) -> str:
    if cause.type in _JOBS:
        return "runs again"
    if cause.act is Act.REPLACE:
        return "is replaced"
    return "may be replaced" if cause.act is Act.MAYBE else ("changes" if sure else "may give another result")


def _spreads(cause: Change, attribute: str) -> bool | None:
    """Say whether who uses the attribute surely changes, perhaps (False), or not at all (None)."""
    if cause.act is Act.REPLACE:
        return True
    if cause.act is Act.MAYBE:
        return False
    if cause.act is not Act.UPDATE:
        return None
    if cause.type in _JOBS:
        return True if any(one.path == "Fingerprint" for one in cause.properties) or cause.because else None
    if cause.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return False if attribute and cause.properties else None
    return True if attribute in _CHANGING.get(cause.type, ()) else None


def _uses(head: Assembly) -> dict[Key, list[_Use]]:
    found: dict[Key, list[_Use]] = defaultdict(list)
    exports = dict(exported(head))
    for one in head.resources():
        for name, value in one.properties.items():
            for logical_id, attribute in sorted(references(value)):
                found[one.stack, logical_id].append(_Use((one.stack, one.logical_id), name, attribute))
            for export in sorted(imports(value)):
                for stack, logical_id, attribute in exports.get(export, ()):
                    found[stack, logical_id].append(_Use((one.stack, one.logical_id), name, attribute))
    return found


def exported(head: Assembly) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Yield every export with what it stands for: stack, logical id and attribute of each resource in it."""
    for stack in head.stacks.values():
        for name, value in export_names(stack).items():
            yield name, [(stack.name, logical_id, attribute) for logical_id, attribute in sorted(references(value))]
