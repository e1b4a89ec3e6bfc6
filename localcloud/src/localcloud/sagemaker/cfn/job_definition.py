"""AWS::SageMaker::DataQualityJobDefinition and ModelQualityJobDefinition. Ref is the ARN.

Every property is create-only, Tags too (registry schema): any change replaces the definition. The handler deletes
without waiting for the schedule that locks it ([H]).
"""

from __future__ import annotations

from functools import partial

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Api, Props, add_system_tags, gone_is_fine, name_of
from localcloud.sagemaker.cfn.hidden import creating, hiding
from localcloud.sagemaker.core import Core

_SHARED = ("JobDefinitionName", "JobResources", "NetworkConfig", "RoleArn", "StoppingCondition", "Tags")


def install(core: Core) -> None:
    """Register both types."""
    for kind in ("DataQuality", "ModelQuality"):
        own = (f"{kind}{part}" for part in ("AppSpecification", "BaselineConfig", "JobInput", "JobOutputConfig"))
        properties = (*own, *_SHARED)
        api = Api(f"{kind}JobDefinition", frozenset(properties), noun="JobDefinition")
        adapter.register_cfn_type(
            f"AWS::SageMaker::{api.kind}",
            create=partial(_create, core, api),
            delete=partial(_delete, api),
            replacing=properties,
            tag_property="Tags",
        )


def _create(core: Core, api: Api, logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    wanted = str(props.get("JobDefinitionName") or logical_id)
    name, arn = creating(f"AWS::SageMaker::{api.kind}", wanted, lambda: api.create(logical_id, props))
    add_system_tags(core, arn, props)
    return arn, {"JobDefinitionName": name, "JobDefinitionArn": arn}


def _delete(api: Api, physical_id: str, props: Props) -> None:
    del props
    gone_is_fine(
        lambda: hiding("DELETE", lambda: api.call(f"Delete{api.kind}", {api.name_member: name_of(physical_id)}))
    )
