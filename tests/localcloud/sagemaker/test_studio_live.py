"""Studio through boto3: the real network of a domain, scripts that really run, and a meter that stands still."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker import durations
from tests.localcloud.conftest import started
from tests.localcloud.core.stacks import eventually, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = [pytest.mark.localcloud, pytest.mark.usefixtures("room_for_domains")]

ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"
LOGS = (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], ["*"])


@pytest.fixture
def vpc(localcloud: Localcloud) -> dict[str, Any]:
    """A VPC with two subnets."""
    ec2 = localcloud.client("ec2")
    identifier = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=identifier, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    return {"VpcId": identifier, "SubnetIds": subnets}


@pytest.fixture
def make_domain(sm: Any, vpc: dict[str, Any], make_role: Callable[..., str]) -> Callable[..., str]:
    """A domain that is InService; its id."""

    def make(*permissions: tuple[list[str], list[str]], **members: Any) -> str:
        settings = {"ExecutionRole": make_role(LOGS, *permissions), **members.pop("DefaultUserSettings", {})}
        domain = sm.create_domain(
            DomainName=unique("live"), AuthMode="IAM", DefaultUserSettings=settings, **vpc, **members
        )["DomainArn"].rpartition("/")[2]
        eventually(lambda: _status(lambda: sm.describe_domain(DomainId=domain)) == "InService")
        return str(domain)

    return make


def _status(describe: Callable[[], Any]) -> str:
    try:
        return str(describe()["Status"])
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFound"
        return "gone"


def delete_domain(sm: Any, domain: str, **members: Any) -> None:
    sm.delete_domain(DomainId=domain, **members)
    eventually(lambda: _status(lambda: sm.describe_domain(DomainId=domain)) == "gone")


def move_in(sm: Any, domain: str, space: str = "lab") -> dict[str, str]:
    """User ada with a private space; the names of an app in it."""
    sm.create_user_profile(DomainId=domain, UserProfileName="ada")
    profile = {"DomainId": domain, "UserProfileName": "ada"}
    eventually(lambda: _status(lambda: sm.describe_user_profile(**profile)) == "InService")
    sm.create_space(
        DomainId=domain,
        SpaceName=space,
        SpaceSettings={"AppType": "JupyterLab"},
        OwnershipSettings={"OwnerUserProfileName": "ada"},
        SpaceSharingSettings={"SharingType": "Private"},
    )
    eventually(lambda: _status(lambda: sm.describe_space(DomainId=domain, SpaceName=space)) == "InService")
    return {"DomainId": domain, "SpaceName": space, "AppType": "JupyterLab", "AppName": "default"}


def start(sm: Any, names: dict[str, str], **members: Any) -> dict[str, Any]:
    """The app, once it is InService or Failed."""
    sm.create_app(**names, **members)
    eventually(lambda: _status(lambda: sm.describe_app(**names)) in ("InService", "Failed"))
    described: dict[str, Any] = sm.describe_app(**names)
    return described


def groups_of(localcloud: Localcloud, domain: str) -> dict[str, Any]:
    """inbound and outbound, by the tag."""
    wanted = [{"Name": "tag:ManagedByAmazonSageMakerResource", "Values": [f"{ACCOUNT}:domain/{domain}"]}]
    found = localcloud.client("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
    return {group["GroupName"].split("-")[3]: group for group in found}


def test_a_domain_has_a_file_system_and_two_groups_that_hold_each_other(
    localcloud: Localcloud, vpc: dict[str, Any], make_domain: Callable[..., str], sm: Any
) -> None:
    domain = make_domain()
    efs, ec2 = localcloud.client("efs"), localcloud.client("ec2")
    [file_system] = efs.describe_file_systems(CreationToken=domain)["FileSystems"]
    assert file_system["FileSystemId"] == sm.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]
    assert {"Key": "ManagedByAmazonSageMakerResource", "Value": f"{ACCOUNT}:domain/{domain}"} in file_system["Tags"]
    targets = efs.describe_mount_targets(FileSystemId=file_system["FileSystemId"])["MountTargets"]
    assert sorted(target["SubnetId"] for target in targets) == sorted(vpc["SubnetIds"])
    groups = groups_of(localcloud, domain)
    inbound, outbound = groups["inbound"], groups["outbound"]
    assert inbound["GroupName"] == f"security-group-for-inbound-nfs-{domain}"
    assert inbound["Description"] == (
        f"[DO NOT DELETE] Security Group that allows inbound NFS traffic for SageMaker Notebooks Domain [{domain}]"
    )
    for rules, other in ((inbound["IpPermissions"], outbound), (outbound["IpPermissionsEgress"], inbound)):
        assert [(rule["FromPort"], rule["ToPort"]) for rule in rules] == [(2049, 2049), (988, 988), (1018, 1023)]
        assert {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]} == {other["GroupId"]}
    assert (inbound["IpPermissionsEgress"], outbound["IpPermissions"]) == ([], [])
    used = {target["NetworkInterfaceId"] for target in targets}
    listed = {item["NetworkInterfaceId"]: item for item in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    assert used <= set(listed)
    assert {group["GroupId"] for name in used for group in listed[name]["Groups"]} == {inbound["GroupId"]}
    for group in groups.values():
        with pytest.raises(ClientError, match="DependencyViolation"):
            ec2.delete_security_group(GroupId=group["GroupId"])


def test_the_groups_are_held_for_a_while_after_the_domain(tmp_path: Path) -> None:
    with started(tmp_path, {"LOCALCLOUD_CLOCK": "manual"}) as server:
        ec2, efs, iam, sm = (server.client(name) for name in ("ec2", "efs", "iam", "sagemaker"))
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="user", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        members = {"DefaultUserSettings": {"ExecutionRole": role}, "SubnetIds": [subnet], "VpcId": vpc}
        domain = sm.create_domain(DomainName="d", AuthMode="IAM", **members)["DomainArn"].rpartition("/")[2]
        pass_time(server, sm, domain, "InService", durations.DOMAIN_UNSEEN, durations.DOMAIN_CREATE)
        sm.delete_domain(DomainId=domain)
        pass_time(server, sm, domain, "gone", durations.DOMAIN_DELETE)
        [target] = efs.describe_mount_targets(MaxItems=100)["MountTargets"]
        efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        groups = groups_of(server, domain)
        inbound, outbound = groups["inbound"], groups["outbound"]
        ec2.revoke_security_group_ingress(GroupId=inbound["GroupId"], IpPermissions=inbound["IpPermissions"])
        ec2.revoke_security_group_egress(GroupId=outbound["GroupId"], IpPermissions=outbound["IpPermissionsEgress"])
        for group in groups.values():
            with pytest.raises(ClientError, match="DependencyViolation"):
                ec2.delete_security_group(GroupId=group["GroupId"])
        server.admin("POST", "clock", {"advance_seconds": durations.NFS_GROUPS_HELD})
        for group in groups.values():
            ec2.delete_security_group(GroupId=group["GroupId"])


def pass_time(server: Localcloud, sm: Any, domain: str, status: str, *seconds: float) -> None:
    """Move a manual clock on, then wait for what follows on the service's threads."""
    for some in seconds:
        server.admin("POST", "clock", {"advance_seconds": some})
    eventually(lambda: _status(lambda: sm.describe_domain(DomainId=domain)) == status)


