"""AWS::SageMaker::MonitoringSchedule. Ref is the ARN; the name is create-only.

The handler neither stops the schedule nor waits for its executions before it deletes, and any status but Pending that
it reads afterwards fails the stack ([H] DeleteHandler.stabilizedOnDelete; switch ``schedule-delete-read``).
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Api, Props, gone_is_fine, name_of
from localcloud.sagemaker.cfn.hidden import creating, hiding
from localcloud.sagemaker.cfn.settling import settled
from localcloud.sagemaker.core import Core

#: the schema lists status members as properties too; setting them means nothing, so they are refused
_API = Api("MonitoringSchedule", frozenset({"MonitoringScheduleName", "MonitoringScheduleConfig", "Tags"}))
_TYPE = f"AWS::SageMaker::{_API.kind}"
_PENDING = ("Pending",)
#: virtual seconds that a change may take
_TIMEOUT = 3600


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        wanted = str(props.get("MonitoringScheduleName") or logical_id)
        _, arn = creating(_TYPE, wanted, lambda: _API.create(logical_id, props))
        try:
            _settle(core, arn, f"Stabilizing of {wanted}")
        except CfnError as error:
            # the schedule exists: the rollback has to delete it
            raise CfnError(str(error), physical_id=arn) from None
        return arn, {"MonitoringScheduleArn": arn}

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _API.check(new)
        if old.get("MonitoringScheduleConfig") != new.get("MonitoringScheduleConfig"):
            parameters = {k: v for k, v in new.items() if k != "Tags"} | {_API.name_member: name_of(physical_id)}
            shaped = coerced(model.input_shape("UpdateMonitoringSchedule"), parameters)
            hiding("SageMaker::UpdateMonitoringSchedule", lambda: _API.call("UpdateMonitoringSchedule", shaped))
            _settle(core, physical_id, f"Stabilizing during update of {name_of(physical_id)}")
        _API.update_tags(physical_id, old, new)
        return physical_id, {"MonitoringScheduleArn": physical_id}

    def delete(physical_id: str, props: Props) -> None:
        del props
        name = name_of(physical_id)
        if gone_is_fine(lambda: hiding("DELETE", lambda: _call("DeleteMonitoringSchedule", physical_id))):
            gone_is_fine(lambda: _require_pending_or_gone(core, physical_id, name))

    adapter.register_cfn_type(
        _TYPE,
        create=create,
        update=update,
        delete=delete,
        replacing=("MonitoringScheduleName",),
        # no tag_property: the tags of a stack do not reach a schedule (no tagging block in the registry schema;
        # [R] cloudformation-coverage-roadmap issue 2338), those of the property do
    )


def _settle(core: Core, arn: str, what: str) -> None:
    """Wait while Pending; Scheduled and Stopped are fine, Failed is not ([H])."""
    status = settled(core, _API, arn, _PENDING, _TIMEOUT)["MonitoringScheduleStatus"]
    if status == "Failed":
        raise CfnError(f"Error occurred during operation '{what}'.")


def _require_pending_or_gone(core: Core, arn: str, name: str) -> None:
    """Ends with the service's "not found"; any status but Pending fails, as in the published handler."""
    status = settled(core, _API, arn, _PENDING, _TIMEOUT)["MonitoringScheduleStatus"]
    raise CfnError(
        f"Error occurred during operation 'Delete stabilizing of monitoring schedule: {name}'. [localcloud] status "
        f"{status}"
    )


def _call(operation: str, arn: str) -> dict[str, Any]:
    return _API.call(operation, {_API.name_member: name_of(arn)})
