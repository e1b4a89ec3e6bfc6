"""The stacks of an environment; a stack is free, what is in it is listed by its own service."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Finding
from operations.audit.survey import Survey
from operations.project import ENVIRONMENT_TAG
from operations.stacks import expected_names, tags


def stacks(survey: Survey) -> Iterator[Finding]:
    """Yield every stack."""
    owner = survey.owner
    names = expected_names(owner.environment)
    for item in survey.pages("cloudformation", "describe_stacks", "Stacks"):
        name, tag_map = item["StackName"], tags(item.get("Tags", []))
        why = owner.by_map(tag_map) or ("name" if ENVIRONMENT_TAG not in tag_map and name in names else None)
        if why:
            removal = owner.call("cloudformation", "delete_stack", StackName=name)
            yield Finding("stack", name, item["StackStatus"], 0.0, why, removal, created=item.get("CreationTime"))