def test_retention_delete_leaves_nothing(localcloud: Localcloud, make_domain: Callable[..., str], sm: Any) -> None:
    domain = make_domain()
    delete_domain(sm, domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    assert localcloud.client("efs").describe_file_systems(CreationToken=domain)["FileSystems"] == []
    assert groups_of(localcloud, domain) == {}


def test_a_file_system_that_is_deleted_first_fails_the_domain(
    localcloud: Localcloud, make_domain: Callable[..., str], sm: Any
) -> None:
    domain = make_domain()
    efs = localcloud.client("efs")
    file_system = sm.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]
    with pytest.raises(ClientError, match="FileSystemInUse"):
        efs.delete_file_system(FileSystemId=file_system)
    for target in efs.describe_mount_targets(FileSystemId=file_system)["MountTargets"]:
        efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    efs.delete_file_system(FileSystemId=file_system)
    sm.delete_domain(DomainId=domain)
    eventually(lambda: _status(lambda: sm.describe_domain(DomainId=domain)) == "Delete_Failed")
    assert file_system in sm.describe_domain(DomainId=domain)["FailureReason"]


def test_an_app_of_a_vpc_only_domain_keeps_its_subnet(
    localcloud: Localcloud, vpc: dict[str, Any], make_domain: Callable[..., str], sm: Any
) -> None:
    ec2 = localcloud.client("ec2")
    group = ec2.create_security_group(GroupName=unique("g"), Description="apps", VpcId=vpc["VpcId"])["GroupId"]
    domain = make_domain(
        AppNetworkAccessType="VpcOnly",
        HomeEfsFileSystemCreation="Disabled",
        DefaultUserSettings={"SecurityGroups": [group]},
    )
    names = move_in(sm, domain)
    assert start(sm, names)["Status"] == "InService"
    subnet = vpc["SubnetIds"][0]
    for call in (
        lambda: ec2.delete_subnet(SubnetId=subnet),
        lambda: ec2.delete_security_group(GroupId=group),
    ):
        with pytest.raises(ClientError, match="DependencyViolation"):
            call()
    sm.delete_app(**names)
    eventually(lambda: _status(lambda: sm.describe_app(**names)) == "Deleted")
    ec2.delete_security_group(GroupId=group)


