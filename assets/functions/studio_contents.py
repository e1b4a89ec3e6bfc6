"""What people leave in a Studio domain: apps, spaces and profiles that no template knows, each in the other's way.

An app blocks its space or profile, a space the profile that owns it, and all of them the domain (facts on teardown,
1.1 to 1.4). So apps go first, then spaces, then profiles. Everything is asked for by the domain's id: a neighbour's
domain is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError

PAGE = 100
"""Entries of a page; without asking, SageMaker gives 10."""

_GONE_APPS = {"Deleted", "Failed"}
"""A deleted app is listed for a day; a failed one has no instance, blocks nothing, and cannot be deleted."""

_IN_MOTION = {"Deleting", "Pending", "Updating"}
"""States in which SageMaker refuses to delete: they end by themselves."""

_GONE_TEXTS = ("has already been deleted", "previously failed and was automatically deleted")


def drain(sagemaker: Any, domain_id: str, kept_profiles: Collection[str]) -> str:
    """Take one step towards an empty domain; return what is left in words, nothing when it is empty.

    Profiles named in ``kept_profiles`` are left to CloudFormation. A domain that does not exist is empty.
    """
    try:
        apps = _delete_apps(sagemaker, domain_id)
        holders = {_holder(app) for app in apps}
        spaces = _delete_spaces(sagemaker, domain_id, {name for kind, name in holders if kind == "SpaceName"})
        profiles = _delete_profiles(sagemaker, domain_id, kept_profiles)
    except ClientError as error:
        if code_of(error) == "ResourceNotFound":  # the domain itself
            return ""
        raise
    found = (("app", len(apps)), ("space", spaces), ("user profile", profiles))
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in found if count)


def _delete_apps(sagemaker: Any, domain_id: str) -> list[dict[str, Any]]:
    """Delete the apps that run; return those that are not gone yet."""
    pages = sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain_id, MaxResults=PAGE)
    apps = [app for page in pages for app in page["Apps"] if app["Status"] not in _GONE_APPS]
    for app in apps:
        if app["Status"] not in _IN_MOTION:
            kind, name = _holder(app)  # SageMaker wants exactly one of the two
            _delete(
                sagemaker.delete_app,
                DomainId=domain_id,
                AppType=app["AppType"],
                AppName=app["AppName"],
                **{kind: name},
            )
    return apps


def _delete_spaces(sagemaker: Any, domain_id: str, with_apps: Collection[str]) -> int:
    """Delete the spaces in which no app is left; return how many are not gone yet."""
    pages = sagemaker.get_paginator("list_spaces").paginate(DomainIdEquals=domain_id, MaxResults=PAGE)
    spaces = [space for page in pages for space in page["Spaces"]]
    for space in spaces:
        if space["SpaceName"] not in with_apps and space["Status"] not in _IN_MOTION:
            _delete(sagemaker.delete_space, DomainId=domain_id, SpaceName=space["SpaceName"])
    return len(spaces)


def _delete_profiles(sagemaker: Any, domain_id: str, kept: Collection[str]) -> int:
    """Delete the other profiles, as far as SageMaker lets us; return how many are not gone yet."""
    pages = sagemaker.get_paginator("list_user_profiles").paginate(DomainIdEquals=domain_id, MaxResults=PAGE)
    profiles = [profile for page in pages for profile in page["UserProfiles"] if profile["UserProfileName"] not in kept]
    for profile in profiles:
        if profile["Status"] not in _IN_MOTION:
            _delete(sagemaker.delete_user_profile, DomainId=domain_id, UserProfileName=profile["UserProfileName"])
    return len(profiles)


def _holder(app: dict[str, Any]) -> tuple[str, str]:
    """Return the parameter and the name of what the app is in."""
    kind = "SpaceName" if app.get("SpaceName") else "UserProfileName"
    return kind, app[kind]


def _delete(call: Callable[..., Any], **names: str) -> None:
    """Delete something that may be gone meanwhile, or have something in it that the next turn finds."""
    try:
        call(**names)
    except ClientError as error:
        gone = code_of(error) == "ValidationException" and any(text in text_of(error) for text in _GONE_TEXTS)
        if not gone and code_of(error) not in {"ResourceNotFound", "ResourceInUse"}:
            raise
