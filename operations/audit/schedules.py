"""What an environment has in EventBridge Scheduler: groups, and schedules in them or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Finding
from operations.audit.survey import Survey
from operations.stacks import tags


def schedules(survey: Survey) -> Iterator[Finding]:
    """Yield every group with the schedules in it, and schedules in other groups that have one of our names.

    Only invocations are billed; what a schedule starts may cost more.
    """
    client, owner = survey.client("scheduler"), survey.owner
    listed = {group["Arn"]: group for group in survey.pages("scheduler", "list_schedule_groups", "ScheduleGroups")}
    ours: dict[str, str] = {}
    for arn, tag_map in survey.each(
        lambda arn: tags(client.list_tags_for_resource(ResourceArn=arn).get("Tags", [])), listed
    ):
        name = listed[arn]["Name"]
        why = owner.by_tags_or_name(tag_map, name)
        if why:
            ours[name] = why
            yield Finding(
                "schedule group", name, listed[arn].get("State", ""), 0.0, why,
                owner.call("scheduler", "delete_schedule_group", Name=name), created=listed[arn].get("CreationDate"),
            )  # fmt: skip
    for item in survey.pages("scheduler", "list_schedules", "Schedules"):
        group, name = item.get("GroupName", "default"), item["Name"]
        why = f"in group {group}" if group in ours else owner.by_run_time_name(name)
        if why:
            yield Finding(
                "schedule", f"{group}/{name}", item.get("State", ""), 0.0, why,
                owner.call("scheduler", "delete_schedule", GroupName=group, Name=name),
                created=item.get("CreationDate"),
            )  # fmt: skip