def test_two_subnets_in_a_zone_share_a_mount_target(
    localcloud: Localcloud, vpc: dict[str, Any], make_domain: Callable[..., str], sm: Any
) -> None:
    ec2, efs = localcloud.client("ec2"), localcloud.client("efs")
    where = {"VpcId": vpc["VpcId"], "CidrBlock": "10.1.9.0/24", "AvailabilityZone": "us-east-1a"}
    vpc["SubnetIds"] = [vpc["SubnetIds"][0], ec2.create_subnet(**where)["Subnet"]["SubnetId"]]
    file_system = sm.describe_domain(DomainId=make_domain())["HomeEfsFileSystemId"]
    targets = efs.describe_mount_targets(FileSystemId=file_system)["MountTargets"]
    assert [target["SubnetId"] for target in targets] == vpc["SubnetIds"][:1]


def test_a_lifecycle_script_runs_as_the_user(localcloud: Localcloud, make_domain: Callable[..., str], sm: Any) -> None:
    bucket = unique("studio-scripts")
    localcloud.client("s3").create_bucket(Bucket=bucket)
    config = unique("config")
    code = f"import boto3; boto3.client('s3').put_object(Bucket='{bucket}', Key='seen', Body=b'x')"
    text = 'set -e\necho "home is $HOME"\ncount=$(cat ~/count 2>/dev/null || echo 0)\n'
    text += f'echo $((count + 1)) > ~/count\necho "start $(cat ~/count)"\npython3 -c "{code}"\n'
    arn = sm.create_studio_lifecycle_config(
        StudioLifecycleConfigName=config,
        StudioLifecycleConfigContent=base64.b64encode(text.encode()).decode(),
        StudioLifecycleConfigAppType="JupyterLab",
    )["StudioLifecycleConfigArn"]
    lab = {"LifecycleConfigArns": [arn], "DefaultResourceSpec": {"LifecycleConfigArn": arn}}
    domain = make_domain(
        (["s3:PutObject"], [f"arn:aws:s3:::{bucket}/*"]), DefaultUserSettings={"JupyterLabAppSettings": lab}
    )
    names = move_in(sm, domain)
    for _ in range(2):
        described = start(sm, names)
        assert described["Status"] == "InService", described.get("FailureReason")
        sm.delete_app(**names)
        eventually(lambda: _status(lambda: sm.describe_app(**names)) == "Deleted")
    assert localcloud.client("s3").get_object(Bucket=bucket, Key="seen")["Body"].read() == b"x"
    stream = f"{domain}/lab/JupyterLab/default/LifecycleConfigOnStart"
    events = localcloud.client("logs").get_log_events(
        logGroupName="/aws/sagemaker/studio", logStreamName=stream, startFromHead=True
    )["events"]
    starts = [event["message"] for event in events if event["message"].startswith("start")]
    assert starts == ["start 1", "start 2"]  # the home is the space's


