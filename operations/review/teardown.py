"""What ``sandcastle destroy`` will do after the change that it did not do before, and what it cannot remove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operations.review.assembly import Assembly, Resource
from operations.review.change import Change, Concern, Key
from operations.review.fate import HOLDS, is_emptied

_JANITORS: Mapping[str, frozenset[str]] = {
    "AWS::SageMaker::Domain": frozenset({"Custom::SandcastleDomainDelete"}),
    "AWS::SageMaker::NotebookInstance": frozenset({"Custom::SandcastleNotebookRest"}),
}
"""Types that CloudFormation cannot delete in every state, and the custom resource that brings them to rest before."""

_PROTECTIONS: Mapping[str, str] = {
    "AWS::RDS::DBInstance": "DeletionProtection",
    "AWS::RDS::DBCluster": "DeletionProtection",
    "AWS::DocDB::DBCluster": "DeletionProtection",
    "AWS::Neptune::DBCluster": "DeletionProtection",
    "AWS::DynamoDB::Table": "DeletionProtectionEnabled",
    "AWS::Cognito::UserPool": "DeletionProtection",
    "AWS::DSQL::Cluster": "DeletionProtectionEnabled",
    "AWS::S3::Bucket": "ObjectLockEnabled",
}
"""Properties with which a deletion is refused."""


@dataclass(frozen=True)
class Teardown:
    """What a destroy does differently after the change, each in words."""

    also_removes: tuple[str, ...]
    removes_no_more: tuple[str, ...]


def teardown(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Teardown:
    """Return what destroys remove more or less than before, of resources that stay."""
    also: list[str] = []
    less: list[str] = []
    for change in changes.values():
        old, new = _in(base, change.key), _in(head, change.key)
        if old and new and old.retained != new.retained:
            held = HOLDS.get(new.type)
            what = f"{change.stack}/{change.path}" + (f" with its {held}" if held and " " not in held else "")
            (less if new.retained else also).append(what)
    return Teardown(tuple(also), tuple(less))


def teardown_concerns(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield what a destroy could not remove, where the change brings that about, and data that it will remove now."""
    for new in head.resources():
        key = new.stack, new.logical_id
        change = changes.get(key)
        old = _in(base, change.moved_from if change and change.moved_from else key)
        before = set(_obstacles(old, base)) if old else set()
        for words in sorted(set(_obstacles(new, head)) - before):
            yield Concern("not-destroyed", new.stack, new.path, words, blocks=True)
        if old and old.retained and not new.retained and new.type in HOLDS:
            words = f"was kept by a destroy; now its {HOLDS[new.type]} go with it"
            yield Concern("retention-dropped", new.stack, new.path, words, blocks=False)
    for name, stack in head.stacks.items():
        if stack.protected and not (name in base.stacks and base.stacks[name].protected):
            yield Concern("not-destroyed", name, "", "termination protection: the stack cannot be deleted", blocks=True)


def _obstacles(one: Resource, assembly: Assembly) -> Iterator[str]:
    """Yield why the resource is still there after a destroy."""
    if one.retained:
        yield f"DeletionPolicy {one.body['DeletionPolicy']}: it stays after a destroy, and is billed where it costs"
        return
    if one.type == "AWS::S3::Bucket" and not is_emptied(one, assembly):
        yield "nothing empties the bucket before it is deleted: CloudFormation cannot delete one with objects in it"
    if one.type == "AWS::ECR::Repository" and one.properties.get("EmptyOnDelete") not in (True, "true"):
        yield "EmptyOnDelete is not set: CloudFormation cannot delete a repository with images in it"
    needed = _JANITORS.get(one.type)
    if needed and not any(guard.type in needed for guard in assembly.stacks[one.stack].resources.values()):
        yield f"no {' or '.join(sorted(needed))} in its stack: CloudFormation cannot delete it while it is in use"
    protection = one.properties.get(_PROTECTIONS.get(one.type, ""))
    if protection in (True, "true", "ACTIVE"):
        yield f"{_PROTECTIONS[one.type]}: its deletion is refused"


def _in(assembly: Assembly, key: Key) -> Resource | None:
    stack = assembly.stacks.get(key[0])
    return stack.resources.get(key[1]) if stack else None
