"""Studio through real stacks: what is made, what an update does, and everything that keeps a stack from going."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Resources, Stack, eventually, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = [pytest.mark.localcloud, pytest.mark.usefixtures("room_for_domains")]

MANAGED = "ManagedByAmazonSageMakerResource"


@pytest.fixture
def stack(localcloud: Localcloud) -> Stack:
    return Stack(localcloud, unique("studio"))


@pytest.fixture
def switches(localcloud: Localcloud) -> Iterator[Any]:
    before = localcloud.admin("GET", "switches")
    yield lambda **wanted: localcloud.admin(
        "POST", "switches", {name.replace("_", "-"): value for name, value in wanted.items()}
    )
    localcloud.admin("POST", "switches", before)


def network() -> Resources:
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
        },
    }


def studio(name: str, **domain: Any) -> Resources:
    """Network, role and domain in one stack, as tutorials write them."""
    return {
        **network(),
        "Role": role(service="sagemaker.amazonaws.com"),
        "Domain": {
            "Type": "AWS::SageMaker::Domain",
            "Properties": {
                "AuthMode": "IAM",
                "DomainName": name,
                "VpcId": {"Ref": "Vpc"},
                "SubnetIds": [{"Ref": "Subnet"}],
                "DefaultUserSettings": {"ExecutionRole": {"Fn::GetAtt": ["Role", "Arn"]}},
                **domain,
            },
        },
    }


def user(name: str = "ada", **settings: Any) -> dict[str, Any]:
    properties = {"DomainId": {"Ref": "Domain"}, "UserProfileName": name}
    return {"Type": "AWS::SageMaker::UserProfile", "Properties": {**properties, **settings}}


def space(owner: str = "ada", **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SageMaker::Space",
        "DependsOn": "User",
        "Properties": {
            "DomainId": {"Ref": "Domain"},
            "SpaceName": "lab",
            "SpaceSettings": {"AppType": "JupyterLab"},
            "OwnershipSettings": {"OwnerUserProfileName": owner},
            "SpaceSharingSettings": {"SharingType": "Private"},
            **properties,
        },
    }


def sweep(localcloud: Localcloud, vpc: str) -> None:
    """What a plain delete leaves in the VPC: the file system and the two groups that hold each other."""
    ec2, efs = localcloud.client("ec2"), localcloud.client("efs")
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    nfs = {group["GroupId"]: group for group in groups if "-nfs-" in group["GroupName"]}
    for target in efs.describe_mount_targets(MaxItems=100)["MountTargets"]:
        if target["VpcId"] == vpc:
            file_system = target["FileSystemId"]
            efs.delete_mount_target(MountTargetId=target["MountTargetId"])
            efs.delete_file_system(FileSystemId=file_system)
    for group in nfs.values():
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    for group in nfs:
        eventually(lambda group=group: deleted(ec2, group))


def deleted(ec2: Any, group: str) -> bool:
    try:
        ec2.delete_security_group(GroupId=group)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "DependencyViolation"
        return False
    return True


def test_everything_from_create_to_delete(stack: Stack, localcloud: Localcloud) -> None:
    name = unique("domain")
    resources = {
        **studio(name, HomeEfsFileSystemCreation="Disabled", Tags=[{"Key": "team", "Value": "x"}]),
        "User": user(UserSettings={"StudioWebPortal": "ENABLED"}, Tags=[{"Key": "user", "Value": "ada"}]),
        "Space": space(),
        "Script": {
            "Type": "AWS::SageMaker::StudioLifecycleConfig",
            "Properties": {
                "StudioLifecycleConfigName": name,
                "StudioLifecycleConfigAppType": "JupyterServer",
                "StudioLifecycleConfigContent": base64.b64encode(b"echo hello").decode(),
            },
        },
    }
    outputs = {
        "Arn": {"Value": {"Fn::GetAtt": ["Domain", "DomainArn"]}},
        "Id": {"Value": {"Fn::GetAtt": ["Domain", "DomainId"]}},
        "Url": {"Value": {"Fn::GetAtt": ["Domain", "Url"]}},
        "User": {"Value": {"Fn::GetAtt": ["User", "UserProfileArn"]}},
        "Space": {"Value": {"Fn::GetAtt": ["Space", "SpaceArn"]}},
        "Script": {"Value": {"Fn::GetAtt": ["Script", "StudioLifecycleConfigArn"]}},
    }
    assert stack.create(resources, outputs) == "CREATE_COMPLETE", stack.reasons()
    out = {item["OutputKey"]: item["OutputValue"] for item in stack.describe()["Outputs"]}
    domain = stack.physical("Domain")
    prefix = "arn:aws:sagemaker:us-east-1:000000000000"
    assert out == {
        "Arn": f"{prefix}:domain/{domain}",
        "Id": domain,
        "Url": f"https://{domain}.studio.us-east-1.sagemaker.aws",
        "User": f"{prefix}:user-profile/{domain}/ada",
        "Space": f"{prefix}:space/{domain}/lab",
        "Script": f"{prefix}:studio-lifecycle-config/{name}",
    }
    assert (stack.physical("User"), stack.physical("Space")) == (f"{domain}|ada", f"{domain}|lab")
    sm = localcloud.client("sagemaker")
    tags = sm.list_tags(ResourceArn=out["Arn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "x"}]  # and none of CloudFormation's own
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        sm.describe_domain(DomainId=domain)


def test_updates_in_place(stack: Stack, localcloud: Localcloud) -> None:
    name = unique("domain")
    before = {
        **studio(name, HomeEfsFileSystemCreation="Disabled"),
        "User": user(Tags=[{"Key": "a", "Value": "1"}]),
        "Space": space(),
    }
    assert stack.create(before) == "CREATE_COMPLETE", stack.reasons()
    domain = stack.physical("Domain")
    idle = {"IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": "60"}}
    settings = {
        "ExecutionRole": {"Fn::GetAtt": ["Role", "Arn"]},
        "JupyterLabAppSettings": {"AppLifecycleManagement": idle},
    }
    storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": "9"}}
    after = {
        **studio(name, DefaultUserSettings=settings, HomeEfsFileSystemCreation="Enabled", TagPropagation="ENABLED"),
        "User": user(Tags=[{"Key": "a", "Value": "2"}], UserSettings={"StudioWebPortal": "DISABLED"}),
        "Space": space(SpaceSettings={"AppType": "JupyterLab", "SpaceStorageSettings": storage}),
    }
    assert stack.update(after) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.physical("Domain") == domain
    sm = localcloud.client("sagemaker")
    described = sm.describe_domain(DomainId=domain)
    assert described["TagPropagation"] == "ENABLED"
    assert described["HomeEfsFileSystemId"].startswith("fs-")
    lab = described["DefaultUserSettings"]["JupyterLabAppSettings"]
    assert lab["AppLifecycleManagement"]["IdleSettings"]["IdleTimeoutInMinutes"] == 60
    profile = sm.describe_user_profile(DomainId=domain, UserProfileName="ada")
    assert profile["UserSettings"] == {"StudioWebPortal": "DISABLED"}
    assert sm.list_tags(ResourceArn=profile["UserProfileArn"])["Tags"] == [{"Key": "a", "Value": "2"}]
    [listed] = sm.list_spaces(DomainIdEquals=domain)["Spaces"]
    assert listed["SpaceSettingsSummary"]["SpaceStorageSettings"]["EbsStorageSettings"]["EbsVolumeSizeInGb"] == 9
    assert "Disabled" in _update_fails(stack, {**after, **studio(name, HomeEfsFileSystemCreation="Disabled")})


def _update_fails(stack: Stack, resources: Resources) -> str:
    assert stack.update(resources) == "UPDATE_ROLLBACK_COMPLETE"
    return stack.reasons()


def test_the_classic_trap(stack: Stack, localcloud: Localcloud) -> None:
    """VPC and domain in one stack: the home EFS outlives the domain and keeps subnet and VPC until it is swept."""
    assert stack.create(studio(unique("domain"))) == "CREATE_COMPLETE", stack.reasons()
    domain, vpc, subnet = (stack.physical(name) for name in ("Domain", "Vpc", "Subnet"))
    assert stack.delete() == "DELETE_FAILED"
    reasons = stack.reasons()
    assert f"The subnet '{subnet}' has dependencies and cannot be deleted." in reasons
    assert "Domain" not in stack.statuses()  # it is gone all the same
    with pytest.raises(ClientError):
        localcloud.client("sagemaker").describe_domain(DomainId=domain)
    assert stack.delete() == "DELETE_FAILED"  # a retry alone does not help
    sweep(localcloud, vpc)
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_a_handler_that_deletes_the_home_efs(stack: Stack, switches: Any) -> None:
    switches(domain_handler_efs="delete")
    assert stack.create(studio(unique("domain"))) == "CREATE_COMPLETE", stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_a_handler_that_deletes_the_home_efs_and_not_the_groups(
    stack: Stack, switches: Any, localcloud: Localcloud
) -> None:
    switches(domain_handler_efs="delete", retention_delete_groups="no")
    assert stack.create(studio(unique("domain"))) == "CREATE_COMPLETE", stack.reasons()
    vpc = stack.physical("Vpc")
    assert stack.delete() == "DELETE_FAILED"
    assert "DependencyViolation" in stack.reasons()
    sweep(localcloud, vpc)
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_what_people_made_keeps_the_stack(stack: Stack, localcloud: Localcloud) -> None:
    """A space and an app that CloudFormation does not know: user and domain fail, in the texts that AWS gives."""
    resources = {**studio(unique("domain"), HomeEfsFileSystemCreation="Disabled"), "User": user()}
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    domain = stack.physical("Domain")
    sm = localcloud.client("sagemaker")
    names = {"DomainId": domain, "SpaceName": "mine"}
    sm.create_space(
        **names,
        SpaceSettings={"AppType": "JupyterLab"},
        OwnershipSettings={"OwnerUserProfileName": "ada"},
        SpaceSharingSettings={"SharingType": "Private"},
    )
    eventually(lambda: sm.describe_space(**names)["Status"] == "InService")
    app = {**names, "AppType": "JupyterLab", "AppName": "default"}
    sm.create_app(**app)
    eventually(lambda: sm.describe_app(**app)["Status"] == "InService")
    assert stack.delete() == "DELETE_FAILED"
    profile = f"arn:aws:sagemaker:us-east-1:000000000000:user-profile/{domain}/ada"
    text = f"Unable to delete UserProfile [{profile}] because Space(s) are associated with it."
    assert text in stack.reasons()
    assert "(HandlerErrorCode: ResourceConflict)" in stack.reasons()
    sm.delete_app(**app)
    eventually(lambda: sm.describe_app(**app)["Status"] == "Deleted")
    sm.delete_space(**names)
    eventually(lambda: not sm.list_spaces(DomainIdEquals=domain)["Spaces"])
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_a_domain_that_was_deleted_before_is_no_failure(stack: Stack, localcloud: Localcloud) -> None:
    assert stack.create(studio(unique("domain"))) == "CREATE_COMPLETE", stack.reasons()
    sm, domain = localcloud.client("sagemaker"), stack.physical("Domain")
    sm.delete_domain(DomainId=domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    eventually(lambda: domain not in [item["DomainId"] for item in sm.list_domains(MaxResults=100)["Domains"]])
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_a_domain_that_fails_rolls_back(stack: Stack) -> None:
    resources = studio(unique("domain"), SubnetIds=["subnet-0123456789abcdef0"])
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    assert "is in status Failed" in stack.reasons()
    assert "(HandlerErrorCode: NotStabilized)" in stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"


def test_the_name_of_a_domain_is_taken(stack: Stack, localcloud: Localcloud) -> None:
    name = unique("domain")
    assert stack.create(studio(name, HomeEfsFileSystemCreation="Disabled")) == "CREATE_COMPLETE", stack.reasons()
    other = Stack(localcloud, unique("studio"))
    assert other.create(studio(name)) == "ROLLBACK_COMPLETE"
    text = f"Resource of type 'AWS::SageMaker::Domain' with identifier '{name}' already exists."
    assert text in other.reasons()


def test_a_classic_app_and_its_like(stack: Stack, localcloud: Localcloud) -> None:
    app = {
        "Type": "AWS::SageMaker::App",
        "DependsOn": "User",
        "Properties": {
            "AppName": "default",
            "AppType": "JupyterServer",
            "DomainId": {"Ref": "Domain"},
            "UserProfileName": "ada",
        },
    }
    resources = {**studio(unique("domain"), HomeEfsFileSystemCreation="Disabled"), "User": user(), "App": app}
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    domain = stack.physical("Domain")
    assert stack.physical("App") == f"default|JupyterServer|{domain}|ada"
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()
    apps = localcloud.client("sagemaker").list_apps(DomainIdEquals=domain)["Apps"]
    assert [app["Status"] for app in apps] == ["Deleted"]


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (
            {"User": user(UserSettings={"JupyterLabAppSettings": {"AppLifecycleManagement": {}}})},
            "#/UserSettings/JupyterLabAppSettings: extraneous key [AppLifecycleManagement] is not permitted",
        ),
        ({"User": user(Surprise="x")}, "#: extraneous key [Surprise] is not permitted"),
        (
            {"User": user(UserSettings={"RStudioServerProAppSettings": {"AccessStatus": "ENABLED"}})},
            "[localcloud] CreateUserProfile: UserSettings.RStudioServerProAppSettings is not supported yet",
        ),
        (
            {
                "App": {
                    "Type": "AWS::SageMaker::App",
                    "Properties": {
                        "AppName": "default",
                        "AppType": "JupyterLab",
                        "DomainId": {"Ref": "Domain"},
                        "SpaceName": "lab",
                    },
                }
            },
            "#: extraneous key [SpaceName] is not permitted",
        ),
    ],
)
def test_a_property_that_is_not_there_is_refused_by_name(stack: Stack, resource: Resources, text: str) -> None:
    resources = {**studio(unique("domain"), HomeEfsFileSystemCreation="Disabled"), **resource}
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    assert text in stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"
