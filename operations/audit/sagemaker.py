"""What an environment has in SageMaker: endpoints and what they are made of, and jobs that still run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Clients, Finding, Owner
from operations.audit.prices import instance_month


def endpoints(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every endpoint; each variant's instances are billed whether or not anybody asks."""
    client = clients.client("sagemaker")
    for item, why in _owned(client, owner, "list_endpoints", "Endpoints", "EndpointName", "EndpointArn"):
        name = item["EndpointName"]
        usd, price = _endpoint_cost(client, owner, name)
        yield Finding(
            "sagemaker", "endpoint", name, item["EndpointStatus"], usd, why,
            f"aws sagemaker delete-endpoint --endpoint-name {name}", price,
        )  # fmt: skip


def endpoint_configs(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every endpoint config; keeping one is free."""
    client = clients.client("sagemaker")
    found = _owned(client, owner, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn")
    for item, why in found:
        name = item["EndpointConfigName"]
        remove = f"aws sagemaker delete-endpoint-config --endpoint-config-name {name}"
        yield Finding("sagemaker", "endpoint config", name, "", 0.0, why, remove)


def models(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every model; keeping one is free (its artifact is counted with its bucket)."""
    client = clients.client("sagemaker")
    for item, why in _owned(client, owner, "list_models", "Models", "ModelName", "ModelArn"):
        name = item["ModelName"]
        remove = f"aws sagemaker delete-model --model-name {name}"
        yield Finding("sagemaker", "model", name, "", 0.0, why, remove)


def training_jobs(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every training job that is not finished, and every warm pool that a finished one kept."""
    client = clients.client("sagemaker")
    for state in ("InProgress", "Stopping"):
        yield from _jobs(client, owner, "list_training_jobs", "TrainingJobSummaries", "TrainingJob", "training", state)


def processing_jobs(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield every processing job that is not finished."""
    client = clients.client("sagemaker")
    for state in ("InProgress", "Stopping"):
        yield from _jobs(
            client,
            owner,
            "list_processing_jobs",
            "ProcessingJobSummaries",
            "ProcessingJob",
            "processing",
            state,
        )


def _jobs(
    client: Any, owner: Owner, operation: str, result: str, prefix: str, use: str, state: str
) -> Iterator[Finding]:
    found = _owned(client, owner, operation, result, f"{prefix}Name", f"{prefix}Arn", StatusEquals=state)
    for item, why in found:
        name = item[f"{prefix}Name"]
        yield Finding(
            "sagemaker", f"{use} job", name, state, None, why,
            f"aws sagemaker stop-{use}-job --{use}-job-name {name}", "billed by the second until it ends",
        )  # fmt: skip


def _endpoint_cost(client: Any, owner: Owner, name: str) -> tuple[float | None, str]:
    """Return a month's cost of the endpoint's instances and how it was reckoned."""
    try:
        endpoint = client.describe_endpoint(EndpointName=name)
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        return None, "its endpoint config is gone, so the instance type is not known"
    total, parts = 0.0, []
    for variant in config["ProductionVariants"]:
        kind, count = variant.get("InstanceType"), variant.get("InitialInstanceCount", 0)
        if not kind:
            continue  # serverless: nothing is billed at idle
        month = instance_month(owner.region, "hosting", kind, count)
        if month is None:
            return None, f"no price for {kind} hosting in {owner.region}"
        total += month
        parts.append(f"{count} x {kind}")
    return total, ", ".join(parts)


def _owned(
    client: Any, owner: Owner, operation: str, result: str, name: str, arn: str, **filters: str
) -> Iterator[tuple[Any, str]]:
    """Yield each listed item that the owner has, with the reason; tags are asked of the service one by one."""
    for page in client.get_paginator(operation).paginate(**filters):
        for item in page[result]:
            why = owner.by_run_time_name(item[name]) or owner.by_tags(_tags(client, item[arn]))
            if why:
                yield item, why


def _tags(client: Any, arn: str) -> list[Any]:
    """Return the tags of a SageMaker resource; one that vanished between list and question has none."""
    try:
        return [tag for page in client.get_paginator("list_tags").paginate(ResourceArn=arn) for tag in page["Tags"]]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return []
        raise
