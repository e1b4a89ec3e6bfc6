"""Managed policies: only existing ones are attached, attached ones are not deleted, names are not taken twice.

MiniStack attaches policies that do not exist, and its AWS::IAM::ManagedPolicy overwrites a policy of the same name,
skips roles that do not exist and deletes a policy that something outside the stack still has. AWS: NoSuchEntity,
EntityAlreadyExists, DeleteConflict (IAM/latest/APIReference: AttachRolePolicy, CreatePolicy, DeletePolicy).
"""

from __future__ import annotations

from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props, Provisioned
from localcloud.adapter.identity import account_id

_TYPE = "AWS::IAM::ManagedPolicy"
#: property of the resource -> where its entities are, and what IAM calls one
_ENTITIES = (("Roles", "_roles", "role"), ("Users", "_users", "user"), ("Groups", "_groups", "group"))


def missing(arn: str) -> str | None:
    """The complaint about a customer's policy that does not exist. AWS's own are not looked up: MiniStack has few."""
    if arn.startswith("arn:aws:iam::aws:") or iam._policies.get(arn) is not None:
        return None
    return f"Policy {arn} does not exist or is not attachable."


def install() -> None:
    """Wrap the API actions and the handler."""
    for action in ("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"):
        _check_attach(action)
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    before_create, before_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Props, stack: str) -> Provisioned:
        name = props.get("ManagedPolicyName")
        arn = f"arn:aws:iam::{account_id()}:policy{props.get('Path', '/')}{name}"
        if name and iam._policies.get(arn) is not None:
            raise CfnError(f"A policy called {name} already exists. Duplicate names are not allowed. {_code(409)}")
        _check_entities(props)
        done: Provisioned = before_create(logical_id, props, stack)
        return done

    def update(physical_id: str, old: Props, new: Props, *rest: Any) -> Provisioned:
        _check_entities(new)
        done: Provisioned = before_update(physical_id, old, new, *rest)
        return done

    def delete(physical_id: str, props: Props) -> None:
        provisioners._iam_policy_reconcile_entities(physical_id, props, {})  # the template's own attachments
        policy = iam._policies.get(physical_id)
        if policy and (policy["AttachmentCount"] or iam._boundary_usage_counts().get(physical_id)):
            raise CfnError(f"Cannot delete a policy attached to entities. {_code(409, 'DeleteConflict')}")
        iam._policies.pop(physical_id, None)

    handlers.update(create=create, update=update, delete=delete)


def _check_attach(action: str) -> None:
    before = iam._IAM_HANDLERS[action]

    def attach(parameters: Any) -> Any:
        text = missing(iam._p(parameters, "PolicyArn"))
        return iam._error(404, "NoSuchEntity", text, ns="iam") if text else before(parameters)

    iam._IAM_HANDLERS[action] = attach


def _check_entities(props: Props) -> None:
    for name, store, kind in _ENTITIES:
        for entity in props.get(name) or []:
            if getattr(iam, store).get(entity) is None:
                raise CfnError(f"The {kind} with name {entity} cannot be found. {_code(404, 'NoSuchEntity')}")


def _code(status: int, code: str = "EntityAlreadyExists") -> str:
    return f"(Service: Iam, Status Code: {status}, Error Code: {code})"
