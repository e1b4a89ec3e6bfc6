"""A review: everything that is said about the change from BASE to HEAD, worked out in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from operations.review.access import AccessChange
from operations.review.access import changes as access_changes
from operations.review.accesses import access_concerns
from operations.review.assembly import Assembly
from operations.review.cascade import with_cascade
from operations.review.change import Act, Change, Concern, Key
from operations.review.collisions import collision_concerns
from operations.review.cost import CostChange, difference
from operations.review.diff import differences
from operations.review.downtime import with_downtime
from operations.review.endpoints import endpoint_concerns
from operations.review.fate import with_fates
from operations.review.findings import Findings, compare, finding_concerns
from operations.review.gate import Approval, Gate, judge
from operations.review.moves import with_moves
from operations.review.network import NetworkChange, network_changes, network_concerns
from operations.review.outputs import output_concerns
from operations.review.retrain import Rerun, reruns
from operations.review.teardown import Teardown, teardown, teardown_concerns
from operations.review.wildcards import wildcard_concerns


@dataclass(frozen=True)
class Review:
    """What there is to say. ``names`` are BASE and HEAD as they were asked for."""

    names: tuple[str, str]
    stacks: tuple[str, ...]
    changes: Mapping[Key, Change]
    gate: Gate
    reruns: Sequence[Rerun]
    teardown: Teardown
    network: Sequence[NetworkChange]
    findings: Findings
    cost: CostChange
    access: Sequence[AccessChange]

    def of(self, *acts: Act) -> list[Change]:
        """Return the changes of these kinds, in the order of stacks and ids."""
        return [one for one in self.changes.values() if one.act in acts]


def review(
    base: Assembly,
    head: Assembly,
    *,
    names: tuple[str, str] = ("BASE", "HEAD"),
    approvals: Sequence[Approval] = (),
    today: dt.date | None = None,
) -> Review:
    """Review the change. ``today`` decides which approvals still count; the day in UTC if not given."""
    changes = with_cascade(with_moves(differences(base, head), base, head), base, head)
    changes = with_downtime(with_fates(changes, base, head))
    changes = {key: replace(one, source=_source(one, base, head)) for key, one in changes.items()}
    found = compare(base, head)
    accesses = tuple(access_changes(base, head))
    concerns = [
        *_malformed(base, head),
        *_data(changes),
        *output_concerns(base, head, changes),
        *collision_concerns(changes, base, head),
        *endpoint_concerns(base, head),
        *access_concerns(accesses, head),
        *wildcard_concerns(changes, base, head),
        *network_concerns(changes, base, head),
        *teardown_concerns(changes, base, head),
        *finding_concerns(found),
    ]
    located = [replace(one, source=_line(head, one) or _line(base, one)) for one in concerns]
    return Review(
        names=names,
        stacks=tuple(sorted({*base.stacks, *head.stacks})),
        changes=changes,
        gate=judge(located, approvals, today or dt.datetime.now(dt.UTC).date()),
        reruns=reruns(changes),
        teardown=teardown(changes, base, head),
        network=network_changes(changes, base, head),
        findings=found,
        cost=difference(base, head),
        access=accesses,
    )


def _data(changes: Mapping[Key, Change]) -> Iterator[Concern]:
    """Yield what becomes of data: lost, orphaned, or not known."""
    for one in changes.values():
        if one.fate is None or one.fate.kind == "kept":
            continue
        how = {
            Act.REPLACE: "replaced",
            Act.MAYBE: "perhaps replaced",
            Act.DELETE: "deleted",
            Act.MOVED: f"made anew under another name (was {'/'.join(one.moved_from or ())})",
        }[one.act]
        rule = "data-unknown" if one.fate.kind == "unknown" else "data-lost"
        blocks = one.fate.kind != "orphaned" and not one.fate.minor
        yield Concern(rule, one.stack, one.path, f"{one.type} {how}: {one.fate.words}", blocks)


def _malformed(base: Assembly, head: Assembly) -> Iterator[Concern]:
    for stack in head.stacks.values():
        old = base.stacks.get(stack.name)
        for name in stack.malformed:
            if old is None or name not in old.malformed:
                yield Concern("malformed", stack.name, name, "not a resource: CloudFormation refuses it", blocks=True)


def _source(change: Change, base: Assembly, head: Assembly) -> str:
    return head.sources.get(f"{change.stack}/{change.path}") or base.sources.get(f"{change.stack}/{change.path}", "")


def _line(assembly: Assembly, concern: Concern) -> str:
    return assembly.sources.get(concern.place, "")
