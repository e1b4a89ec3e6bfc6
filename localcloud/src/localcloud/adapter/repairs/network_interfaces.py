"""DescribeNetworkInterfaces lists what EFS mount targets and interface endpoints put into a subnet."""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

from localcloud.adapter.identity import account_id
from localcloud.adapter.repairs.network import Use, interfaces


def install() -> None:
    """Wrap the API action."""
    before = ec2._ACTION_MAP["DescribeNetworkInterfaces"]

    def describe(parameters: dict[str, list[str]]) -> Any:
        # EC2 actions run on the event loop one at a time, so nobody sees the table between these lines
        shown = [use for use in interfaces() if use.interface not in ec2._network_interfaces]
        for use in shown:
            ec2._network_interfaces[use.interface] = _record(use)
        try:
            return before(parameters)
        finally:
            for use in shown:
                ec2._network_interfaces.pop(use.interface, None)

    ec2._ACTION_MAP["DescribeNetworkInterfaces"] = describe


def _record(use: Use) -> dict[str, Any]:
    subnet = ec2._subnets.get(use.subnet) or {}
    names = {group: (ec2._security_groups.get(group) or {}).get("GroupName", group) for group in use.groups}
    return {
        "NetworkInterfaceId": use.interface,
        "SubnetId": use.subnet,
        "VpcId": subnet.get("VpcId", ""),
        "AvailabilityZone": subnet.get("AvailabilityZone", ""),
        "Description": use.description,
        "Status": "in-use",
        "InterfaceType": "interface",
        "OwnerId": account_id(),
        "PrivateIpAddress": subnet.get("CidrBlock", "10.0.0.0/24").split("/")[0],
        "SourceDestCheck": True,
        "MacAddress": "02:00:00:00:00:01",
        "Attachment": None,
        "Groups": [{"GroupId": group, "GroupName": name} for group, name in names.items()],
    }
