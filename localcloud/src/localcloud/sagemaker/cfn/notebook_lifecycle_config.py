"""AWS::SageMaker::NotebookInstanceLifecycleConfig. Ref is the ARN; only the name is create-only (registry schema)."""

from __future__ import annotations

from localcloud import adapter
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Api, Props, name_of

_HOOKS = ("OnCreate", "OnStart")
_NAME = "NotebookInstanceLifecycleConfigName"
_API = Api("NotebookInstanceLifecycleConfig", frozenset({_NAME, *_HOOKS, "Tags"}))


def install() -> None:
    """Register the type."""
    adapter.register_cfn_type(
        "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        create=_create,
        update=_update,
        delete=_delete,
        replacing=(_NAME,),
        tag_property="Tags",
    )


def _create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    name, arn = _API.create(logical_id, props)
    return arn, _attributes(name, arn)


def _update(physical_id: str, old: Props, new: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    del stack_name
    _API.check(new)
    if any(old.get(hook) != new.get(hook) for hook in _HOOKS):
        operation = "UpdateNotebookInstanceLifecycleConfig"
        scripts = {hook: new.get(hook, []) for hook in _HOOKS}
        parameters = {_NAME: name_of(physical_id), **scripts}
        _API.call(operation, coerced(model.input_shape(operation), parameters))
    _API.update_tags(physical_id, old, new)
    return physical_id, _attributes(_API.describe(physical_id)[_NAME], physical_id)


def _delete(physical_id: str, props: Props) -> None:
    del props
    _API.delete(physical_id)


def _attributes(name: str, arn: str) -> dict[str, str]:
    return {_NAME: name, "NotebookInstanceLifecycleConfigArn": arn}
