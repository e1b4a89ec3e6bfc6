"""How much of each quota others in the account use now; what the environment itself has is not counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.survey import pages
from operations.doctor.finding import Case

DOMAINS = "Total domains"
PROFILES = "Maximum number of Studio user profiles allowed per account"
NOTEBOOKS = "Total number of notebook instances"

_JOBS = {
    "processing job": ("processing", "ProcessingJob"),
    "training job": ("training", "TrainingJob"),
    "spot training job": ("training", "TrainingJob"),
    "transform job": ("transform", "TransformJob"),
}
"""Use, as quotas name it: boto3's word and the stem of the members."""


def in_use(case: Case, names: Iterable[str]) -> Counter[str]:
    """Return how much of the quotas of these names is in use; only what they are about is asked."""
    used = Counter[str]()
    ours = {finding.name for finding in case.inventory.findings}
    client = case.target.client("sagemaker")
    asked = {name.split(" for ", 1)[-1].removesuffix(" usage") for name in names if name.endswith(" usage")}
    if "endpoint" in asked:
        used.update(_endpoints(client, ours))
    if "notebook instance" in asked:
        for item in pages(client, "list_notebook_instances", "NotebookInstances"):
            if item["NotebookInstanceName"] not in ours:
                used[NOTEBOOKS] += 1
                if item["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
                    used[f"{item['InstanceType']} for notebook instance usage"] += 1
    for use in asked & _JOBS.keys():
        used.update(_jobs(client, use, ours))
    if DOMAINS in names:
        domains = [one for one in pages(client, "list_domains", "Domains") if one["DomainId"] not in ours]
        used[DOMAINS] = len(domains)
        mine = {finding.removal.parameters["DomainId"] for finding in case.inventory.of("domain")}
        profiles = pages(client, "list_user_profiles", "UserProfiles")
        used[PROFILES] = sum(1 for one in profiles if one["DomainId"] not in mine)
        for app in pages(client, "list_apps", "Apps"):
            kind = app.get("ResourceSpec", {}).get("InstanceType")
            if app["Status"] in ("Pending", "InService") and kind and app["DomainId"] not in mine:
                used[f"Studio {app['AppType']} Apps running on {kind} instances"] += 1
    return used


def _endpoints(client: Any, ours: set[str]) -> Iterator[str]:
    for item in pages(client, "list_endpoints", "Endpoints"):
        if item["EndpointName"] in ours:
            continue
        try:
            name = client.describe_endpoint(EndpointName=item["EndpointName"])["EndpointConfigName"]
            variants = client.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
        except ClientError:  # it went in the meantime, or its config did
            continue
        for variant in variants:
            yield from [f"{variant.get('InstanceType')} for endpoint usage"] * variant.get("InitialInstanceCount", 0)


def _jobs(client: Any, use: str, ours: set[str]) -> Iterator[str]:
    words, stem = _JOBS[use]
    for item in pages(client, f"list_{words}_jobs", f"{stem}Summaries", StatusEquals="InProgress"):
        if item[f"{stem}Name"] in ours:
            continue
        job = getattr(client, f"describe_{words}_job")(**{f"{stem}Name": item[f"{stem}Name"]})
        if words == "training" and job.get("EnableManagedSpotTraining", False) != (use == "spot training job"):
            continue
        resources = job.get("ResourceConfig") or job.get("TransformResources")
        resources = resources or job["ProcessingResources"]["ClusterConfig"]
        yield from [f"{resources.get('InstanceType')} for {use} usage"] * resources.get("InstanceCount", 1)
