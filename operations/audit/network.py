"""What an environment has in a VPC. Nothing here is billed by itself, but it holds other things alive."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Clients, Finding, Owner

_KINDS = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId", "delete-vpc --vpc-id"),
    "route table": ("describe_route_tables", "RouteTables", "RouteTableId", "delete-route-table --route-table-id"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId", "delete-subnet --subnet-id"),
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId", "delete-security-group --group-id"),
    "vpc endpoint": (
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "delete-vpc-endpoints --vpc-endpoint-ids",
    ),
}  # fmt: skip


def networks(clients: Clients, owner: Owner) -> Iterator[Finding]:
    """Yield VPCs, subnets, security groups and VPC endpoints (gateway endpoints are free)."""
    client = clients.client("ec2")
    for kind, (operation, result, key, command) in _KINDS.items():
        for page in client.get_paginator(operation).paginate():
            for item in page[result]:
                why = owner.by_tags(item.get("Tags", []))
                if why:
                    paid = kind == "vpc endpoint" and item.get("VpcEndpointType") != "Gateway"
                    yield Finding(
                        "ec2", kind, item[key], item.get("State", ""), None if paid else 0.0, why,
                        f"aws ec2 {command} {item[key]}",
                    )  # fmt: skip
