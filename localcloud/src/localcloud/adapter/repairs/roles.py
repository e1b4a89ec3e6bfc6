"""AWS::IAM::Role: name conflicts, foreign and missing policies and permission boundaries as on AWS.

MiniStack adopts a role that exists already (and the stack's delete then removes it), deletes a role that still has
policies from outside the stack (AWS: DeleteConflict), attaches policies that do not exist and drops
PermissionsBoundary. The API's own DeleteRole refuses already, in other words than AWS.
"""

from __future__ import annotations

from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props, Provisioned
from localcloud.adapter.repairs.managed_policies import missing


def install() -> None:
    """Wrap the role handler."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
    before_create, before_update, before_delete = (handlers[key] for key in ("create", "update", "delete"))

    def create(logical_id: str, props: Props, stack: str) -> Provisioned:
        name = props.get("RoleName")
        if name and iam._roles.get(name) is not None:
            raise CfnError(
                f'Resource handler returned message: "Role with name {name} already exists. (Service: Iam, '
                'Status Code: 409)" (HandlerErrorCode: AlreadyExists)'
            )
        _check_policies(props)
        done: Provisioned = before_create(logical_id, props, stack)
        iam._roles[done[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return done

    def update(physical_id: str, old: Props, new: Props, stack: str, logical_id: str | None = None) -> Provisioned:
        _check_policies(new)
        done: Provisioned = before_update(physical_id, old, new, stack, logical_id)
        iam._roles[done[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return done

    def delete(physical_id: str, props: Props) -> None:
        role = iam._roles.get(physical_id)
        if role is not None:
            inline = set(role.get("InlinePolicies") or {}) - {p.get("PolicyName") for p in props.get("Policies", [])}
            attached = set(role.get("AttachedPolicies") or []) - set(props.get("ManagedPolicyArns", []))
            if inline or attached:
                first = "delete policies" if inline else "detach all policies"
                raise CfnError(
                    f"Cannot delete entity, must {first} first. (Service: Iam, Status Code: 409, "
                    "Error Code: DeleteConflict)"
                )
        before_delete(physical_id, props)

    handlers.update(create=create, update=update, delete=delete)
    _reword_delete()


def _check_policies(props: Props) -> None:
    for arn in props.get("ManagedPolicyArns") or []:
        text = missing(arn)
        if text:
            raise CfnError(f"{text} (Service: Iam, Status Code: 404, Error Code: NoSuchEntity)")


def _reword_delete() -> None:
    before = iam._IAM_HANDLERS["DeleteRole"]

    def delete(parameters: Any) -> Any:
        status, headers, body = before(parameters)
        return status, headers, body.replace(b"must delete all inline policies first", b"must delete policies first")

    iam._IAM_HANDLERS["DeleteRole"] = delete
