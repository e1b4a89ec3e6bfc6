"""AWS::SageMaker::Space. Ref is ``<domain id>|<space name>``. Apps in it are not drained: they fail the delete."""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.cfn.studio_type import StudioType, changes
from localcloud.sagemaker.core import Core

_REPLACING = ("DomainId", "OwnershipSettings", "SpaceName", "SpaceSharingSettings")
_TYPE = StudioType("Space", ("DomainId", "SpaceName"))


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(logical_id, props)
        physical_id = _TYPE.physical_id({name: props.get(name) for name in _TYPE.names})
        arn = _TYPE.create(props, physical_id)["SpaceArn"]
        return physical_id, _attributes(_TYPE.in_service(core, arn, props, physical_id))

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, Any]]:
        del stack_name
        _TYPE.check(physical_id, new)
        named, arn = _TYPE.named(physical_id), _arn(physical_id)
        changed = changes(old, new, "SpaceSettings", "SpaceDisplayName")
        if changed:
            _TYPE.call("UpdateSpace", {**named, **changed})
        _TYPE.update_tags(arn, old, new)
        return physical_id, _attributes(_TYPE.in_service(core, arn, named, physical_id))

    def delete(physical_id: str, props: Props) -> None:
        del props
        _TYPE.delete(core, _arn(physical_id), _TYPE.named(physical_id))

    adapter.register_cfn_type(
        _TYPE.type_name,
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _arn(physical_id: str) -> str:
    path = physical_id.replace("|", "/")
    return f"arn:aws:sagemaker:{adapter.region()}:{adapter.account_id()}:space/{path}"


def _attributes(space: dict[str, Any]) -> dict[str, Any]:
    return {name: space[name] for name in ("SpaceArn", "Url") if name in space}
