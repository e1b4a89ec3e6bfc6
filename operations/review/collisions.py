"""Names that two things would have at once: CloudFormation makes the new one before it deletes the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from operations.review.assembly import Assembly
from operations.review.change import Act, Change, Concern, Key
from operations.review.schemas import schema_of
from operations.review.values import plain

_FREE = frozenset({"AWS::SageMaker::Domain"})
"""Types whose names need not differ as far as is documented."""


def collision_concerns(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield replacements and moves that fail because the name is taken: "already exists", and a rollback."""
    for change in changes.values():
        if change.act not in (Act.REPLACE, Act.MOVED) or change.type in _FREE or change.stack not in head.stacks:
            continue
        schema = schema_of(change.type)
        name = schema.name_property(change.type)
        stack, logical_id = change.moved_from or change.key
        old = base.stacks[stack].resources.get(logical_id) if stack in base.stacks else None
        new = head.stacks[change.stack].resources.get(change.logical_id)
        if name is None or old is None or new is None or old.type != new.type or stack != change.stack:
            continue
        value = new.properties.get(name)
        others = (schema.primary - {name}) & {path[0] for path in schema.create_only}
        if value is None or value != old.properties.get(name) or name in change.forced_by:
            continue
        if others & set(change.forced_by) or (change.act is Act.MOVED and others):
            continue
        words = (
            f"the new one is made before the old one is deleted, and both would be called {plain(value)}: "
            "CloudFormation fails and rolls back. Give it another name, or none"
        )
        yield Concern("deploy-fails", change.stack, change.path, words, blocks=True)
