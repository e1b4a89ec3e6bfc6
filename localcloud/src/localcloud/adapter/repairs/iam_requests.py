"""What a call of IAM is authorised on: the ARN of the role, user or group as it is, and the keys about policies.

MiniStack knows no ``iam:PolicyARN`` (the policy that is attached or detached) and no ``iam:PermissionsBoundary``, so
that a permission with such a condition denies everything; it leaves the path out of ARNs and takes the policy for the
resource of AttachGroupPolicy. Simulated, a role with a path has no policies at all. AWS:
service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

from localcloud.adapter.authorised_on import Request, correct

#: parameter that names an entity -> where IAM keeps those, and their kind in an ARN
_ENTITIES = (("RoleName", "_roles", "role"), ("UserName", "_users", "user"), ("GroupName", "_groups", "group"))
_KEYS = {"PolicyArn": "iam:PolicyARN", "PermissionsBoundary": "iam:PermissionsBoundary"}
#: operations whose resource is an entity although they name a policy, and whose PolicyArn is a condition key
_ABOUT_ENTITIES = ("iam:Attach", "iam:Detach")


def install() -> None:
    """Correct what requests of IAM are authorised on, and wrap the collection of their condition keys."""
    correct("iam", _entity)
    before_context = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = before_context(service, action, body, parameters)
        if service == "iam":
            for parameter, key in _KEYS.items():
                value = iam_actions._query_param(parameters, parameter)
                if value and (parameter != "PolicyArn" or action.startswith(_ABOUT_ENTITIES)):
                    found = {**found, key: value}
        return found

    iam_actions.request_tag_context = context
    before_policies = iam_evaluator._gather_role_policies

    def policies(role: str, account: str) -> Any:
        return before_policies(role.rpartition("/")[2], account)

    iam_evaluator._gather_role_policies = policies


def _entity(request: Request, arn: str) -> str:
    for parameter, store, kind in _ENTITIES:
        name = request.parameter(parameter)
        if name:
            record = getattr(iam, store).get(name) or {}
            return str(
                record.get("Arn") or f"arn:aws:iam::{request.account}:{kind}{request.parameter('Path') or '/'}{name}"
            )
    return arn
