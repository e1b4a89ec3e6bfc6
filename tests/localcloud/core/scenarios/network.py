"""Networks: what uses what, what is listed, what takes time."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.localcloud.core.scenarios.registry import DENY_ALL, error_code, scenario
from tests.localcloud.core.stacks import Resources, Stack, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud


@scenario
def used_network_parts_are_not_deleted(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    inner, outer = (
        ec2.create_security_group(VpcId=vpc, GroupName=unique(name), Description=name)["GroupId"]
        for name in ("inner", "outer")
    )
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    peer = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": [{"GroupId": inner}]}
    ec2.authorize_security_group_ingress(GroupId=outer, IpPermissions=[peer])
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]

    violation = "DependencyViolation"
    assert error_code(lambda: ec2.delete_subnet(SubnetId=subnet)) == violation
    assert error_code(lambda: ec2.delete_security_group(GroupId=inner)) == violation
    assert error_code(lambda: ec2.delete_internet_gateway(InternetGatewayId=gateway)) == violation
    overlap = error_code(lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.128/25"))
    assert overlap == "InvalidSubnet.Conflict"

    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.revoke_security_group_ingress(GroupId=outer, IpPermissions=[peer])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_security_group(GroupId=inner)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


@scenario
def attributes_of_network_and_buckets_are_complete(server: Localcloud) -> None:
    resources: Resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.6.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]},
            },
        },
        "Data": {"Type": "AWS::S3::Bucket"},
    }
    names = [("Vpc", "CidrBlock"), ("Subnet", "VpcId"), ("Data", "DualStackDomainName")]
    outputs = {f"{name}{attribute}": {"Value": {"Fn::GetAtt": [name, attribute]}} for name, attribute in names}
    stack = Stack(server, unique("attributes"))
    assert stack.create(resources, outputs) == "CREATE_COMPLETE", stack.reasons()
    found = {item["OutputKey"]: item["OutputValue"] for item in stack.describe()["Outputs"]}
    assert found["VpcCidrBlock"] == "10.6.0.0/16"
    assert found["SubnetVpcId"] == stack.physical("Vpc")
    assert found["DataDualStackDomainName"].startswith(stack.physical("Data"))


@scenario
def stack_waits_for_foreign_interfaces(server: Localcloud) -> None:
    """What SageMaker's Domain does to a VPC: a file system that the stack does not know holds the subnet."""
    ec2, efs, stack = server.client("ec2"), server.client("efs"), Stack(server, unique("net"))
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.8.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.8.1.0/24"},
        },
    }
    stack.create(resources)
    subnet = stack.physical("Subnet")
    files = efs.create_file_system(CreationToken=unique("efs"))["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=files, SubnetId=subnet)
    listed = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"]
    assert [item["NetworkInterfaceId"] for item in listed] == [target["NetworkInterfaceId"]]
    assert stack.delete() == "DELETE_FAILED"
    assert stack.statuses() == {"Subnet": "DELETE_FAILED", "Vpc": "CREATE_COMPLETE"}
    efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    assert stack.delete() == "DELETE_COMPLETE"


@scenario
def interfaces_are_found_by_filters(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    group = ec2.create_security_group(VpcId=vpc, GroupName=unique("eni"), Description="eni")["GroupId"]
    first, second = (
        ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description=f"made for {subnet}")[
            "NetworkInterface"
        ]["NetworkInterfaceId"]
        for subnet in subnets
    )

    def found(**filters: str) -> set[str]:
        asked = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return {
            item["NetworkInterfaceId"] for item in ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"]
        }

    assert found(vpc_id=vpc) == {first, second}
    assert found(vpc_id=vpc, subnet_id=subnets[0]) == {first}
    assert found(group_id=group, description=f"made for {subnets[1][:-2]}*") == {second}
    assert found(vpc_id="vpc-none") == set()
    ec2.attach_network_interface(NetworkInterfaceId=first, InstanceId="i-0123456789abcdef0", DeviceIndex=1)
    assert error_code(lambda: ec2.delete_network_interface(NetworkInterfaceId=first)) == "InvalidParameterValue"
    ec2.delete_network_interface(NetworkInterfaceId=second)
    assert found(vpc_id=vpc) == {first}


@scenario
def interface_endpoints_are_listed_hold_their_network_and_take_time(server: Localcloud) -> None:
    ec2, stack = server.client("ec2"), Stack(server, unique("private"))
    names = {"EnableDnsSupport": True, "EnableDnsHostnames": True}
    resources: Resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.5.0.0/16", **names}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "endpoints", "VpcId": {"Ref": "Vpc"}},
        },
    }
    for zone in range(2):
        resources[f"Subnet{zone}"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.5.{zone}.0/24",
                "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
            },
        }
    for service in ("sagemaker.api", "sts"):
        resources[service.replace(".", "").capitalize()] = {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "ServiceName": f"com.amazonaws.us-east-1.{service}",
                "VpcEndpointType": "Interface",
                "PrivateDnsEnabled": True,
                "SubnetIds": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
                "PolicyDocument": DENY_ALL,
                "Tags": [{"Key": "sandcastle:environment", "Value": stack.name}],
            },
        }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    mine = [{"Name": "tag:sandcastle:environment", "Values": [stack.name]}]
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=mine, PaginationConfig={"PageSize": 1})
    found = {item["VpcEndpointId"]: item for page in pages for item in page["VpcEndpoints"]}
    assert sorted(found) == sorted(stack.physical(name) for name in ("Sagemakerapi", "Sts"))
    group = stack.physical("Group")
    for endpoint in found.values():
        assert endpoint["State"] == "available"
        assert endpoint.get("PrivateDnsEnabled")
        assert [item["GroupId"] for item in endpoint["Groups"]] == [group]
        assert json.loads(endpoint["PolicyDocument"]) == DENY_ALL
        listed = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
        assert {item["SubnetId"] for item in listed["NetworkInterfaces"]} == set(endpoint["SubnetIds"])
    other = [{"Name": "vpc-id", "Values": ["vpc-other"]}]
    assert ec2.describe_vpc_endpoints(Filters=other)["VpcEndpoints"] == []

    again = partial(
        ec2.create_vpc_endpoint,
        VpcId=stack.physical("Vpc"),
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        SubnetIds=[stack.physical("Subnet0")],
    )
    assert error_code(again) == "InvalidParameter"  # its private name is taken
    assert error_code(lambda: ec2.delete_security_group(GroupId=group)) == "DependencyViolation"
    counted = [
        r for r in server.admin("GET", "meter")["readings"] if r["tags"].get("sandcastle:environment") == stack.name
    ]
    assert [(reading["quantity"], reading["running"]) for reading in counted] == [(2, True)] * 2
    ec2.delete_vpc_endpoints(VpcEndpointIds=[stack.physical("Sts")])
    (going,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[stack.physical("Sts")])["VpcEndpoints"]
    assert going["State"] == "deleting"
    assert error_code(lambda: ec2.delete_security_group(GroupId=group)) == "DependencyViolation"
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()
    counted = [
        r for r in server.admin("GET", "meter")["readings"] if r["tags"].get("sandcastle:environment") == stack.name
    ]
    assert not any(reading["running"] for reading in counted)


