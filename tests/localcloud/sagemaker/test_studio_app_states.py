"""Spaces, apps and lifecycle configurations: states, billing, what wins of the settings, who keeps whom."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.lifecycle_script import ScriptOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import ROLE, SCOPE
from tests.localcloud.sagemaker.studio_world import StudioWorld, config_arn

OTHER_ROLE = "arn:aws:iam::123456789012:role/other"


@pytest.fixture
def studio() -> StudioWorld:
    return StudioWorld()


def lived_in(studio: StudioWorld, **members: Any) -> str:
    """A domain with user ada and her space lab."""
    domain = studio.make_domain(**members)
    studio.make_profile(domain)
    studio.make_space(domain)
    return domain


def app_names(domain: str, space: str = "lab") -> dict[str, str]:
    return {"DomainId": domain, "SpaceName": space, "AppType": "JupyterLab", "AppName": "default"}


def settings(**members: Any) -> dict[str, Any]:
    return {"DefaultUserSettings": {"JupyterLabAppSettings": members}}


def test_the_life_of_an_app(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    names = app_names(domain)
    arn = SCOPE.arn("app", f"{domain}/lab/JupyterLab/default")
    assert studio.call("CreateApp", **names) == {"AppArn": arn}
    assert studio.status("DescribeApp", **names) == "Pending"
    refused = studio.refusal("DeleteApp", **names)
    assert (refused.code, refused.message) == ("ResourceInUse", f"Unable to delete App [{arn}] in status Pending.")
    assert studio.refusal("CreateApp", **names).message == f"App [{arn}] already exists."
    assert arn not in studio.running()
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "InService", **names)
    assert studio.running()[arn] == "studio-app-instance"
    described = studio.call("DescribeApp", **names)
    assert described["ResourceSpec"] == {"InstanceType": "ml.t3.medium"}
    assert described["LastUserActivityTimestamp"] == described["LastHealthCheckTimestamp"]
    studio.call("DeleteApp", **names)
    assert studio.status("DescribeApp", **names) == "Deleting"
    assert arn not in studio.running()
    assert studio.refusal("DeleteApp", **names).code == "ResourceInUse"
    studio.clock.advance(durations.APP_DELETE)
    studio.reach("DescribeApp", "Deleted", **names)


def test_a_deleted_app_is_known_for_a_day(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    names = studio.start_app(domain)
    studio.end_app(names)
    refused = studio.refusal("DeleteApp", **names)
    assert (refused.code, "has already been deleted" in refused.message) == ("ValidationException", True)
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")
    studio.clock.advance(durations.APP_REMEMBERED - 1)
    [listed] = studio.call("ListApps", DomainIdEquals=domain)["Apps"]
    assert (listed["Status"], listed["SpaceName"]) == ("Deleted", "lab")
    studio.clock.advance(1)
    assert studio.call("ListApps")["Apps"] == []
    assert studio.refusal("DescribeApp", **names).code == "ResourceNotFound"


def test_an_app_starts_again_after_it_was_deleted(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    studio.end_app(studio.start_app(domain))
    studio.start_app(domain)
    studio.clock.advance(durations.APP_REMEMBERED)  # the memory of the first does not end the second
    assert [app["Status"] for app in studio.call("ListApps")["Apps"]] == ["InService"]


def test_a_failed_app_blocks_nothing_and_cannot_be_deleted(studio: StudioWorld) -> None:
    studio.backend.script_outcome = ScriptOutcome(1, "it ended with exit code 1", "no such file")
    domain = studio.make_domain()
    studio.make_profile(domain)
    studio.make_space(domain)
    arn = studio.make_config("broken")
    names = studio.make_app(domain, ResourceSpec={"LifecycleConfigArn": arn})
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "Failed", **names)
    reason = studio.call("DescribeApp", **names)["FailureReason"]
    assert "it ended with exit code 1" in reason
    assert f"stream {domain}/lab/JupyterLab/default/LifecycleConfigOnStart" in reason
    refused = studio.refusal("DeleteApp", **names)
    assert refused.code == "ValidationException"
    assert "previously failed and was automatically deleted" in refused.message
    assert "studio-app-instance" not in studio.running().values()
    studio.call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="broken")
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")


def test_an_app_keeps_its_space(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    names = studio.start_app(domain)
    arn = SCOPE.arn("space", f"{domain}/lab")
    refused = studio.refusal("DeleteSpace", DomainId=domain, SpaceName="lab")
    assert refused.code == "ResourceInUse"
    assert refused.message == f"Unable to delete Space [{arn}] because App(s) are associated with it."
    studio.call("DeleteApp", **names)
    assert studio.refusal("DeleteSpace", DomainId=domain, SpaceName="lab").message == refused.message
    studio.clock.advance(durations.APP_DELETE)
    studio.reach("DescribeApp", "Deleted", **names)
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")
    assert studio.status("DescribeSpace", DomainId=domain, SpaceName="lab") == "Deleting"
    studio.clock.advance(durations.SPACE_DELETE)
    assert studio.refusal("DescribeSpace", DomainId=domain, SpaceName="lab").code == "ResourceNotFound"
    studio.wait_until(lambda: studio.backend.forgotten == [arn])


def test_a_space_bills_its_volume_until_it_is_gone(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultUserSettings={"SpaceStorageSettings": storage(8, 20)})
    studio.make_profile(domain)
    studio.make_space(domain)
    arn = SCOPE.arn("space", f"{domain}/lab")
    [line] = [line for line in studio.meter.snapshot() if line["arn"] == arn]
    assert (line["kind"], line["quantity"], line["running"]) == ("studio-space-storage", 8, True)
    studio.end_app(studio.start_app(domain))
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")
    assert arn in studio.running()
    studio.clock.advance(durations.SPACE_DELETE)
    assert arn not in studio.running()


def storage(default: int, most: int) -> dict[str, Any]:
    return {"DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": default, "MaximumEbsVolumeSizeInGb": most}}


def volume(size: int) -> dict[str, Any]:
    return {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": size}}}


def test_a_volume_grows_within_the_limit_and_never_shrinks(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultUserSettings={"SpaceStorageSettings": storage(8, 20)})
    studio.make_profile(domain)
    studio.make_space(domain, SpaceSettings=volume(10))
    names = {"DomainId": domain, "SpaceName": "lab"}
    assert "cannot be reduced" in studio.refusal("UpdateSpace", **names, SpaceSettings=volume(9)).message
    assert "maximum of 20 GB" in studio.refusal("UpdateSpace", **names, SpaceSettings=volume(21)).message
    studio.call("UpdateSpace", **names, SpaceSettings=volume(20), SpaceDisplayName="Big")
    studio.clock.advance(durations.SPACE_UPDATE)
    [summary] = studio.call("ListSpaces")["Spaces"]
    size = summary["SpaceSettingsSummary"]["SpaceStorageSettings"]["EbsStorageSettings"]["EbsVolumeSizeInGb"]
    assert (summary["Status"], summary["SpaceDisplayName"], size) == ("InService", "Big", 20)
    running = [line for line in studio.meter.snapshot() if line["kind"] == "studio-space-storage" and line["running"]]
    assert [line["quantity"] for line in running] == [20]


def test_a_space_does_not_change_while_an_app_is_in_it(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    studio.make_app(domain)
    assert studio.refusal("UpdateSpace", DomainId=domain, SpaceName="lab", SpaceSettings=volume(9)).code == (
        "ResourceInUse"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"OwnershipSettings": None}, "must be specified together"),
        ({"OwnershipSettings": {"OwnerUserProfileName": "nobody"}}, "does not exist"),
        ({"SpaceSettings": {"AppType": "Canvas"}}, "SpaceSettings.AppType = 'Canvas' is not supported yet"),
        ({"SpaceSettings": {"RemoteAccess": "ENABLED"}}, "SpaceSettings.RemoteAccess = 'ENABLED' is not supported"),
    ],
)
def test_what_a_space_does_not_take(studio: StudioWorld, change: dict[str, Any], text: str) -> None:
    domain = studio.make_domain()
    studio.make_profile(domain)
    members = {
        "DomainId": domain,
        "SpaceName": "lab",
        "OwnershipSettings": {"OwnerUserProfileName": "ada"},
        "SpaceSharingSettings": {"SharingType": "Private"},
    }
    assert text in studio.refusal("CreateSpace", **{**members, **change}).message


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"UserProfileName": "ada"}, "Exactly one of SpaceName and UserProfileName"),
        ({"SpaceName": None}, "Exactly one of SpaceName and UserProfileName"),
        ({"SpaceName": None, "UserProfileName": "ada"}, "JupyterLab apps need a SpaceName."),
        ({"ResourceSpec": {"InstanceType": "system"}}, "do not support the system instance type"),
        ({"AppName": "mine"}, "AppName of a JupyterLab app must be default."),
        ({"AppType": "CodeEditor"}, "does not match the AppType JupyterLab of Space"),
        ({"AppType": "KernelGateway"}, "does not match the AppType JupyterLab of Space"),
        ({"AppType": "Canvas"}, "[localcloud] CreateApp: AppType = 'Canvas' is not supported yet"),
        ({"RecoveryMode": True}, "[localcloud] CreateApp: RecoveryMode = True is not supported yet"),
        ({"ResourceSpec": {"LifecycleConfigArn": config_arn("none")}}, "does not exist"),
        ({"SpaceName": "elsewhere"}, "does not exist"),
    ],
)
def test_what_an_app_does_not_take(studio: StudioWorld, change: dict[str, Any], text: str) -> None:
    domain = lived_in(studio)
    assert text in studio.refusal("CreateApp", **{**app_names(domain), **change}).message


def test_classic_apps_belong_to_a_user(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.make_profile(domain)
    names = {"DomainId": domain, "UserProfileName": "ada", "AppType": "JupyterServer", "AppName": "default"}
    assert "system instance type" in studio.refusal("CreateApp", **names, ResourceSpec=instance("ml.t3.medium")).message
    studio.call("CreateApp", **names)
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "InService", **names)
    assert "studio-app-instance" not in studio.running().values()  # its instance is free
    kernel = {**names, "AppType": "KernelGateway", "AppName": "kernel"}
    assert "InstanceType is required" in studio.refusal("CreateApp", **kernel).message
    studio.call("CreateApp", **kernel, ResourceSpec=instance("system"))
    assert studio.call("DescribeApp", **kernel)["ResourceSpec"] == instance("ml.t3.medium")
    listed = studio.call("ListApps", UserProfileNameEquals="ada")["Apps"]
    assert [app["AppType"] for app in listed] == ["JupyterServer", "KernelGateway"]


def instance(name: str) -> dict[str, str]:
    return {"InstanceType": name}


def test_apps_are_listed_ten_a_page_by_space_or_by_user(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.make_profile(domain)
    for number in range(11):
        studio.make_space(domain, f"space-{number:02}")
        studio.make_app(domain, f"space-{number:02}")
    first = studio.call("ListApps")
    assert [app["SpaceName"] for app in first["Apps"]] == [f"space-{number:02}" for number in range(10)]
    assert [app["SpaceName"] for app in studio.call("ListApps", NextToken=first["NextToken"])["Apps"]] == ["space-10"]
    assert len(studio.call("ListApps", SpaceNameEquals="space-04")["Apps"]) == 1
    assert studio.call("ListApps", UserProfileNameEquals="ada")["Apps"] == []
    both = studio.refusal("ListApps", SpaceNameEquals="a", UserProfileNameEquals="b")
    assert both.code == "ValidationException"


def test_a_lifecycle_script_runs_before_the_app_is_in_service(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    arn = studio.make_config("hello", text="echo hello")
    studio.backend.hold.clear()
    names = studio.make_app(domain, ResourceSpec={"LifecycleConfigArn": arn})
    studio.clock.advance(durations.APP_CREATE * 2)
    assert studio.status("DescribeApp", **names) == "Pending"
    studio.backend.hold.set()
    studio.reach("DescribeApp", "InService", **names)
    [(machine, script)] = studio.backend.scripts
    assert machine == SCOPE.arn("space", f"{domain}/lab")
    assert (script.text, script.role_arn, script.log_group) == ("echo hello", ROLE, "/aws/sagemaker/studio")
    assert script.log_stream == f"{domain}/lab/JupyterLab/default/LifecycleConfigOnStart"
    assert script.metadata["SpaceName"] == "lab"
    assert studio.call("DescribeApp", **names)["ResourceSpec"]["LifecycleConfigArn"] == arn


def test_an_app_of_a_vpc_only_domain_has_an_interface_while_it_runs(studio: StudioWorld) -> None:
    domain = lived_in(studio, AppNetworkAccessType="VpcOnly", DefaultUserSettings={"SecurityGroups": ["sg-app"]})
    names = studio.start_app(domain)
    [(subnet, groups, description)] = studio.backend.interfaces.values()
    assert (subnet, groups) == ("subnet-a", ("sg-app", f"sg-out-{domain}"))
    assert f"app/{domain}/lab" in description
    studio.end_app(names)
    assert studio.backend.interfaces == {}


@pytest.mark.parametrize(("propagation", "custom"), [("ENABLED", {"team": "x", "user": "ada"}), ("DISABLED", {})])
def test_tags_come_down_to_spaces_and_apps(studio: StudioWorld, propagation: str, custom: dict[str, str]) -> None:
    domain = studio.make_domain(TagPropagation=propagation, Tags=[{"Key": "team", "Value": "x"}])
    studio.make_profile(domain, Tags=[{"Key": "user", "Value": "ada"}])
    studio.make_space(domain, Tags=[{"Key": "own", "Value": "1"}])
    studio.start_app(domain)
    own = {
        "sagemaker:domain-arn": SCOPE.arn("domain", domain),
        "sagemaker:user-profile-arn": SCOPE.arn("user-profile", f"{domain}/ada"),
    }
    space = SCOPE.arn("space", f"{domain}/lab")
    assert tags_of(studio, space) == {**custom, **own, "own": "1"}
    propagated = {"own": "1"} if propagation == "ENABLED" else {}
    app = tags_of(studio, SCOPE.arn("app", f"{domain}/lab/JupyterLab/default"))
    assert app == {**custom, **propagated, **own, "sagemaker:space-arn": space}


def tags_of(studio: StudioWorld, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in studio.call("ListTags", ResourceArn=arn)["Tags"]}


def test_the_code_for_a_busy_app_is_a_switch(studio: StudioWorld) -> None:
    studio.switches.set({"busy-app-delete": "validation"})
    names = studio.make_app(lived_in(studio))
    assert studio.refusal("DeleteApp", **names).code == "ValidationException"


def test_an_app_whose_role_is_gone_fails(studio: StudioWorld) -> None:
    domain = lived_in(studio)
    names = studio.make_app(domain)
    studio.backend.missing_roles.add(ROLE)
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "Failed", **names)
    assert studio.call("DescribeApp", **names)["FailureReason"] == f"Could not assume role {ROLE}."
