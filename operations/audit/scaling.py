"""What an environment has to scale its endpoints by: targets, and alarms, of which some outlive their policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.audit.finding import Finding
from operations.audit.prices import item_month
from operations.audit.survey import Survey
from operations.stacks import tags


def scalable_targets(survey: Survey) -> Iterator[Finding]:
    """Yield every variant that is registered for scaling: free, and DeleteEndpoint needs a permission because of it."""
    listed = survey.pages(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="sagemaker"
    )
    by_arn = {item.get("ScalableTargetARN") or item["ResourceId"]: item for item in listed}
    for arn, tag_map in survey.each(lambda arn: _target_tags(survey, arn), by_arn):
        item = by_arn[arn]
        why = survey.owner.by_tags_or_name(tag_map, item["ResourceId"].split("/")[1])
        if why:
            removal = survey.owner.call(
                "application-autoscaling", "deregister_scalable_target", ServiceNamespace="sagemaker",
                ResourceId=item["ResourceId"], ScalableDimension=item["ScalableDimension"],
            )  # fmt: skip
            yield Finding(
                "scalable target", item["ResourceId"], "", 0.0, why, removal, created=item.get("CreationTime")
            )


def alarms(survey: Survey) -> Iterator[Finding]:
    """Yield every metric alarm; each is billed by the month.

    Alarms that scaling makes carry no tag but the endpoint's name, between slashes; those of step scaling stay when
    the policy is deleted (facts on teardown, 1.27).
    """
    client, owner = survey.client("cloudwatch"), survey.owner
    listed = {alarm["AlarmArn"]: alarm for alarm in survey.pages("cloudwatch", "describe_alarms", "MetricAlarms")}

    def ask(arn: str) -> dict[str, str]:
        return tags(client.list_tags_for_resource(ResourceARN=arn).get("Tags", []))

    for arn, tag_map in survey.each(ask, listed):
        name = listed[arn]["AlarmName"]
        names = (found for part in name.split("/") if (found := owner.by_tags_or_name(tag_map, part)))
        why = next(names, None)
        if why:
            yield Finding(
                "alarm", name, listed[arn]["StateValue"], item_month(owner.region, "alarm", 1), why,
                owner.call("cloudwatch", "delete_alarms", AlarmNames=[name]),
                created=listed[arn].get("AlarmConfigurationUpdatedTimestamp"),
            )  # fmt: skip


def _target_tags(survey: Survey, arn: str) -> dict[str, str]:
    if not arn.startswith("arn:"):  # an account that has used scaling since before targets had ARNs
        return {}
    client: Any = survey.client("application-autoscaling")
    return dict(client.list_tags_for_resource(ResourceARN=arn).get("Tags", {}))
