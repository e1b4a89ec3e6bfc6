"""Situations in Studio: apps and spaces that no template knows, people who go on working, files left on a disk."""

from __future__ import annotations

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import HOME, Situation, cases, situation
from tests.lifecycle.stand import Stand


@situation("nothing happened yet", exhaustive=True)
def _nothing(stand: Stand) -> None:
    del stand


@situation("an app runs in a space", exhaustive=True)
def _app_in_a_space(stand: Stand) -> None:
    people.space(stand, "notes")
    people.app(stand, SpaceName="notes")


@situation("an app runs in a profile", exhaustive=True, settings=HOME)
def _app_in_a_profile(stand: Stand) -> None:
    people.app(stand, UserProfileName="ada", app_type="KernelGateway")


@situation("a space without an app keeps its disk", exhaustive=True)
def _space(stand: Stand) -> None:
    people.space(stand, "notes")


@situation("spaces and apps of two people, a shared one among them", exhaustive=True, settings=HOME)
def _several(stand: Stand) -> None:
    for user in ("ada", "grace"):
        people.space(stand, f"of-{user}", user)
        people.app(stand, SpaceName=f"of-{user}")
    people.app(stand, "kernels", UserProfileName="grace", app_type="KernelGateway")


@situation("a profile made in the console owns a space with an app", exhaustive=True)
def _console_profile(stand: Stand) -> None:
    people.profile(stand, "guest")
    people.space(stand, "guests", "guest")
    people.app(stand, SpaceName="guests")


@situation("more spaces than a page of a listing holds", exhaustive=True)
def _many(stand: Stand) -> None:
    for number in range(12):
        people.space(stand, f"space-{number}")


@situation(
    "an app is still being opened, which is told otherwise",
    exhaustive=True,
    settle=1.0,
    switches={"busy-app-delete": "validation"},
)
@situation("an app is still being opened", exhaustive=True, settle=1.0)
def _app_pending(stand: Stand) -> None:
    people.space(stand, "notes")
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    people.app(stand, SpaceName="notes", wait=False)


@situation("an app failed to start", exhaustive=True)
def _app_failed(stand: Stand) -> None:
    content = "ZXhpdCAx"  # exit 1
    sagemaker = stand.client("sagemaker")
    config = sagemaker.create_studio_lifecycle_config(
        StudioLifecycleConfigName="broken",
        StudioLifecycleConfigContent=content,
        StudioLifecycleConfigAppType="JupyterLab",
        Tags=people.tag_list(stand),
    )["StudioLifecycleConfigArn"]
    people.space(stand, "notes")
    where = {
        "DomainId": people.domain_id(stand),
        "SpaceName": "notes",
        "AppType": "JupyterLab",
        "AppName": "default",
    }
    sagemaker.create_app(**where, ResourceSpec={"InstanceType": "ml.t3.medium", "LifecycleConfigArn": config})
    stand.cloud.until(lambda: sagemaker.describe_app(**where)["Status"] == "Failed", "the app to fail")


@situation("somebody opens the app again whenever it is deleted")
def _opened_again(stand: Stand) -> None:
    people.space(stand, "notes")
    people.app(stand, SpaceName="notes")
    where = {"DomainId": people.domain_id(stand), "SpaceName": "notes", "AppType": "JupyterLab"}
    again = {**where, "AppName": "again", "ResourceSpec": {"InstanceType": "ml.t3.medium"}}
    stand.faults(
        {
            "when": {"service": "sagemaker", "operation": "DeleteApp"},
            "call": {"service": "sagemaker", "operation": "CreateApp", "parameters": again},
            "times": 3,
        }
    )


@situation("somebody makes a space while the domain is drained", exhaustive=True)
def _space_during_the_drain(stand: Stand) -> None:
    people.space(stand, "notes")
    late = {
        "DomainId": people.domain_id(stand),
        "SpaceName": "late",
        "OwnershipSettings": {"OwnerUserProfileName": "grace"},
        "SpaceSharingSettings": {"SharingType": "Private"},
    }
    stand.faults(
        {
            "when": {"service": "sagemaker", "operation": "DeleteSpace"},
            "call": {"service": "sagemaker", "operation": "CreateSpace", "parameters": late},
            "times": 1,
        }
    )


@situation("files lie in a home file system", exhaustive=True, settings=HOME)
def _home(stand: Stand) -> None:
    people.app(stand, UserProfileName="ada", app_type="KernelGateway")
    people.space(stand, "notes")


@situation("the domain is already gone, its file system is not", settings=HOME)
def _domain_by_hand(stand: Stand) -> None:
    """Somebody began to tidy up in the console, the way that leaves the file system behind."""
    sagemaker, domain = stand.client("sagemaker"), people.domain_id(stand)
    for user in ("ada", "grace"):
        sagemaker.delete_user_profile(DomainId=domain, UserProfileName=user)
    stand.cloud.until(
        lambda: not sagemaker.list_user_profiles(DomainIdEquals=domain)["UserProfiles"], "the profiles to go"
    )
    sagemaker.delete_domain(DomainId=domain)
    stand.cloud.until(lambda: not sagemaker.list_domains()["Domains"], "the domain to go")


@situation("the domain is being changed", exhaustive=True, settle=1.0)
def _domain_updating(stand: Stand) -> None:
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    stand.client("sagemaker").update_domain(
        DomainId=people.domain_id(stand),
        DefaultUserSettings={"JupyterLabAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.t3.medium"}}},
    )


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