def test_a_script_that_fails_takes_the_app_with_it(make_domain: Callable[..., str], sm: Any) -> None:
    config = unique("config")
    arn = sm.create_studio_lifecycle_config(
        StudioLifecycleConfigName=config,
        StudioLifecycleConfigContent=base64.b64encode(b"echo oh no; exit 3").decode(),
        StudioLifecycleConfigAppType="JupyterLab",
    )["StudioLifecycleConfigArn"]
    domain = make_domain(HomeEfsFileSystemCreation="Disabled")
    names = move_in(sm, domain)
    described = start(sm, names, ResourceSpec={"LifecycleConfigArn": arn})
    assert described["Status"] == "Failed"
    assert "it ended with exit code 3" in described["FailureReason"]
    assert described["FailureReason"].endswith("oh no")
    sm.delete_studio_lifecycle_config(StudioLifecycleConfigName=config)
    sm.delete_space(DomainId=domain, SpaceName="lab")


def test_after_everything_is_deleted_the_meter_stands_still(
    localcloud: Localcloud, make_domain: Callable[..., str], sm: Any
) -> None:
    domain = make_domain()
    file_system = sm.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]
    names = move_in(sm, domain)
    start(sm, names, ResourceSpec={"InstanceType": "ml.t3.large"})

    def running() -> dict[str, tuple[str, str]]:
        readings = localcloud.admin("GET", "meter")["readings"]
        return {
            line["kind"]: (line["unit"], line["rate_key"])
            for line in readings
            if line["running"] and (domain in line["arn"] or file_system in line["arn"])
        }

    assert running() == {
        "efs-storage": ("gb-hour", "efs standard storage"),
        "studio-space-storage": ("gb-hour", "studio space storage"),
        "studio-app-instance": ("hour", "ml.t3.large studio"),
    }
    sm.delete_app(**names)
    eventually(lambda: _status(lambda: sm.describe_app(**names)) == "Deleted")
    sm.delete_space(DomainId=domain, SpaceName="lab")
    eventually(lambda: _status(lambda: sm.describe_space(DomainId=domain, SpaceName="lab")) == "gone")
    profile = {"DomainId": domain, "UserProfileName": "ada"}
    sm.delete_user_profile(**profile)
    eventually(lambda: _status(lambda: sm.describe_user_profile(**profile)) == "gone")
    delete_domain(sm, domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    assert running() == {}


def test_tags_are_found_by_the_tagging_api(localcloud: Localcloud, make_domain: Callable[..., str], sm: Any) -> None:
    domain = make_domain(HomeEfsFileSystemCreation="Disabled", Tags=[{"Key": "mark", "Value": unique("m")}])
    move_in(sm, domain)
    wanted = [{"Key": "sagemaker:domain-arn", "Values": [f"{ACCOUNT}:domain/{domain}"]}]
    found = localcloud.client("resourcegroupstaggingapi").get_resources(TagFilters=wanted)["ResourceTagMappingList"]
    assert [item["ResourceARN"] for item in found] == [f"{ACCOUNT}:space/{domain}/lab"]
    assert json.dumps(sm.describe_domain(DomainId=domain), default=str)
