"""What an app takes from domain, user profile and space: which setting wins, its scripts, when it is idle."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import ROLE, START
from tests.localcloud.sagemaker.studio_world import StudioWorld, config_arn

OTHER_ROLE = "arn:aws:iam::123456789012:role/other"


@pytest.fixture
def studio() -> StudioWorld:
    return StudioWorld()


def settings(**members: Any) -> dict[str, Any]:
    return {"DefaultUserSettings": {"JupyterLabAppSettings": members}}


@pytest.mark.parametrize(
    ("of_domain", "of_profile", "of_space", "of_app", "wins"),
    [
        ("a", None, None, None, "a"),
        ("a", "b", None, None, "b"),
        ("a", "b", "c", None, "c"),
        ("a", "b", "c", "d", "d"),
        ("a", "None", None, None, None),
        ("a", None, None, "None", None),
    ],
)
def test_the_nearest_setting_wins(
    studio: StudioWorld,
    of_domain: str,
    of_profile: str | None,
    of_space: str | None,
    of_app: str | None,
    wins: str | None,
) -> None:
    for name in "abcd":
        studio.make_config(name, text=f"echo {name}")

    def spec(name: str | None) -> dict[str, Any]:
        return {"LifecycleConfigArn": config_arn(name) if name and len(name) == 1 else name} if name else {}

    domain = studio.make_domain(**settings(DefaultResourceSpec=spec(of_domain)))
    studio.make_profile(domain, UserSettings={"JupyterLabAppSettings": {"DefaultResourceSpec": spec(of_profile)}})
    studio.make_space(domain, SpaceSettings={"JupyterLabAppSettings": {"DefaultResourceSpec": spec(of_space)}})
    studio.start_app(domain, ResourceSpec=spec(of_app))
    assert [script.text for _, script in studio.backend.scripts] == ([f"echo {wins}"] if wins else [])


def test_a_shared_space_takes_the_settings_of_spaces(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultSpaceSettings={"ExecutionRole": OTHER_ROLE, **lab_config(studio, "shared")})
    studio.make_profile(domain, UserSettings={"ExecutionRole": ROLE})
    studio.make_space(domain, SpaceSharingSettings={"SharingType": "Shared"})
    studio.start_app(domain)
    assert [script.role_arn for _, script in studio.backend.scripts] == [OTHER_ROLE]


def lab_config(studio: StudioWorld, name: str) -> dict[str, Any]:
    arn = studio.make_config(name)
    return {"JupyterLabAppSettings": {"LifecycleConfigArns": [arn], "DefaultResourceSpec": {"LifecycleConfigArn": arn}}}


def test_a_private_space_runs_as_its_owner(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultUserSettings=lab_config(studio, "mine"))
    studio.make_profile(domain, UserSettings={"ExecutionRole": OTHER_ROLE})
    studio.make_space(domain)
    studio.start_app(domain)
    assert [script.role_arn for _, script in studio.backend.scripts] == [OTHER_ROLE]


def test_what_runs_or_names_it_keeps_a_lifecycle_configuration(studio: StudioWorld) -> None:
    arn = studio.make_config("mine")
    domain = studio.make_domain()
    studio.make_profile(domain)
    studio.make_space(domain)
    names = studio.start_app(domain, ResourceSpec={"LifecycleConfigArn": arn})
    refused = studio.refusal("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="mine")
    assert (refused.code, f"app/{domain}/lab" in refused.message) == ("ResourceInUse", True)
    studio.end_app(names)
    update_profile(studio, domain, {"LifecycleConfigArns": [arn]})
    refused = studio.refusal("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="mine")
    assert f"user-profile/{domain}/ada" in refused.message
    update_profile(studio, domain, {"LifecycleConfigArns": []})
    studio.call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="mine")
    gone = studio.refusal("DescribeStudioLifecycleConfig", StudioLifecycleConfigName="mine")
    assert (gone.code, gone.message) == ("ResourceNotFound", f"StudioLifecycleConfig [{arn}] does not exist.")


def update_profile(studio: StudioWorld, domain: str, lab: dict[str, Any]) -> None:
    studio.call(
        "UpdateUserProfile", DomainId=domain, UserProfileName="ada", UserSettings={"JupyterLabAppSettings": lab}
    )
    studio.clock.advance(durations.PROFILE_UPDATE)


def test_lifecycle_configurations_are_checked_and_listed(studio: StudioWorld) -> None:
    members = {"StudioLifecycleConfigName": "x", "StudioLifecycleConfigAppType": "JupyterLab"}
    not_encoded = studio.refusal("CreateStudioLifecycleConfig", **members, StudioLifecycleConfigContent="echo hello!")
    assert not_encoded.message == "StudioLifecycleConfigContent must be base64 encoded."
    studio.make_config("lab")
    arn = studio.make_config("editor", "CodeEditor")
    assert studio.refusal("DescribeStudioLifecycleConfig", StudioLifecycleConfigName="x").code == "ResourceNotFound"
    listed = studio.call("ListStudioLifecycleConfigs", AppTypeEquals="CodeEditor")["StudioLifecycleConfigs"]
    assert [item["StudioLifecycleConfigArn"] for item in listed] == [arn]
    assert studio.call("DescribeStudioLifecycleConfig", StudioLifecycleConfigName="lab")["CreationTime"] == START
    error = studio.refusal("UpdateDomain", DomainId=studio.make_domain(), **settings(LifecycleConfigArns=[arn]))
    assert error.message == f"StudioLifecycleConfig [{arn}] is for CodeEditor apps, not for JupyterLab."


def idle(minutes: int, **bounds: int) -> dict[str, Any]:
    told = {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": minutes, **bounds}
    return settings(AppLifecycleManagement={"IdleSettings": told})


@pytest.mark.parametrize(
    ("of_domain", "of_space", "minutes"),
    [
        (idle(60), None, 60),
        (idle(60), 300, 300),
        (idle(60, MaxIdleTimeoutInMinutes=120), 300, 120),
        (idle(120, MinIdleTimeoutInMinutes=90), 60, 90),
    ],
)
def test_an_idle_app_is_shut_down(studio: StudioWorld, of_domain: Any, of_space: int | None, minutes: int) -> None:
    domain = studio.make_domain(**of_domain)
    studio.make_profile(domain)
    own = {"AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": of_space}}} if of_space else {}
    studio.make_space(domain, SpaceSettings={"JupyterLabAppSettings": own})
    names = studio.start_app(domain)
    studio.clock.advance(minutes * 60 - 1)
    assert studio.status("DescribeApp", **names) == "InService"
    studio.clock.advance(1)
    assert studio.status("DescribeApp", **names) == "Deleting"
    assert "studio-app-instance" not in studio.running().values()


def test_an_app_without_idle_settings_runs_on(studio: StudioWorld) -> None:
    domain = studio.make_domain(
        **settings(AppLifecycleManagement={"IdleSettings": {"LifecycleManagement": "DISABLED"}})
    )
    studio.make_profile(domain)
    studio.make_space(domain)
    names = studio.start_app(domain)
    studio.clock.advance(30 * 86_400)
    assert studio.status("DescribeApp", **names) == "InService"
