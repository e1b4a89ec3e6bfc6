"""AWS::SageMaker::EndpointConfig. Ref is the ARN; every property but Tags is create-only (registry schema)."""

from __future__ import annotations

from localcloud import adapter
from localcloud.sagemaker.cfn.api import Api, Props

_REPLACING = (
    "EndpointConfigName",
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "KmsKeyId",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
)
_API = Api("EndpointConfig", frozenset({*_REPLACING, "Tags"}))


def install() -> None:
    """Register the type."""
    adapter.register_cfn_type(
        "AWS::SageMaker::EndpointConfig",
        create=_create,
        update=_update,
        delete=_delete,
        replacing=_REPLACING,
        tag_property="Tags",
    )


def _create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    name, arn = _API.create(logical_id, props)
    return arn, _attributes(name, arn)


def _update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    _API.update_tags(physical_id, old, new)
    return physical_id, _attributes(_API.describe(physical_id)["EndpointConfigName"], physical_id)


def _delete(physical_id: str, props: Props) -> None:
    del props
    _API.delete(physical_id)


def _attributes(name: str, arn: str) -> dict[str, str]:
    return {"EndpointConfigName": name, "EndpointConfigArn": arn}
