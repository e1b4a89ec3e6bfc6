"""EC2 refuses to delete what something still uses, and subnets that overlap.

MiniStack deletes subnets with network interfaces in them, security groups that rules or interfaces refer to and
internet gateways that are attached, through the API and through CloudFormation. AWS: DependencyViolation.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.services import ec2, efs
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props, Provisioned
from localcloud.adapter.holds import is_held


@dataclass(frozen=True)
class Use:
    """A network interface, whoever made it."""

    interface: str
    subnet: str
    groups: frozenset[str]
    description: str


def interfaces() -> Iterator[Use]:
    """Interfaces of EC2 itself, of EFS mount targets and of interface VPC endpoints."""
    for record in ec2._network_interfaces.values():
        yield Use(
            record["NetworkInterfaceId"],
            record.get("SubnetId", ""),
            _group_ids(record.get("Groups")),
            record.get("Description", ""),
        )
    for target in efs._mount_targets.values():
        groups = target.get("_security_groups") or target.get("SecurityGroups")
        description = f"EFS mount target for {target['FileSystemId']} ({target['MountTargetId']})"
        yield Use(target["NetworkInterfaceId"], target["SubnetId"], _group_ids(groups), description)
    for endpoint in ec2._vpc_endpoints.values():
        for subnet in endpoint.get("SubnetIds") or []:
            identifier = endpoint_interface(endpoint["VpcEndpointId"], subnet)
            description = f"VPC Endpoint Interface {endpoint['VpcEndpointId']}"
            yield Use(identifier, subnet, _group_ids(endpoint.get("SecurityGroupIds")), description)


def endpoint_interface(endpoint: str, subnet: str) -> str:
    """The interface that a VPC endpoint has in a subnet."""
    return f"eni-{endpoint.removeprefix('vpce-')[:8]}{subnet.removeprefix('subnet-')[:9]}"


def install() -> None:
    """Guard the deletes and the subnet create."""
    _guard("DeleteSubnet", "SubnetId", "AWS::EC2::Subnet", "The subnet '{}' has dependencies", _subnet_used)
    _guard(
        "DeleteSecurityGroup", "GroupId", "AWS::EC2::SecurityGroup", "resource {} has a dependent object", _group_used
    )
    _guard("DeleteVpc", "VpcId", "AWS::EC2::VPC", "The vpc '{}' has dependencies", _vpc_used)
    _guard(
        "DeleteInternetGateway",
        "InternetGatewayId",
        "AWS::EC2::InternetGateway",
        "The internetGateway '{}' has dependencies",
        _gateway_used,
    )
    _refuse_overlap()


def _guard(action: str, parameter: str, type_name: str, text: str, used: Callable[[str], bool]) -> None:
    def refusal(identifier: str) -> str:
        start = text.format(identifier)
        return start if "dependent" in start else f"{start} and cannot be deleted."

    before_api = ec2._ACTION_MAP[action]

    def api(parameters: dict[str, list[str]]) -> Any:
        identifier = ec2._p(parameters, parameter)
        if identifier and used(identifier):
            return ec2._error("DependencyViolation", refusal(identifier), 400)
        return before_api(parameters)

    handlers = provisioners._RESOURCE_HANDLERS[type_name]
    before_delete = handlers["delete"]

    def delete(physical_id: str, props: Props) -> None:
        if used(physical_id):
            raise CfnError(f"{refusal(physical_id)} (Service: Ec2, Status Code: 400, Error Code: DependencyViolation)")
        before_delete(physical_id, props)

    ec2._ACTION_MAP[action] = api
    handlers["delete"] = delete


def _subnet_used(subnet: str) -> bool:
    return any(use.subnet == subnet for use in interfaces())


def _group_used(group: str) -> bool:
    if is_held(group) or any(group in use.groups for use in interfaces()):
        return True
    return any(
        group in _group_ids(permission.get("UserIdGroupPairs"))
        for other in ec2._security_groups.values()
        if other["GroupId"] != group
        for permission in [*(other.get("IpPermissions") or []), *(other.get("IpPermissionsEgress") or [])]
    )


def _vpc_used(vpc: str) -> bool:
    return any(endpoint["VpcId"] == vpc for endpoint in ec2._vpc_endpoints.values())


def _gateway_used(gateway: str) -> bool:
    return bool((ec2._internet_gateways.get(gateway) or {}).get("Attachments"))


def _group_ids(groups: Any) -> frozenset[str]:
    return frozenset(group if isinstance(group, str) else group.get("GroupId", "") for group in groups or [])


def _refuse_overlap() -> None:
    def conflict(vpc: str, cidr: str) -> str | None:
        try:
            wanted = ipaddress.ip_network(cidr)
        except ValueError:
            return None  # MiniStack names the malformed block itself
        for subnet in ec2._subnets.values():
            if subnet.get("VpcId") == vpc and wanted.overlaps(ipaddress.ip_network(subnet["CidrBlock"])):
                return f"The CIDR '{cidr}' conflicts with another subnet"
        return None

    before_api = ec2._ACTION_MAP["CreateSubnet"]

    def api(parameters: dict[str, list[str]]) -> Any:
        text = conflict(ec2._p(parameters, "VpcId"), ec2._p(parameters, "CidrBlock"))
        return ec2._error("InvalidSubnet.Conflict", text, 400) if text else before_api(parameters)

    handlers = provisioners._RESOURCE_HANDLERS["AWS::EC2::Subnet"]
    before_create = handlers["create"]

    def create(logical_id: str, props: Props, stack: str) -> Provisioned:
        text = conflict(props.get("VpcId", ""), props.get("CidrBlock", ""))
        if text:
            raise CfnError(f"{text} (Service: Ec2, Status Code: 400, Error Code: InvalidSubnet.Conflict)")
        done: Provisioned = before_create(logical_id, props, stack)
        return done

    ec2._ACTION_MAP["CreateSubnet"] = api
    handlers["create"] = create
