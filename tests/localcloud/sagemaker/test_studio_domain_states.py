"""Domains and user profiles as state machines, and who keeps whom from being deleted."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from tests.localcloud.sagemaker.scripted_backend import ROLE, SCOPE, START
from tests.localcloud.sagemaker.studio_world import SUBNETS, StudioWorld


@pytest.fixture
def studio() -> StudioWorld:
    return StudioWorld()


def delete_domain(studio: StudioWorld, domain: str, **members: Any) -> None:
    studio.call("DeleteDomain", DomainId=domain, **members)
    studio.clock.advance(durations.DOMAIN_DELETE)


def gone(studio: StudioWorld, domain: str) -> bool:
    return not studio.service.core.store.by_arn(SCOPE.arn("domain", domain))


def test_a_new_domain_is_unseen_then_pending_then_in_service(studio: StudioWorld) -> None:
    made = studio.start_domain()
    domain, arn = made["DomainId"], made["DomainArn"]
    assert arn == SCOPE.arn("domain", domain)
    error = studio.refusal("DescribeDomain", DomainId=domain)
    assert (error.code, error.message) == ("ResourceNotFound", f"Domain [{arn}] does not exist.")
    assert studio.call("ListDomains") == {"Domains": []}
    studio.clock.advance(durations.DOMAIN_UNSEEN)
    assert studio.status("DescribeDomain", DomainId=domain) == "Pending"
    studio.clock.advance(durations.DOMAIN_CREATE - durations.DOMAIN_UNSEEN - 1)
    assert studio.status("DescribeDomain", DomainId=domain) == "Pending"
    studio.clock.advance(1)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    described = studio.call("DescribeDomain", DomainId=domain)
    assert described["HomeEfsFileSystemId"] == f"fs-{domain}"
    assert described["CreationTime"] == START
    assert described["AppNetworkAccessType"] == "PublicInternetOnly"
    assert described["Url"] == f"https://{domain}.studio.eu-west-1.sagemaker.aws"
    assert [summary["DomainId"] for summary in studio.call("ListDomains")["Domains"]] == [domain]
    assert studio.backend.network.file_systems == {f"fs-{domain}": SUBNETS}
    assert list(studio.running().values()) == ["efs-storage"]


def test_a_pending_domain_takes_no_users_and_no_delete(studio: StudioWorld) -> None:
    domain = studio.start_domain()["DomainId"]
    error = studio.refusal("CreateUserProfile", DomainId=domain, UserProfileName="ada")
    assert (error.code, "in status Pending" in error.message) == ("ResourceInUse", True)
    assert studio.refusal("DeleteDomain", DomainId=domain).code == "ResourceInUse"


def test_without_a_home_efs_there_is_nothing_in_the_vpc(studio: StudioWorld) -> None:
    domain = studio.start_domain(HomeEfsFileSystemCreation="Disabled")["DomainId"]
    studio.clock.advance(durations.DOMAIN_UNSEEN)
    studio.clock.advance(durations.DOMAIN_CREATE_WITHOUT_EFS)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    assert "HomeEfsFileSystemId" not in studio.call("DescribeDomain", DomainId=domain)
    assert (studio.backend.network.groups, studio.backend.network.file_systems) == (set(), {})
    assert studio.running() == {}


def test_the_switch_makes_groups_without_a_home_efs(studio: StudioWorld) -> None:
    studio.switches.set({"no-efs-groups": "made"})
    domain = studio.make_domain(HomeEfsFileSystemCreation="Disabled")
    assert studio.backend.network.groups == {f"sg-in-{domain}", f"sg-out-{domain}"}
    assert studio.backend.network.file_systems == {}


def test_a_domain_that_cannot_be_made_is_failed_and_must_be_deleted(studio: StudioWorld) -> None:
    studio.backend.network.refusal = "The subnet ID 'subnet-a' does not exist"
    domain = studio.start_domain()["DomainId"]
    studio.clock.advance(durations.DOMAIN_UNSEEN)
    studio.clock.advance(durations.DOMAIN_CREATE)
    studio.reach("DescribeDomain", "Failed", DomainId=domain)
    described = studio.call("DescribeDomain", DomainId=domain)
    assert described["FailureReason"] == studio.backend.network.refusal
    delete_domain(studio, domain)
    studio.wait_until(lambda: gone(studio, domain))


def test_retain_leaves_the_efs_billed_and_holds_the_groups_for_a_while(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    delete_domain(studio, domain)
    studio.wait_until(lambda: gone(studio, domain))
    network = studio.backend.network
    assert (list(network.file_systems), network.groups) == ([f"fs-{domain}"], network.held)
    studio.clock.advance(durations.NFS_GROUPS_HELD)
    assert (network.held, len(network.groups)) == (set(), 2)
    assert list(studio.running().values()) == ["efs-storage"]
    network.remove_file_system(SCOPE, f"fs-{domain}")  # whoever does it
    assert studio.running() == {}


@pytest.mark.parametrize(("switch", "left"), [("yes", 0), ("no", 2)])
def test_delete_removes_the_efs_and_what_the_switch_says(studio: StudioWorld, switch: str, left: int) -> None:
    studio.switches.set({"retention-delete-groups": switch})
    domain = studio.make_domain()
    delete_domain(studio, domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    studio.wait_until(lambda: gone(studio, domain))
    assert studio.backend.network.file_systems == {}
    assert len(studio.backend.network.groups) == left
    assert studio.running() == {}


def test_a_domain_whose_efs_is_gone_fails_to_delete_once(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.backend.network.remove_file_system(SCOPE, f"fs-{domain}")
    delete_domain(studio, domain)
    studio.reach("DescribeDomain", "Delete_Failed", DomainId=domain)
    assert f"fs-{domain} does not exist" in studio.call("DescribeDomain", DomainId=domain)["FailureReason"]
    delete_domain(studio, domain)
    studio.wait_until(lambda: gone(studio, domain))


def test_an_efs_that_cannot_be_removed_fails_the_delete(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.backend.network.refusal = "no"
    delete_domain(studio, domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    studio.reach("DescribeDomain", "Delete_Failed", DomainId=domain)
    assert studio.refusal("UpdateDomain", DomainId=domain).code == "ResourceInUse"
    studio.backend.network.refusal = None
    delete_domain(studio, domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    studio.wait_until(lambda: gone(studio, domain))


def test_users_and_spaces_keep_the_domain_also_on_their_way_out(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    arn = SCOPE.arn("domain", domain)
    studio.make_profile(domain)
    studio.make_space(domain)
    blocked = studio.refusal("DeleteDomain", DomainId=domain)
    assert blocked.code == "ResourceInUse"
    assert blocked.message == f"Unable to delete Domain [{arn}] because UserProfile(s) are associated with it."
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")
    studio.clock.advance(durations.SPACE_DELETE)
    studio.call("DeleteUserProfile", DomainId=domain, UserProfileName="ada")
    assert studio.refusal("DeleteDomain", DomainId=domain).message == blocked.message
    studio.clock.advance(durations.PROFILE_DELETE)
    delete_domain(studio, domain)
    studio.wait_until(lambda: gone(studio, domain))


def test_a_space_of_nobody_keeps_the_domain(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultSpaceSettings={"ExecutionRole": ROLE})
    studio.call("CreateSpace", DomainId=domain, SpaceName="classic")
    assert "because Space(s) are associated" in studio.refusal("DeleteDomain", DomainId=domain).message


def test_a_name_is_taken_while_its_domain_lives(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    error = studio.refusal(
        "CreateDomain",
        DomainName="studio",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        SubnetIds=SUBNETS,
        VpcId="vpc-1",
    )
    assert (error.code, error.message) == ("ResourceInUse", f"Domain [{SCOPE.arn('domain', domain)}] already exists.")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"AuthMode": "SSO"}, "[localcloud] CreateDomain: AuthMode = 'SSO' is not supported yet"),
        ({"KmsKeyId": "key"}, "[localcloud] CreateDomain: KmsKeyId is not supported yet"),
        (
            {"DefaultUserSettings": {"CanvasAppSettings": {"KendraSettings": {"Status": "ENABLED"}}}},
            "[localcloud] CreateDomain: DefaultUserSettings.CanvasAppSettings is not supported yet",
        ),
        (
            {"AppSecurityGroupManagement": "Service"},
            "AppSecurityGroupManagement can only be set for Rstudio enabled domains.",
        ),
        ({"VpcId": None}, "VpcId and SubnetIds are required."),
        (
            {"DefaultSpaceSettings": {"SecurityGroups": ["sg-1"]}},
            "ExecutionRole is required in DefaultSpaceSettings.",
        ),
    ],
)
def test_what_a_domain_does_not_take(studio: StudioWorld, change: dict[str, Any], text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        studio.start_domain(**change)
    assert text in caught.value.message


def test_the_creator_must_be_allowed_to_pass_the_roles(studio: StudioWorld) -> None:
    studio.backend.denied = {"iam:PassRole"}
    with pytest.raises(ServiceError, match="iam:PassRole"):
        studio.start_domain()


def test_an_update_changes_what_it_names(studio: StudioWorld) -> None:
    domain = studio.make_domain(DefaultUserSettings={"StudioWebPortal": "ENABLED"})
    settings = {"SpaceStorageSettings": storage(10, 20)}
    studio.call("UpdateDomain", DomainId=domain, DefaultUserSettings=settings, TagPropagation="ENABLED")
    assert studio.status("DescribeDomain", DomainId=domain) == "Updating"
    assert studio.refusal("DeleteDomain", DomainId=domain).code == "ResourceInUse"
    studio.clock.advance(durations.DOMAIN_UPDATE)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    described = studio.call("DescribeDomain", DomainId=domain)
    assert described["DefaultUserSettings"] == {"ExecutionRole": ROLE, "StudioWebPortal": "ENABLED", **settings}
    assert described["TagPropagation"] == "ENABLED"


def storage(default: int, most: int) -> dict[str, Any]:
    return {"DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": default, "MaximumEbsVolumeSizeInGb": most}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"AppNetworkAccessType": "VpcOnly"},
            "VpcId and Subnet IDs are required for updating domains to VpcOnly mode.",
        ),
        ({"HomeEfsFileSystemCreation": "Disabled"}, "HomeEfsFileSystemCreation cannot be changed"),
        ({"VpcId": "vpc-2"}, "cannot be changed"),
    ],
)
def test_what_an_update_does_not_take(studio: StudioWorld, change: dict[str, Any], text: str) -> None:
    domain = studio.make_domain()
    error = studio.refusal("UpdateDomain", DomainId=domain, **change)
    assert (error.code, text in error.message) == ("ValidationException", True)


@pytest.mark.parametrize(
    "change",
    [
        {"SubnetIds": SUBNETS[:1]},
        {"AppNetworkAccessType": "VpcOnly", "VpcId": "vpc-1", "SubnetIds": SUBNETS},
        {"DomainSettingsForUpdate": {"SecurityGroupIds": ["sg-1"]}},
    ],
)
def test_changes_of_the_network_need_a_domain_without_apps(studio: StudioWorld, change: dict[str, Any]) -> None:
    domain = studio.make_domain()
    studio.make_profile(domain)
    studio.make_space(domain)
    app = studio.make_app(domain)
    error = studio.refusal("UpdateDomain", DomainId=domain, **change)
    assert error.code == "ValidationException"
    assert error.message.startswith(f"Unable to update Domain [{SCOPE.arn('domain', domain)}] with InService App. ")
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "InService", **app)
    studio.end_app(app)
    studio.call("UpdateDomain", DomainId=domain, **change)


def test_the_home_efs_comes_later_and_subnets_get_mount_targets(studio: StudioWorld) -> None:
    domain = studio.make_domain(HomeEfsFileSystemCreation="Disabled", SubnetIds=["subnet-a"])
    studio.call("UpdateDomain", DomainId=domain, HomeEfsFileSystemCreation="Enabled")
    studio.clock.advance(durations.DOMAIN_UPDATE)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    assert studio.backend.network.file_systems == {f"fs-{domain}": ["subnet-a"]}
    studio.call("UpdateDomain", DomainId=domain, SubnetIds=["subnet-a", "subnet-c"])
    studio.clock.advance(durations.DOMAIN_UPDATE)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    assert studio.backend.network.file_systems == {f"fs-{domain}": ["subnet-a", "subnet-c"]}


def test_an_update_that_fails_keeps_the_old_settings_and_can_be_repeated(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.backend.network.refusal = "The subnet ID 'subnet-x' does not exist"
    studio.call("UpdateDomain", DomainId=domain, SubnetIds=["subnet-x"])
    studio.clock.advance(durations.DOMAIN_UPDATE)
    studio.reach("DescribeDomain", "Update_Failed", DomainId=domain)
    described = studio.call("DescribeDomain", DomainId=domain)
    assert (described["SubnetIds"], described["FailureReason"]) == (SUBNETS, studio.backend.network.refusal)
    studio.backend.network.refusal = None
    studio.call("UpdateDomain", DomainId=domain, SubnetIds=SUBNETS)
    studio.clock.advance(durations.DOMAIN_UPDATE)
    studio.reach("DescribeDomain", "InService", DomainId=domain)
    assert "FailureReason" not in studio.call("DescribeDomain", DomainId=domain)


def test_the_life_of_a_user_profile(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    names = {"DomainId": domain, "UserProfileName": "ada"}
    arn = SCOPE.arn("user-profile", f"{domain}/ada")
    assert studio.call("CreateUserProfile", **names) == {"UserProfileArn": arn}
    assert studio.status("DescribeUserProfile", **names) == "Pending"
    assert studio.refusal("DeleteUserProfile", **names).code == "ResourceInUse"
    assert studio.refusal("CreateUserProfile", **names).message == f"UserProfile [{arn}] already exists."
    studio.clock.advance(durations.PROFILE_CREATE)
    assert studio.status("DescribeUserProfile", **names) == "InService"
    studio.call("UpdateUserProfile", **names, UserSettings={"SecurityGroups": ["sg-1"]})
    assert studio.status("DescribeUserProfile", **names) == "Updating"
    studio.clock.advance(durations.PROFILE_UPDATE)
    described = studio.call("DescribeUserProfile", **names)
    assert (described["Status"], described["UserSettings"]) == ("InService", {"SecurityGroups": ["sg-1"]})
    studio.call("DeleteUserProfile", **names)
    assert studio.status("DescribeUserProfile", **names) == "Deleting"
    studio.clock.advance(durations.PROFILE_DELETE)
    error = studio.refusal("DescribeUserProfile", **names)
    assert (error.code, error.message) == ("ResourceNotFound", f"UserProfile [{arn}] does not exist.")


def test_apps_and_owned_spaces_keep_a_user_profile(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    arn = SCOPE.arn("user-profile", f"{domain}/{studio.make_profile(domain)}")
    names = {"DomainId": domain, "UserProfileName": "ada"}
    classic = {**names, "AppType": "JupyterServer", "AppName": "default"}
    studio.call("CreateApp", **classic)
    error = studio.refusal("DeleteUserProfile", **names)
    assert error.code == "ResourceInUse"
    assert error.message == f"Unable to delete UserProfile [{arn}] because App(s) are associated with it."
    studio.clock.advance(durations.APP_CREATE)
    studio.reach("DescribeApp", "InService", **classic)
    studio.end_app(classic)
    studio.make_space(domain)
    error = studio.refusal("DeleteUserProfile", **names)
    assert error.message == f"Unable to delete UserProfile [{arn}] because Space(s) are associated with it."
    studio.call("DeleteSpace", DomainId=domain, SpaceName="lab")
    assert studio.refusal("DeleteUserProfile", **names).message == error.message
    studio.clock.advance(durations.SPACE_DELETE)
    studio.call("DeleteUserProfile", **names)


def test_a_user_of_a_vpc_only_domain_needs_groups(studio: StudioWorld) -> None:
    domain = studio.make_domain(AppNetworkAccessType="VpcOnly")
    error = studio.refusal("CreateUserProfile", DomainId=domain, UserProfileName="ada")
    assert "SecurityGroups are required" in error.message
    studio.make_profile(domain, UserSettings={"SecurityGroups": ["sg-1"]})


def test_profiles_are_listed_by_domain_ten_a_page(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    for number in range(11):
        studio.make_profile(domain, f"user-{number:02}")
    first = studio.call("ListUserProfiles", DomainIdEquals=domain)
    assert [item["UserProfileName"] for item in first["UserProfiles"]] == [f"user-{n:02}" for n in range(10)]
    second = studio.call("ListUserProfiles", DomainIdEquals=domain, NextToken=first["NextToken"])
    assert [item["UserProfileName"] for item in second["UserProfiles"]] == ["user-10"]
    assert studio.call("ListUserProfiles", DomainIdEquals="d-other")["UserProfiles"] == []
    named = studio.call("ListUserProfiles", UserProfileNameContains="user-03")["UserProfiles"]
    assert [item["UserProfileName"] for item in named] == ["user-03"]


def test_a_presigned_url_is_for_a_user_that_is_there(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    names = {"DomainId": domain, "UserProfileName": "ada"}
    assert studio.refusal("CreatePresignedDomainUrl", **names).code == "ResourceNotFound"
    studio.make_profile(domain)
    urls = {studio.call("CreatePresignedDomainUrl", **names)["AuthorizedUrl"] for _ in range(2)}
    assert len(urls) == 2
    assert all(url.startswith(f"https://{domain}.studio.eu-west-1.sagemaker.aws/auth?token=") for url in urls)


def test_a_reset_forgets_everything(studio: StudioWorld) -> None:
    domain = studio.make_domain()
    studio.make_profile(domain)
    studio.make_space(domain)
    studio.make_app(domain)
    studio.service.reset()
    assert list(studio.service.core.store.records()) == []
    studio.clock.advance(durations.APP_CREATE)
    assert studio.backend.scripts == []
