"""What runs in an environment and need not run at night: notebook instances, apps of Studio, endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError
from environment_stacks import Stack
from ours import TAG, Ours

_ASLEEP_TEXT = "could not find endpoint"
"""What SageMaker says of an endpoint that does not exist; it has the same code for much else."""


def notebooks(ours: Ours) -> list[str]:
    """Return the names of the notebook instances that run. Raises ClientError."""
    listed = ours.listed(
        "list_notebook_instances",
        "NotebookInstances",
        "NotebookInstanceName",
        "NotebookInstanceArn",
        StatusEquals="InService",
    )
    return [one["NotebookInstanceName"] for one in listed]


def apps(sagemaker: Any, domain_id: str) -> list[dict[str, str]]:
    """Return the apps that run in the domain, each as what deletes it. Raises ClientError."""
    if not domain_id:
        return []
    pages = sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain_id, MaxResults=100)
    found = []
    for app in (app for page in pages for app in page["Apps"] if app["Status"] == "InService"):
        holder = "SpaceName" if app.get("SpaceName") else "UserProfileName"  # exactly one of them, SageMaker insists
        found.append({"DomainId": domain_id, "AppType": app["AppType"], "AppName": app["AppName"], holder: app[holder]})
    return found


def endpoints(ours: Ours) -> list[str]:
    """Return the names of the endpoints that there are, but for those already on their way out. Raises ClientError."""
    listed = ours.listed("list_endpoints", "Endpoints", "EndpointName", "EndpointArn")
    return [one["EndpointName"] for one in listed if one["EndpointStatus"] != "Deleting"]


def asleep(sagemaker: Any, stacks: Sequence[Stack]) -> list[tuple[Stack, str, str]]:
    """Return the stacks whose endpoint does not exist, with its name and its configuration's. Raises ClientError.

    Stacks that CloudFormation works on, or began to delete, are passed over.
    """
    found = []
    for stack in stacks:
        name, config = stack.outputs.get("EndpointName"), stack.outputs.get("EndpointConfigName")
        if not name or not config or stack.busy or stack.status.startswith(("DELETE_", "ROLLBACK_")):
            continue
        try:
            sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if code_of(error) != "ValidationException" or _ASLEEP_TEXT not in text_of(error).lower():
                raise
            found.append((stack, name, config))
    return found


def tags_of(stack: Stack, environment: str) -> list[dict[str, str]]:
    """Return the tags that everything in the stack carries."""
    return [{"Key": TAG, "Value": environment}, {"Key": "sandcastle:stack", "Value": stack.name}]
