"""AWS::SageMaker::Endpoint. Ref is the ARN; EndpointName is create-only, everything else is an UpdateEndpoint.

Create, update and delete are over when the endpoint has settled. Whether AWS's own handler notices that an
update was rolled back is not known; here it does, so that a stack never says it serves what it does not.
"""

from __future__ import annotations

from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Api, Props, gone_is_fine, name_of
from localcloud.sagemaker.cfn.settling import settled
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.kinds.endpoint import IN_PROGRESS

_UPDATE_ONLY = frozenset(
    {
        "RetainAllVariantProperties",
        "ExcludeRetainedVariantProperties",
        "RetainDeploymentConfig",
    }
)
_API = Api("Endpoint", frozenset({"EndpointName", "EndpointConfigName", "DeploymentConfig", "Tags", *_UPDATE_ONLY}))
#: virtual seconds that CloudFormation waits (handler timeouts of the registry schema)
_CREATE_TIMEOUT = 160 * 60
_UPDATE_TIMEOUT = 970 * 60


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        name, arn = _API.create(logical_id, props, leave_out=_UPDATE_ONLY)
        try:
            endpoint = _settled(core, arn, _CREATE_TIMEOUT)
            if endpoint["EndpointStatus"] != "InService":
                raise CfnError(_failure(endpoint))
        except CfnError as error:
            # the endpoint exists: the rollback has to delete it
            raise CfnError(str(error), physical_id=arn) from None
        return arn, _attributes(name, arn)

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        _API.check(new)
        name = name_of(physical_id)
        if old.get("EndpointConfigName") != new["EndpointConfigName"]:
            parameters = {k: v for k, v in new.items() if k != "Tags"} | {"EndpointName": name}
            _API.call("UpdateEndpoint", coerced(model.input_shape("UpdateEndpoint"), parameters))
            endpoint = _settled(core, physical_id, _UPDATE_TIMEOUT)
            if endpoint["EndpointConfigName"] != new["EndpointConfigName"]:
                raise CfnError(_failure(endpoint))
        _API.update_tags(physical_id, old, new)
        return physical_id, _attributes(name, physical_id)

    def delete(physical_id: str, props: Props) -> None:
        del props
        if _API.delete(physical_id):
            gone_is_fine(lambda: _settled(core, physical_id, _CREATE_TIMEOUT))

    adapter.register_cfn_type(
        "AWS::SageMaker::Endpoint",
        create=create,
        update=update,
        delete=delete,
        replacing=("EndpointName",),
        tag_property="Tags",
    )


def _settled(core: Core, arn: str, timeout: float) -> dict[str, Any]:
    """The endpoint once it is in no transition. Raises CfnError."""
    return settled(core, _API, arn, IN_PROGRESS, timeout)


def _failure(endpoint: dict[str, Any]) -> str:
    """What the stack event says: status and FailureReason, and that the old configuration still serves."""
    reason = endpoint.get("FailureReason", "")
    if endpoint["EndpointStatus"] == "InService":
        return f"Endpoint {endpoint['EndpointArn']} was rolled back to {endpoint['EndpointConfigName']}: {reason}"
    return f"Endpoint {endpoint['EndpointArn']} is in status {endpoint['EndpointStatus']}: {reason}"


def _attributes(name: str, arn: str) -> dict[str, str]:
    return {"EndpointName": name, "EndpointArn": arn}
