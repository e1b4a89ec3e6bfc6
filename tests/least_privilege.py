"""Least privilege, measured: which permission each role was given, and which of them a run of the tests really used.

The lifecycle tests leave what localcloud recorded in ``.localcloud/usage`` (every authorised call, with the purpose of
the role that made it). After them::

    python -m tests.least_privilege            rewrites docs/permissions.md
    python -m tests.least_privilege --check    fails when it is not what was measured
    python -m tests.least_privilege --matrix   keeps what was used, after ``make matrix``

``make test`` does not try everything: what ``make matrix`` used is kept beside this file and counts as used. A
permission that nothing uses must carry its reason (``Statement.unseen``) or go.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandcastle.config import load_environment, workload_names
from sandcastle.roles import UNSEEN_KEY
from tests.stacks.statements import listed, lookups, policies_on, role_statements
from tests.synthesis import ENVIRONMENTS, ROOT, resources, synthesise

USAGE = ROOT / ".localcloud" / "usage"
TABLE = ROOT / "docs" / "permissions.md"
MATRIX = ROOT / "tests" / "used_by_matrix.json"
"""What a run of ``make matrix`` used: actions by purpose."""

RARE = "only when "
"""How a reason begins when it depends on the machine whether a run meets it."""

_HEAD = """\
# Permissions: given and used

Measured, not claimed: localcloud records every call that it authorises, with the role that made it. This table compares
what the templates give each role with what the lifecycle tests used of it. It is written by
`python -m tests.least_privilege` after `make test` has run, which fails when the two differ: a permission that neither
that nor the longer `make matrix` uses has to carry its reason, or goes.

"""


@dataclass
class Role:
    """All roles of one purpose: what they are given, what was used, what was refused, and why some is never seen."""

    given: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    unseen: dict[str, str] = field(default_factory=dict)
    count: int = 0


def leave(calls: Iterable[Mapping[str, Any]]) -> None:
    """Keep what one localcloud recorded, for the table."""
    USAGE.mkdir(parents=True, exist_ok=True)
    kept = [
        {"purpose": call["purpose"], "action": call["action"]}
        for call in calls
        if call["purpose"] and call["decision"] == "allowed"
    ]
    (USAGE / f"{uuid.uuid4()}.json").write_text(json.dumps(kept), encoding="utf-8")


def measured() -> dict[str, Role]:
    """Return every purpose with its permissions, from the templates of all environments and from the usage left."""
    roles: dict[str, Role] = defaultdict(Role)
    users = set()
    for name in ENVIRONMENTS:
        environment = load_environment(name, ROOT)
        users |= {user.name for user in environment.studio.users} if environment.studio else set()
        for _, template, lookup in lookups(synthesise(name)):
            for logical_id, resource in resources(template, "AWS::IAM::Role").items():
                role = roles[purpose(str(resource["Properties"].get("Description", "")), users)]
                role.count += 1
                for described in (resource, *policies_on(template, logical_id)):
                    role.unseen |= described.get("Metadata", {}).get(UNSEEN_KEY, {})
                for statement in role_statements(template, logical_id, lookup):
                    if statement["Effect"] == "Allow":
                        role.given |= set(listed(statement["Action"]))
    for file in sorted(USAGE.glob("*.json")):
        for call in json.loads(file.read_text(encoding="utf-8")):
            key = purpose(call["purpose"], users)
            if key in roles:
                roles[key].used.add(call["action"])
    return dict(roles)


def purpose(description: str, users: set[str]) -> str:
    """Return a role's description with what differs between workloads and users left open."""
    for name in workload_names(ROOT):
        description = re.sub(rf"\b{re.escape(name)}\b(?!\.)", "<workload>", description)
    for name in sorted(users):
        description = re.sub(rf"(?<=user ){re.escape(name)}\b", "<name>", description)
    return description


def kept(roles: Mapping[str, Role]) -> dict[str, list[str]]:
    """Return what the roles used of what they are given, as it is kept in MATRIX."""
    return {name: sorted(role.used & role.given) for name, role in sorted(roles.items()) if role.used & role.given}


def with_matrix(roles: Mapping[str, Role], matrix: Mapping[str, list[str]]) -> None:
    """Count as used what the matrix used and is still given."""
    for name, role in roles.items():
        role.used |= set(matrix.get(name, ())) & role.given


def mistakes(roles: Mapping[str, Role]) -> list[str]:
    """Return what has to be mended, in words.

    A reason that begins with RARE may be met on a slow machine; what has any other is never used.
    """
    found = []
    for name, role in sorted(roles.items()):
        for action in sorted(role.given - role.used - set(role.unseen)):
            found.append(f"{name}: {action} is given and never used: take it away, or give its reason (unseen)")
        for action in sorted(set(role.unseen) & role.used):
            if not role.unseen[action].startswith(RARE):
                found.append(f"{name}: {action} is used after all: its reason for never being seen can go")
    return found


def table(roles: Mapping[str, Role]) -> str:
    """Return docs/permissions.md, which is the same whichever of those with a reason were used in a run."""
    given = sum(len(role.given) for role in roles.values())
    used = sum(len(role.given - set(role.unseen)) for role in roles.values())
    lines = [
        _HEAD
        + f"{len(roles)} purposes, {given} permissions, {used} of them seen in use, {given - used} with a reason.",
        "",
        "| role | seen in use | has a reason why it may never be seen |",
        "|---|---|---|",
    ]
    for name, role in sorted(roles.items()):
        reasons: dict[str, list[str]] = defaultdict(list)
        for action in sorted(role.given & set(role.unseen)):
            reasons[role.unseen[action]].append(f"`{action}`")
        why = "; ".join(f"{', '.join(actions)}: {reason}" for reason, actions in reasons.items())
        lines.append(f"| {name} | {', '.join(f'`{one}`' for one in sorted(role.given - set(role.unseen)))} | {why} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the table, or keep what was used; 1 when something has to be mended."""
    if not any(USAGE.glob("*.json")):
        print(f"nothing was recorded in {USAGE.relative_to(ROOT)}: run the lifecycle tests first", file=sys.stderr)
        return 1
    roles = measured()
    if "--matrix" in arguments:
        MATRIX.write_text(json.dumps(kept(roles), indent=1) + "\n", encoding="utf-8")
    with_matrix(roles, json.loads(MATRIX.read_text(encoding="utf-8")))
    text, wrong = table(roles), mistakes(roles)
    if "--check" not in arguments:
        TABLE.write_text(text, encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != text:
        wrong.append("docs/permissions.md is not what was measured: review `python -m tests.least_privilege`")
    for one in wrong:
        print(one, file=sys.stderr)
    print(f"{len(roles)} purposes of roles, {sum(len(role.given) for role in roles.values())} permissions measured")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
