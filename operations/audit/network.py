"""What an environment has in a VPC, and the home file systems that Studio puts there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.audit.finding import Finding
from operations.audit.prices import hours_month, item_month
from operations.audit.survey import MANAGED_TAG, Survey
from operations.stacks import tags

_KINDS = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId", "delete_vpc", "VpcId"),
    "route table": ("describe_route_tables", "RouteTables", "RouteTableId", "delete_route_table", "RouteTableId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId", "delete_subnet", "SubnetId"),
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId", "delete_security_group", "GroupId"),
    "vpc endpoint": (
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "delete_vpc_endpoints", "VpcEndpointIds",
    ),
}  # fmt: skip


def networks(survey: Survey) -> Iterator[Finding]:
    """Yield VPCs, route tables, subnets, security groups and VPC endpoints; only interface endpoints are billed.

    The security groups of a Studio domain's home file system are a kind of their own: no stack removes those.
    """
    for kind, (operation, result, key, remove, by) in _KINDS.items():
        for item in survey.pages("ec2", operation, result):
            tag_map = tags(item.get("Tags", []))
            managed = MANAGED_TAG in tag_map and kind == "security group"
            why = survey.why_managed(tag_map, [item["VpcId"]]) if managed else survey.owner.by_map(tag_map)
            if why:
                usd, price = _endpoint_cost(survey, item) if kind == "vpc endpoint" else (0.0, "")
                removal = survey.owner.call("ec2", remove, **{by: [item[key]] if by.endswith("s") else item[key]})
                yield Finding(
                    f"Studio {kind}" if managed else kind, item[key], item.get("State", ""), usd, why, removal, price,
                    item.get("CreationTimestamp"),
                )  # fmt: skip


def _endpoint_cost(survey: Survey, item: Any) -> tuple[float | None, str]:
    """Gateway endpoints are free; interface endpoints are billed by the hour in each zone."""
    if item.get("VpcEndpointType") == "Gateway":
        return 0.0, ""
    zones = len(item.get("SubnetIds", []))
    return hours_month(survey.owner.region, "interface endpoint", zones), f"interface endpoint in {zones} zones"


def interfaces(survey: Survey) -> Iterator[Finding]:
    """Yield every network interface in the environment's networks: free, and while it is there the network stays."""
    if not survey.vpcs:
        return
    inside = [{"Name": "vpc-id", "Values": sorted(survey.vpcs)}]
    for item in survey.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=inside):
        name = item["NetworkInterfaceId"]
        yield Finding(
            "network interface", name, item.get("Status", ""), 0.0, f"in network {item['VpcId']}",
            survey.owner.call("ec2", "delete_network_interface", NetworkInterfaceId=name),
        )  # fmt: skip


def file_systems(survey: Survey) -> Iterator[Finding]:
    """Yield home file systems and their mount targets; what a deleted domain left is billed by the gigabyte."""
    for item in survey.pages("efs", "describe_file_systems", "FileSystems"):
        tag_map, name = tags(item.get("Tags", [])), item["FileSystemId"]
        ours = survey.owner.by_map(tag_map)
        if not ours and MANAGED_TAG not in tag_map:
            continue
        mounts = survey.pages("efs", "describe_mount_targets", "MountTargets", FileSystemId=name)
        why = ours or survey.why_managed(tag_map, {mount["VpcId"] for mount in mounts})
        if not why:
            continue
        size = item["SizeInBytes"]["Value"]
        yield Finding(
            "file system", name, item["LifeCycleState"], item_month(survey.owner.region, "efs standard", size / 2**30),
            why, survey.owner.call("efs", "delete_file_system", FileSystemId=name), f"{size:,} bytes in EFS",
            item.get("CreationTime"),
        )  # fmt: skip
        for mount in mounts:
            target = mount["MountTargetId"]
            removal = survey.owner.call("efs", "delete_mount_target", MountTargetId=target)
            yield Finding("mount target", target, mount["LifeCycleState"], 0.0, f"of {name}", removal)
