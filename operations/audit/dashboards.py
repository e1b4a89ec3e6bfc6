"""An environment's dashboards in CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Finding
from operations.audit.prices import item_month
from operations.audit.survey import Survey

FREE = 3
"""So many of an account cost nothing (CloudWatch's prices, dashboards)."""


def dashboards(survey: Survey) -> Iterator[Finding]:
    """Yield every dashboard that has the environment's name.

    Which of an account's dashboards are the free ones, AWS does not say: all are while there are no more than that.
    """
    owner = survey.owner
    listed = list(survey.pages("cloudwatch", "list_dashboards", "DashboardEntries"))
    free = len(listed) <= FREE
    for item in listed:
        name = item["DashboardName"]
        if why := owner.by_run_time_name(name):
            yield Finding(
                "dashboard", name, "", 0.0 if free else item_month(owner.region, "dashboard", 1), why,
                owner.call("cloudwatch", "delete_dashboards", DashboardNames=[name]),
                price=f"the first {FREE} of an account are free" if free else "",
                created=item.get("LastModified"),
            )  # fmt: skip
