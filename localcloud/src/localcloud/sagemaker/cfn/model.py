"""AWS::SageMaker::Model. Ref is the ARN; every property but Tags is create-only (registry schema)."""

from __future__ import annotations

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Api, Props, add_system_tags
from localcloud.sagemaker.core import Core

_REPLACING = (
    "ModelName",
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)
_API = Api("Model", frozenset({*_REPLACING, "Tags"}))


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        name, arn = _API.create(logical_id, props)
        add_system_tags(core, arn, props)
        return arn, {"ModelName": name, "ModelArn": arn}

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _API.update_tags(physical_id, old, new)
        return physical_id, {"ModelName": _API.describe(physical_id)["ModelName"], "ModelArn": physical_id}

    def delete(physical_id: str, props: Props) -> None:
        del props
        _API.delete(physical_id)

    adapter.register_cfn_type(
        "AWS::SageMaker::Model",
        create=create,
        update=update,
        delete=delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )
