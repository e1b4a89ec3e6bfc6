"""AWS::Logs::LogGroup refuses a name that exists, and generates AWS's kind of name.

MiniStack's handler overwrites a group of the same name, with every stream in it; on AWS a log group that a late
writer made again after its stack was deleted makes the next deployment fail.
"""

from __future__ import annotations

from ministack.services import cloudwatch_logs
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props, Provisioned, physical_name


def install() -> None:
    """Wrap the handler's create."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
    before = handlers["create"]

    def create(logical_id: str, props: Props, stack: str) -> Provisioned:
        name = props.get("LogGroupName") or physical_name(stack, logical_id, 512)
        if cloudwatch_logs._log_groups.get(name) is not None:
            raise CfnError(
                f"Resource of type 'AWS::Logs::LogGroup' with identifier '{{\"/properties/LogGroupName\":\"{name}\"}}' "
                "already exists."
            )
        done: Provisioned = before(logical_id, {**props, "LogGroupName": name}, stack)
        return done

    before_update = handlers["update"]

    def update(physical_id: str, old: Props, new: Props, stack: str, logical_id: str | None = None) -> Provisioned:
        if old.get("LogGroupName") == new.get("LogGroupName"):
            old, new = ({**props, "LogGroupName": physical_id} for props in (old, new))
        done: Provisioned = before_update(physical_id, old, new, stack, logical_id)
        return done

    handlers["create"], handlers["update"] = create, update
