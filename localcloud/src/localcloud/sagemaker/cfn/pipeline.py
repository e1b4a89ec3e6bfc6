"""AWS::SageMaker::Pipeline. Ref is the name, which is create-only and required.

The handler deletes without stopping executions and without a retry ([H]): a running execution fails the stack.
"""

from __future__ import annotations

import uuid
from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Api, Props, add_system_tags, gone_is_fine, own_tags
from localcloud.sagemaker.core import Core

_API = Api(
    "Pipeline",
    frozenset(
        {
            "PipelineName",
            "PipelineDisplayName",
            "PipelineDefinition",
            "PipelineDescription",
            "RoleArn",
            "ParallelismConfiguration",
            "Tags",
        }
    ),
)


def install(core: Core) -> None:
    """Register the type."""

    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del logical_id, stack_name
        parameters = {**_request(props), **own_tags(props), "ClientRequestToken": uuid.uuid4().hex}
        arn = _call("CreatePipeline", parameters)["PipelineArn"]
        add_system_tags(core, arn, props)
        return str(props["PipelineName"]), {"PipelineName": str(props["PipelineName"])}

    def update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        del stack_name
        if _request(new) != _request(old):
            _call("UpdatePipeline", _request(new))
        arn = _API.call("DescribePipeline", {"PipelineName": physical_id})["PipelineArn"]
        _API.update_tags(arn, old, new)
        return physical_id, {"PipelineName": physical_id}

    def delete(physical_id: str, props: Props) -> None:
        del props
        parameters = {"PipelineName": physical_id, "ClientRequestToken": uuid.uuid4().hex}
        gone_is_fine(lambda: _call("DeletePipeline", parameters))

    adapter.register_cfn_type(
        "AWS::SageMaker::Pipeline",
        create=create,
        update=update,
        delete=delete,
        replacing=("PipelineName",),
        tag_property="Tags",
    )


def _request(props: Props) -> Props:
    """The properties as members of the API: a definition is a text there. Raises CfnError."""
    _API.check(props)
    definition = props["PipelineDefinition"]
    others = {k: v for k, v in props.items() if k not in ("Tags", "PipelineDefinition")}
    if "PipelineDefinitionBody" in definition:
        return {**others, "PipelineDefinition": definition["PipelineDefinitionBody"]}
    place = definition["PipelineDefinitionS3Location"]
    for member in ("Version", "ETag"):
        if member in place:
            raise CfnError(f"[localcloud] AWS::SageMaker::Pipeline: {member} of a location is not supported yet")
    return {**others, "PipelineDefinitionS3Location": {"Bucket": place["Bucket"], "ObjectKey": place["Key"]}}


def _call(operation: str, parameters: Props) -> dict[str, Any]:
    """A call whose failure the handler tells with the service's own text ([H] Translator.throwCfnException)."""
    try:
        return _API.call(operation, coerced(model.input_shape(operation), parameters))
    except CfnError as error:
        if "Error Code: ValidationException)" in str(error):
            raise CfnError(f"Invalid request provided: {error}") from None
        raise
