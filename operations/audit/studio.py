"""What an environment has in Studio: domains, and the profiles, spaces and apps in them, whoever made those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.audit.finding import Finding
from operations.audit.prices import instance_month, item_month
from operations.audit.survey import Survey

_ENDED = ("Deleted", "Failed")
"""States of an app that holds nothing back and cannot be deleted (again): it is listed for a day (facts, 1.4)."""


def domains(survey: Survey) -> Iterator[Finding]:
    """Yield every domain; it is free, its home file system is listed by itself."""
    for domain, why in survey.domains.ours:
        removal = survey.owner.call(
            "sagemaker", "delete_domain", DomainId=domain["DomainId"],
            RetentionPolicy={"HomeEfsFileSystem": "Delete"},
        )  # fmt: skip
        yield Finding(
            "domain", domain["DomainId"], domain["Status"], 0.0, why, removal, created=domain.get("CreationTime")
        )


def profiles(survey: Survey) -> Iterator[Finding]:
    """Yield every user profile; it is free."""
    for item in _inside(survey, "list_user_profiles", "UserProfiles"):
        which = {"DomainId": item["DomainId"], "UserProfileName": item["UserProfileName"]}
        yield Finding(
            "user profile", "/".join(which.values()), item["Status"], 0.0, "in a domain of this environment",
            survey.owner.call("sagemaker", "delete_user_profile", **which), created=item.get("CreationTime"),
        )  # fmt: skip


def spaces(survey: Survey) -> Iterator[Finding]:
    """Yield every space with the price of its disk, which is billed until the space is deleted."""
    for item in _inside(survey, "list_spaces", "Spaces"):
        which = {"DomainId": item["DomainId"], "SpaceName": item["SpaceName"]}
        storage = item.get("SpaceSettingsSummary", {}).get("SpaceStorageSettings", {})
        size = storage.get("EbsStorageSettings", {}).get("EbsVolumeSizeInGb", 0)
        yield Finding(
            "space", "/".join(which.values()), item["Status"],
            item_month(survey.owner.region, "studio space storage", size), "in a domain of this environment",
            survey.owner.call("sagemaker", "delete_space", **which), f"{size} GB of disk", item.get("CreationTime"),
        )  # fmt: skip


def apps(survey: Survey) -> Iterator[Finding]:
    """Yield every app; while it starts or runs its instance is billed."""
    for item in _inside(survey, "list_apps", "Apps"):
        if item["Status"] in _ENDED:
            continue
        usd, price = _app_cost(survey, item)
        place = "SpaceName" if item.get("SpaceName") else "UserProfileName"
        which = {"DomainId": item["DomainId"], place: item[place]}
        which |= {"AppType": item["AppType"], "AppName": item["AppName"]}
        yield Finding(
            "app", "/".join(which.values()), item["Status"], usd, "in a domain of this environment",
            survey.owner.call("sagemaker", "delete_app", **which), price, item.get("CreationTime"),
        )  # fmt: skip


def _app_cost(survey: Survey, app: Any) -> tuple[float | None, str]:
    kind = app.get("ResourceSpec", {}).get("InstanceType", "system")
    if app["Status"] not in ("Pending", "InService") or kind == "system":
        return 0.0, ""
    return instance_month(survey.owner.region, "studio", kind, 1), kind


def _inside(survey: Survey, operation: str, result: str) -> Iterator[Any]:
    for domain, _ in survey.domains.ours:
        yield from survey.pages("sagemaker", operation, result, DomainIdEquals=domain["DomainId"])