@scenario
def private_names_need_a_network_with_names(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.4.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
        for n in range(2)
    ]
    make = partial(
        ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sts", VpcEndpointType="Interface"
    )
    with_names = partial(make, SubnetIds=subnets[:1])
    assert error_code(with_names) == "InvalidParameter"
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert error_code(partial(make, SubnetIds=subnets)) == "DuplicateSubnetsInSameZone"
    endpoint = with_names()["VpcEndpoint"]
    assert (endpoint["State"], endpoint["Groups"][0]["GroupName"]) == ("pending", "default")
    assert error_code(lambda: ec2.delete_subnet(SubnetId=subnets[0])) == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])


@scenario
def a_rule_is_revoked_as_it_was_described(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    one, other = (
        ec2.create_security_group(GroupName=unique(name), Description=name, VpcId=vpc)["GroupId"]
        for name in ("one", "other")
    )
    for port in (2049, 988):
        pair = {"GroupId": other}
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])

    def rules() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"][0]["IpPermissions"]
        return found

    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=rules()[:1])
    assert [rule["FromPort"] for rule in rules()] == [988]
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=rules())
    assert rules() == []


@scenario
def security_groups_are_found_by_wildcards(server: Localcloud) -> None:
    ec2 = server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    name = unique("security-group-for")
    for way in ("inbound", "outbound"):
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "way", "Value": way}]}]
        ec2.create_security_group(
            GroupName=f"{name}-{way}-nfs", Description=f"about {way}", VpcId=vpc, TagSpecifications=tags
        )

    def found(**filters: str) -> list[str]:
        asked = [
            {"Name": key.replace("__", ":").replace("_", "-"), "Values": [value]} for key, value in filters.items()
        ]
        return [group["GroupName"] for group in ec2.describe_security_groups(Filters=asked)["SecurityGroups"]]

    assert found(group_name=f"{name}-*") == [f"{name}-inbound-nfs", f"{name}-outbound-nfs"]
    assert found(vpc_id=vpc, description="about in*") == [f"{name}-inbound-nfs"]
    assert found(vpc_id=vpc, tag__way="outbound") == [f"{name}-outbound-nfs"]
    assert found(group_name=f"{name}-none-*") == []
    assert error_code(lambda: found(no_such="x")) == "InvalidParameterValue"
