"""What earlier deployments of a pipeline left: configurations of its endpoint, and the models that they serve.

The one before is kept: going back to it takes an update and no new model. A model is deleted before the configuration
that names it, so that a function that dies in between finds it again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from pipeline_endpoint import Endpoint, is_missing, is_served
from pipeline_settings import version_of_config

ABANDONED = timedelta(hours=1)
"""How long before the configuration that serves one was made that nobody waits to put in service any more."""


def delete_former(sagemaker: Any, endpoint: Endpoint, config: str) -> None:
    """Delete all configurations of the endpoint but ``config``, which serves, the one before it, and what is in use.

    One that was never in service may be about to be: another execution waits for the endpoint. So it has to be old.
    """
    found = _configs(sagemaker, endpoint.name)
    own = next((one for one in found if one["EndpointConfigName"] == config), None)
    if own is None:
        return
    others = [one for one in found if one is not own]
    served = [one for one in others if is_served(sagemaker, one["EndpointConfigArn"])]
    before = max(served, key=_created, default=None)
    for one in others:
        waiting = one not in served and _created(one) > _created(own) - ABANDONED
        if one is before or waiting:
            continue
        name = one["EndpointConfigName"]
        look = endpoint.look()
        if name in (look.config, look.pending):
            continue
        if model := endpoint.model_of(name):
            delete_model(sagemaker, model)
        _delete_config(sagemaker, name)
        print(f"deleted: {name}")


def delete_model(sagemaker: Any, model: str) -> None:
    """Delete the model, unless it is gone."""
    try:
        sagemaker.delete_model(ModelName=model)
    except ClientError as error:
        if not is_missing(error):
            raise


def _configs(sagemaker: Any, endpoint: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=f"{endpoint}-")
    return [
        one
        for page in pages
        for one in page["EndpointConfigs"]
        if one["EndpointConfigName"].startswith(f"{endpoint}-") and version_of_config(one["EndpointConfigName"])
    ]


def _created(config: dict[str, Any]) -> Any:
    return config["CreationTime"]


def _delete_config(sagemaker: Any, name: str) -> None:
    try:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
