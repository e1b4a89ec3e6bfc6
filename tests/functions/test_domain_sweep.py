"""What a deleted domain leaves in a VPC: removed in the order that AWS takes it, and a living neighbour's spared."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from domain_sweep import TAG, Sweep

from tests.functions.conftest import Scripted

VPC = "vpc-ours"
HERE = {"Name": "vpc-id", "Values": [VPC]}
GONE, LIVING = "d-gone00000000", "d-living000000"


class Cloud:
    """The three clients, and what they are to answer, in the order in which a sweep asks."""

    def __init__(self, ec2: Scripted, efs: Scripted, sagemaker: Scripted) -> None:
        self.ec2, self.efs, self.sagemaker = ec2, efs, sagemaker

    def sweep(self) -> str:
        return Sweep(self.ec2.client, self.efs.client, self.sagemaker.client, VPC).turn()

    def groups(self, *found: dict[str, Any]) -> None:
        request = {"Filters": [HERE, {"Name": "tag-key", "Values": [TAG]}]}
        self.ec2.reply("describe_security_groups", request, {"SecurityGroups": list(found)})

    def file_systems(self, *found: dict[str, Any]) -> None:
        self.efs.reply("describe_file_systems", {}, {"FileSystems": list(found)})

    def targets(self, *found: dict[str, Any]) -> None:
        self.efs.reply("describe_mount_targets", {"FileSystemId": "fs-11111111"}, {"MountTargets": list(found)})

    def interfaces(self, *descriptions: str) -> None:
        found = [{"NetworkInterfaceId": f"eni-{n}", "Description": text} for n, text in enumerate(descriptions)]
        self.ec2.reply("describe_network_interfaces", {"Filters": [HERE]}, {"NetworkInterfaces": found})

    def gone(self) -> None:
        self.sagemaker.refuse("describe_domain", "ResourceNotFound", request={"DomainId": GONE})

    def living(self) -> None:
        self.sagemaker.reply("describe_domain", {"DomainId": LIVING}, {"DomainId": LIVING, "Status": "InService"})


@pytest.fixture
def cloud(ec2: Scripted, efs: Scripted, sagemaker: Scripted) -> Cloud:
    return Cloud(ec2, efs, sagemaker)


def tags(domain: str) -> list[dict[str, str]]:
    return [{"Key": TAG, "Value": f"arn:aws:sagemaker:us-east-1:000000000000:domain/{domain}"}]


def rule(other: str) -> dict[str, Any]:
    pairs = [{"GroupId": other, "UserId": "000000000000"}]
    return {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": pairs}


def group(name: str, domain: str, into: str = "", out: str = "") -> dict[str, Any]:
    return {
        "GroupId": name,
        "Tags": tags(domain),
        "IpPermissions": [rule(into)] if into else [],
        "IpPermissionsEgress": [rule(out)] if out else [],
    }


def file_system(domain: str) -> dict[str, Any]:
    return {
        "OwnerId": "000000000000",
        "CreationToken": domain,
        "FileSystemId": "fs-11111111",
        "CreationTime": 0,
        "LifeCycleState": "available",
        "NumberOfMountTargets": 0,
        "SizeInBytes": {"Value": 1},
        "PerformanceMode": "generalPurpose",
        "Tags": tags(domain),
    }


def target(state: str = "available", vpc: str = VPC) -> dict[str, Any]:
    return {
        "MountTargetId": "fsmt-11111111",
        "FileSystemId": "fs-11111111",
        "SubnetId": "subnet-11111111",
        "LifeCycleState": state,
        "VpcId": vpc,
    }


def test_an_empty_network_is_clean(cloud: Cloud) -> None:
    cloud.groups()
    cloud.file_systems()
    cloud.interfaces()
    assert cloud.sweep() == ""


def test_mount_targets_go_first_and_the_groups_that_they_use_are_left_alone_meanwhile(cloud: Cloud) -> None:
    cloud.groups(group("sg-in", GONE, into="sg-out"))
    cloud.gone()
    cloud.file_systems(file_system(GONE))
    cloud.efs.reply("delete_file_system_policy", {"FileSystemId": "fs-11111111"})
    cloud.targets(target(), {**target("deleting"), "MountTargetId": "fsmt-22222222"})
    cloud.efs.reply("delete_mount_target", {"MountTargetId": "fsmt-11111111"})
    cloud.interfaces()
    assert cloud.sweep() == "file system fs-11111111, security group sg-in"


def test_then_the_file_system_which_only_its_group_shows_to_be_ours(cloud: Cloud) -> None:
    cloud.groups(group("sg-in", GONE))
    cloud.gone()
    cloud.file_systems(file_system(GONE))
    cloud.efs.reply("delete_file_system_policy", {"FileSystemId": "fs-11111111"})
    cloud.targets()
    cloud.efs.reply("delete_file_system", {"FileSystemId": "fs-11111111"})
    cloud.interfaces()
    assert "file system fs-11111111" in cloud.sweep()


def test_then_the_rules_of_both_groups_and_only_then_the_groups(cloud: Cloud) -> None:
    both = (group("sg-in", GONE, into="sg-out"), group("sg-out", GONE, out="sg-in"))
    cloud.groups(*both)
    cloud.gone()
    cloud.file_systems()
    cloud.ec2.reply("revoke_security_group_ingress", {"GroupId": "sg-in", "IpPermissions": [rule("sg-out")]})
    cloud.ec2.reply("revoke_security_group_egress", {"GroupId": "sg-out", "IpPermissions": [rule("sg-in")]})
    cloud.ec2.reply("delete_security_group", {"GroupId": "sg-in"})
    cloud.ec2.refuse("delete_security_group", "DependencyViolation", "SageMaker still holds it")
    cloud.interfaces()
    assert cloud.sweep() == "security group sg-in, security group sg-out"


def test_what_a_living_domain_has_in_the_same_network_is_spared(cloud: Cloud) -> None:
    cloud.groups(group("sg-in", LIVING, into="sg-out"))
    cloud.living()
    cloud.file_systems(file_system(LIVING))
    cloud.targets(target())
    cloud.interfaces(f"[DO NOT DELETE] ENI managed by SageMaker for Studio Domain ({LIVING})")
    assert cloud.sweep() == ""


def test_what_a_deleted_domain_has_in_another_network_is_not_ours(cloud: Cloud) -> None:
    cloud.groups()
    cloud.file_systems(file_system(GONE))
    cloud.targets(target(vpc="vpc-other"))
    cloud.interfaces()
    assert cloud.sweep() == ""


def test_a_file_system_of_nobody_we_know_is_not_looked_into(cloud: Cloud) -> None:
    cloud.groups()
    cloud.file_systems({**file_system(GONE), "Tags": [{"Key": "Name", "Value": "accounting"}]})
    cloud.interfaces()
    assert cloud.sweep() == ""


def test_interfaces_of_a_deleted_domain_are_waited_for_and_others_are_not(cloud: Cloud) -> None:
    cloud.groups()
    cloud.file_systems()
    cloud.interfaces(
        f"[DO NOT DELETE] ENI managed by SageMaker for Studio Domain ({GONE})",
        "VPC Endpoint Interface vpce-1",
        "EFS mount target for fs-9 (fsmt-9)",
    )
    cloud.gone()
    assert cloud.sweep() == "network interface eni-0"


@pytest.mark.parametrize("code", ["InvalidGroup.NotFound", "DependencyViolation"])
def test_a_group_that_is_gone_or_still_held_is_looked_at_again(cloud: Cloud, code: str) -> None:
    cloud.groups(group("sg-in", GONE, into="sg-out"))
    cloud.gone()
    cloud.file_systems()
    cloud.ec2.refuse("revoke_security_group_ingress", "InvalidPermission.NotFound")
    cloud.ec2.refuse("delete_security_group", code)
    cloud.interfaces()
    assert cloud.sweep() == "security group sg-in"


def test_a_refusal_that_says_something_else_is_raised(cloud: Cloud) -> None:
    cloud.groups(group("sg-in", GONE))
    cloud.gone()
    cloud.file_systems()
    cloud.ec2.refuse("delete_security_group", "UnauthorizedOperation", "no")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        cloud.sweep()
