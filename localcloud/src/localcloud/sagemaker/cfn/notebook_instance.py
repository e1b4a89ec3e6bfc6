"""AWS::SageMaker::NotebookInstance. Ref is the ARN.

The handler stops an instance before it deletes or changes it and starts it up again after a change (registry schema:
its permissions and the description of InstanceType). What it does with one that is busy, or was stopped, is not known:
switches ``notebook-busy-delete`` and ``notebook-after-update``.
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Api, Props, add_system_tags, gone_is_fine, name_of
from localcloud.sagemaker.cfn.settling import settled
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.notebook_instance import IN_PROGRESS

_REPLACING = (
    "DirectInternetAccess",
    "KmsKeyId",
    "NotebookInstanceName",
    "PlatformIdentifier",
    "SecurityGroupIds",
    "SubnetId",
)
_UPDATED = frozenset(
    {
        "AcceleratorTypes",
        "AdditionalCodeRepositories",
        "DefaultCodeRepository",
        "InstanceMetadataServiceConfiguration",
        "InstanceType",
        "LifecycleConfigName",
        "RoleArn",
        "RootAccess",
        "VolumeSizeInGB",
    }
)
_API = Api("NotebookInstance", frozenset({*_REPLACING, *_UPDATED, "Tags"}))
#: virtual seconds that CloudFormation waits for one step (Terraform waits 60 minutes for InService)
_TIMEOUT = 60 * 60


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        name, arn = _API.create(logical_id, props)
        add_system_tags(core, arn, props)
        try:
            _require_in_service(_settled(core, arn))
        except CfnError as error:
            # the instance exists: the rollback has to delete it
            raise CfnError(str(error), physical_id=arn) from None
        return arn, _attributes(name, arn)

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _API.check(new)
        if any(old.get(name) != new.get(name) for name in _UPDATED):
            status = _API.describe(physical_id)["NotebookInstanceStatus"]
            if status == "InService":
                _stop(core, physical_id)
            _change(physical_id, old, new)
            _settled(core, physical_id)
            if status != "Stopped" or core.switches.get("notebook-after-update") == "start":
                _call("StartNotebookInstance", physical_id)
                _require_in_service(_settled(core, physical_id))
        _API.update_tags(physical_id, old, new)
        return physical_id, _attributes(_API.describe(physical_id)["NotebookInstanceName"], physical_id)

    def delete(physical_id: str, props: Props) -> None:
        del props
        gone_is_fine(lambda: _delete(core, physical_id))

    adapter.register_cfn_type(
        "AWS::SageMaker::NotebookInstance",
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _delete(core: Core, arn: str) -> None:
    """Stop and delete. Raises CfnError, also for an instance that is not there (any more): the caller expects that."""
    if core.switches.get("notebook-busy-delete") == "wait":
        _settled(core, arn)
    if _API.describe(arn)["NotebookInstanceStatus"] == "InService":
        _stop(core, arn)
    _call("DeleteNotebookInstance", arn)
    _settled(core, arn)


def _stop(core: Core, arn: str) -> None:
    _call("StopNotebookInstance", arn)
    _settled(core, arn)


def _change(arn: str, old: Props, new: Props) -> None:
    """UpdateNotebookInstance with what differs; a lifecycle configuration that is not named any more is let go."""
    parameters = {name: new[name] for name in _UPDATED if name in new and old.get(name) != new[name]}
    if "LifecycleConfigName" in old and "LifecycleConfigName" not in new:
        parameters["DisassociateLifecycleConfig"] = True
    _call("UpdateNotebookInstance", arn, **parameters)


def _call(operation: str, arn: str, **parameters: Any) -> None:
    given = {_API.name_member: name_of(arn), **parameters}
    _API.call(operation, coerced(model.input_shape(operation), given))


def _settled(core: Core, arn: str) -> dict[str, Any]:
    return settled(core, _API, arn, IN_PROGRESS, _TIMEOUT)


def _require_in_service(instance: dict[str, Any]) -> None:
    """Raises CfnError with the FailureReason, which is all that the stack event shows ([R])."""
    if instance["NotebookInstanceStatus"] != "InService":
        reason = instance.get("FailureReason", "")
        raise CfnError(reason or f"{instance['NotebookInstanceArn']} is {instance['NotebookInstanceStatus']}")


def _attributes(name: str, arn: str) -> dict[str, str]:
    return {"NotebookInstanceName": name, "NotebookInstanceArn": arn}
