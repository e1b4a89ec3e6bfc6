"""AWS::SageMaker::StudioLifecycleConfig. Ref is the name, which is required; every property is create-only.

Tags too: changed tags of the stack replace it, and the new one meets the old one's name.
"""

from __future__ import annotations

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.cfn.studio_type import HandlerError, StudioType

_REPLACING = ("StudioLifecycleConfigAppType", "StudioLifecycleConfigContent", "StudioLifecycleConfigName", "Tags")
_TYPE = StudioType("StudioLifecycleConfig", ("StudioLifecycleConfigName",))


def install() -> None:
    """Register the type."""
    adapter.register_cfn_type(
        _TYPE.type_name, create=_create, delete=_delete, replacing=_REPLACING, tag_property="Tags"
    )


def _create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    _TYPE.check(logical_id, props)
    name = str(props.get("StudioLifecycleConfigName"))
    return name, {"StudioLifecycleConfigArn": _TYPE.create(props, name)["StudioLifecycleConfigArn"]}


def _delete(physical_id: str, props: Props) -> None:
    del props
    try:
        _TYPE.call("DeleteStudioLifecycleConfig", _TYPE.named(physical_id))
    except HandlerError as error:
        if error.code != "NotFound":
            raise
