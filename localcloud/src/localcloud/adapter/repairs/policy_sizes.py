"""Policies have a size: 10,240 characters for all inline policies of a role, 6,144 for a managed one, without spaces.

MiniStack takes any. AWS: LimitExceeded (IAM/latest/UserGuide/reference_iam-quotas.html, "IAM and AWS STS quotas").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props

#: characters
INLINE, MANAGED = 10_240, 6_144

#: what is wrong with a resource's new properties, given its physical id ("": it is created) and its old ones
Check = Callable[[str, Props, Props], str | None]


def install() -> None:
    """Look before a policy is written, by the API or by CloudFormation."""
    _before_resource("AWS::IAM::Role", _role)
    _before_resource("AWS::IAM::Policy", _policy)
    _before_resource("AWS::IAM::ManagedPolicy", lambda _id, _old, new: _managed(new.get("PolicyDocument", {})))
    _before_action(
        "PutRolePolicy",
        lambda asked: _inline(
            iam._p(asked, "RoleName"), {iam._p(asked, "PolicyName"): iam._p(asked, "PolicyDocument")}
        ),
    )
    for action in ("CreatePolicy", "CreatePolicyVersion"):
        _before_action(action, lambda asked: _managed(iam._p(asked, "PolicyDocument")))


def _before_resource(kind: str, check: Check) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    create_before, update_before = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Props, *rest: Any) -> Any:
        _refuse(check("", {}, props))
        return create_before(logical_id, props, *rest)

    def update(physical_id: str, old: Props, new: Props, *rest: Any) -> Any:
        _refuse(check(physical_id, old, new))
        return update_before(physical_id, old, new, *rest)

    handlers.update(create=create, update=update)


def _refuse(text: str | None) -> None:
    if text:
        raise CfnError(f"{text} (Service: Iam, Status Code: 409, Error Code: LimitExceeded)")


def _before_action(action: str, check: Callable[[Any], str | None]) -> None:
    before = iam._IAM_HANDLERS[action]

    def act(asked: Any) -> Any:
        try:
            text = check(asked)
        except ValueError:  # no JSON: the action itself says so
            text = None
        return iam._error(409, "LimitExceeded", text, ns="iam") if text else before(asked)

    iam._IAM_HANDLERS[action] = act


def _role(physical_id: str, old: Props, new: Props) -> str | None:
    own = {one["PolicyName"]: one["PolicyDocument"] for one in new.get("Policies") or []}
    return _inline(
        physical_id or new.get("RoleName", ""), own, [one["PolicyName"] for one in old.get("Policies") or []]
    )


def _policy(physical_id: str, old: Props, new: Props) -> str | None:
    policy, before = (
        {new.get("PolicyName", physical_id): new.get("PolicyDocument", {})},
        old.get("PolicyName", physical_id),
    )
    texts = (_inline(role, policy, [before]) for role in new.get("Roles") or [])
    return next((text for text in texts if text), None)


def _inline(role: str, policies: Mapping[str, Any], gone: Sequence[str] = ()) -> str | None:
    """Complain when these policies, with those that the role has and keeps under other names, are too much."""
    there = (iam._roles.get(role) or {}).get("InlinePolicies") or {}
    all_of_it = {name: text for name, text in there.items() if name not in gone} | dict(policies)
    if sum(map(_size, all_of_it.values())) <= INLINE:
        return None
    return f"Maximum policy size of {INLINE} bytes exceeded for role {role}"


def _managed(document: Any) -> str | None:
    return f"Cannot exceed quota for PolicySize: {MANAGED}" if _size(document) > MANAGED else None


def _size(document: Any) -> int:
    """Characters without white space. Raises ValueError for a text that is not JSON."""
    return len(json.dumps(json.loads(document) if isinstance(document, str) else document, separators=(",", ":")))
