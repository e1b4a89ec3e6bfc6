"""What runs in an environment and need not run at night: notebook instances, apps of Studio, endpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError
from environment_stacks import Stack
from night_pipelines import remembered
from ours import TAG, Ours

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
"""What is scaled of a variant."""

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


def endpoints(ours: Ours, autoscaling: Any) -> list[str]:
    """Return the names of the endpoints that cost something at night. Raises ClientError.

    Those already on their way out are passed over, and those that cost nothing while nobody asks: serverless ones, and
    asynchronous ones that scale to no instance by themselves.
    """
    listed = ours.listed("list_endpoints", "Endpoints", "EndpointName", "EndpointArn")
    there = [one["EndpointName"] for one in listed if one["EndpointStatus"] != "Deleting"]
    targets = scalable_targets(autoscaling) if there else []
    resting = {one["ResourceId"] for one in targets if one["MinCapacity"] == 0}
    return [name for name in there if not _free_at_rest(ours.sagemaker, name, resting)]


def scalable_targets(autoscaling: Any) -> list[dict[str, Any]]:
    """Return every variant that is scaled. Raises ClientError."""
    pages = autoscaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    return [target for page in pages for target in page["ScalableTargets"]]


def _free_at_rest(sagemaker: Any, name: str, resting: set[str]) -> bool:
    """Say whether each variant is serverless, without a capacity that is kept ready, or scales to no instance."""
    try:
        variants = sagemaker.describe_endpoint(EndpointName=name).get("ProductionVariants", [])
    except ClientError as error:
        if not is_asleep(error):
            raise
        return True  # it went in the meantime
    return bool(variants) and all(
        not one["CurrentServerlessConfig"].get("ProvisionedConcurrency")
        if "CurrentServerlessConfig" in one
        else resource_id(name, one["VariantName"]) in resting
        for one in variants
    )


def is_asleep(error: ClientError) -> bool:
    """Say whether SageMaker refused because there is no such endpoint."""
    return code_of(error) == "ValidationException" and _ASLEEP_TEXT in text_of(error).lower()


@dataclass(frozen=True)
class Served:
    """A stack with its endpoint's name and configuration, and the endpoint's status, empty when it is not there.

    Of an endpoint that is there, the configuration may be empty: nobody needs it.
    """

    stack: Stack
    name: str
    config: str
    status: str

    @property
    def scaling(self) -> dict[str, Any]:
        """How the endpoint is scaled, as ``endpoint_scaling.py`` writes it; nothing where it is not."""
        found: dict[str, Any] = json.loads(self.stack.outputs.get("Scaling", "{}"))
        return found

    @property
    def variants(self) -> list[str]:
        """The names of its variants."""
        return self.stack.outputs.get("VariantNames", "").split()


def served(sagemaker: Any, stacks: Sequence[Stack]) -> list[Served]:
    """Return the stacks that have an endpoint, or should. Raises ClientError.

    Stacks that CloudFormation works on, or began to delete, are passed over. The endpoint of a pipeline is not in its
    stack, which only says its name: what configuration it had, the night remembers.
    """
    found = []
    for stack in stacks:
        pipelines = of_pipeline(stack)
        name, config = pipelines or stack.outputs.get("EndpointName"), stack.outputs.get("EndpointConfigName", "")
        if not name or stack.busy or stack.status.startswith(("DELETE_", "ROLLBACK_")):
            continue
        try:
            status = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        except ClientError as error:
            if not is_asleep(error):
                raise
            status = ""
            config = remembered(sagemaker, name) if pipelines else config
        if status or config:
            found.append(Served(stack, name, config, status))
    return found


def of_pipeline(stack: Stack) -> str:
    """Return the name of the endpoint that the stack's pipelines deploy, nothing if it has none."""
    return stack.outputs.get("Endpoint", "") if "TrainingPipeline" in stack.outputs else ""


def resource_id(endpoint: str, variant: str) -> str:
    """Return what Application Auto Scaling calls a variant."""
    return f"endpoint/{endpoint}/variant/{variant}"


def tags_of(stack: Stack, environment: str) -> list[dict[str, str]]:
    """Return the tags that everything in the stack carries."""
    return [{"Key": TAG, "Value": environment}, {"Key": "sandcastle:stack", "Value": stack.name}]
