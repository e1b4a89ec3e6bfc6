"""What a month of each kind costs in SageMaker, and how that was reckoned."""

from __future__ import annotations

from botocore.exceptions import ClientError

from operations.audit.prices import instance_month, item_month
from operations.audit.survey import Survey

Reckoned = tuple[float | None, str]
"""US dollars a month, None when it costs something for which there is no price; and in words, how it was reckoned."""

_UNBILLED_NOTEBOOK = ("Stopped", "Failed", "Deleting")
"""States of a notebook instance in which only its volume is billed."""


def free(survey: Survey, name: str) -> Reckoned:
    """Nothing is billed for keeping it."""
    del survey, name
    return 0.0, ""


def unpriced(survey: Survey, name: str) -> Reckoned:
    """Billed by the hour, and the price table has no figure."""
    del name
    return None, f"no price for it in {survey.owner.region}"


def by_the_second(survey: Survey, name: str) -> Reckoned:
    """A job: what a month of it would cost means nothing."""
    del survey, name
    return None, "billed by the second until it ends"


def by_the_firing(survey: Survey, name: str) -> Reckoned:
    """A monitoring schedule starts a processing job at each firing, for ever, even when its endpoint is gone."""
    if survey.client("sagemaker").describe_monitoring_schedule(MonitoringScheduleName=name)[
        "MonitoringScheduleStatus"
    ] in ("Stopped", "Failed"):
        return 0.0, "stopped"
    return None, "a processing job at every firing"


def endpoint(survey: Survey, name: str) -> Reckoned:
    """The instances that each variant has now are billed whether or not anybody asks; a serverless one has none."""
    client, region = survey.client("sagemaker"), survey.owner.region
    try:
        described = client.describe_endpoint(EndpointName=name)
        config = client.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        return None, "its endpoint config is gone, so the instance type is not known"
    now = {one["VariantName"]: one for one in described.get("ProductionVariants", [])}
    total, parts = 0.0, []
    for variant in config["ProductionVariants"]:
        kind = variant.get("InstanceType")
        if not kind:
            parts.append("serverless")
            if variant["ServerlessConfig"].get("ProvisionedConcurrency"):
                return None, f"no price for concurrency that is kept ready in {region}"
            continue
        count = now.get(variant["VariantName"], {}).get("CurrentInstanceCount", variant.get("InitialInstanceCount", 0))
        month = instance_month(region, "hosting", kind, count) if count else 0.0
        if month is None:
            return None, f"no price for {kind} hosting in {region}"
        total += month
        parts.append(f"{count} x {kind}")
    return total, ", ".join(parts)


def warm_pool(survey: Survey, name: str) -> Reckoned:
    """Instances that a finished training job keeps are billed like a running one, until the pool's time is up."""
    resources = survey.client("sagemaker").describe_training_job(TrainingJobName=name)["ResourceConfig"]
    kind, count = resources.get("InstanceType", ""), resources.get("InstanceCount", 1)
    return instance_month(survey.owner.region, "training", kind, count), f"{count} x {kind} kept after the job"


def notebook(survey: Survey, name: str) -> Reckoned:
    """Its volume is billed always, its instance unless it is stopped."""
    described = survey.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
    region, size, kind = survey.owner.region, described.get("VolumeSizeInGB", 5), described["InstanceType"]
    volume = item_month(region, "notebook storage", size)
    if described["NotebookInstanceStatus"] in _UNBILLED_NOTEBOOK:
        return volume, f"{size} GB of disk"
    instance = instance_month(region, "notebook", kind, 1)
    usd = None if volume is None or instance is None else volume + instance
    return usd, f"{kind}, {size} GB of disk"


def feature_group(survey: Survey, name: str) -> Reckoned:
    """An online store is billed by what it holds, or by the hour; an offline one is a prefix in a bucket."""
    described = survey.client("sagemaker").describe_feature_group(FeatureGroupName=name)
    if described.get("OnlineStoreConfig", {}).get("EnableOnlineStore"):
        return None, f"no price for an online store in {survey.owner.region}"
    return 0.0, "its data is counted with its bucket"
