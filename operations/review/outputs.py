"""Outputs and exports: what scripts read, and what other stacks hold on to.

An export that another stack imports can be neither changed nor removed (CloudFormation's guide, ``Fn::ImportValue``:
"You can't delete a stack or change its exported output if another stack references it").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from operations.review.assembly import Assembly, Stack
from operations.review.change import Act, Change, Concern, Key
from operations.review.values import imports, plain, references


def outputs_of(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """Return the stack's outputs by logical id; what is no output at all is left out."""
    found = stack.template.get("Outputs")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): one for name, one in pairs if isinstance(one, Mapping)}


def export_names(stack: Stack) -> dict[str, Any]:
    """Return the values of the stack's exports by the exports' names."""
    found = {}
    for one in outputs_of(stack).values():
        export = one.get("Export")
        if isinstance(export, Mapping) and "Name" in export:
            found[str(plain(export["Name"]))] = one.get("Value")
    return found


def importers(assembly: Assembly) -> dict[str, set[str]]:
    """Return the names of stacks by the export that they import, in resources and in outputs."""
    found: dict[str, set[str]] = defaultdict(set)
    for stack in assembly.stacks.values():
        for name in imports(stack.template):
            found[name].add(stack.name)
    return found


def output_concerns(base: Assembly, head: Assembly, changes: Mapping[Key, Change]) -> Iterator[Concern]:
    """Yield what becomes of outputs: removed ones, and exports that CloudFormation will refuse to change."""
    users = importers(base)
    for name, old in base.stacks.items():
        new = head.stacks.get(name)
        if new is None:
            yield from _stack_gone(old, users, head)
            continue
        yield from _removed(old, new, users, head)
        yield from _changed(old, new, users, changes)


def _stack_gone(old: Stack, users: Mapping[str, set[str]], head: Assembly) -> Iterator[Concern]:
    left = sorted({user for export in export_names(old) for user in users.get(export, ()) if user in head.stacks})
    words = (
        "the stack is in the code no more. `cdk deploy` does not delete it: what is in it stays, and is billed, until"
    )
    yield Concern("stack-left", old.name, "", f"{words} `sandcastle destroy` or somebody deletes it", blocks=False)
    if left:
        yield Concern(
            "export-used", old.name, "", f"{', '.join(left)} imported from it, and must be deployed first", blocks=False
        )


def _removed(old: Stack, new: Stack, users: Mapping[str, set[str]], head: Assembly) -> Iterator[Concern]:
    for name in sorted(outputs_of(old).keys() - outputs_of(new).keys()):
        if not isinstance(outputs_of(old)[name].get("Export"), Mapping):
            yield Concern("output-removed", old.name, name, "output removed: what reads it finds nothing", blocks=False)
    for export in sorted(export_names(old).keys() - export_names(new).keys()):
        for user in sorted(users.get(export, set()) - {old.name}):
            first = user not in head.stacks or _needs(head, user, old.name)
            words = f"export {export} is removed, and {user} imports it: CloudFormation refuses"
            if first:
                yield Concern(
                    "deploy-fails", old.name, "", f"{words}, because this stack is deployed first", blocks=True
                )
            else:
                yield Concern("export-used", old.name, "", f"{words} until {user} is deployed", blocks=False)


def _changed(old: Stack, new: Stack, users: Mapping[str, set[str]], changes: Mapping[Key, Change]) -> Iterator[Concern]:
    """Yield exports whose value changes while another stack holds on to it."""
    before = export_names(old)
    for export, value in export_names(new).items():
        holding = sorted(users.get(export, set()) - {old.name})
        if export not in before or not holding:
            continue
        replaced = sorted(
            change.path
            for logical_id, _ in references(value)
            if (change := changes.get((old.name, logical_id))) and change.act is Act.REPLACE
        )
        if replaced or before[export] != value:
            why = f"{', '.join(replaced)} is replaced" if replaced else "it is another value now"
            words = f"export {export} changes ({why}) while {', '.join(holding)} imports it: CloudFormation refuses"
            yield Concern("deploy-fails", old.name, "", words, blocks=True)


def _needs(head: Assembly, user: str, needed: str) -> bool:
    """Say whether the stack is deployed after the other one."""
    seen, work = set(), [user]
    while work:
        one = work.pop()
        if one == needed:
            return True
        if one not in seen and one in head.stacks:
            seen.add(one)
            work += head.stacks[one].depends_on
    return False
